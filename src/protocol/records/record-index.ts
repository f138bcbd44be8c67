/**
 * The index of a batch: eight int32 per record, filled in one pass. Positions point into the buffer of the records.
 * Everything a record says about itself is checked on the way, so what is read later through the index cannot fail.
 */
export const STRIDE = 8
export const KEY_START = 0
/** Below the start for null. */
export const KEY_END = 1
export const VALUE_START = 2
export const VALUE_END = 3
/** Where the header count is. */
export const HEADERS = 4
export const OFFSET_DELTA = 5
export const TIME_DELTA_LOW = 6
export const TIME_DELTA_HIGH = 7

/** Reads varints, bounds-checked; position and the last value are its state. The kernel does the same in wasm. */
class Cursor {
  at: number
  readonly end: number
  private readonly bytes: Uint8Array
  /** High half of the last varlong. */
  high = 0

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  byte(): number {
    if (this.at >= this.end) throw new RangeError('the bytes end inside a record')
    return this.bytes[this.at++]!
  }
  varint(): number {
    let byte = this.byte()
    let value = byte & 0x7f
    for (let shift = 7; byte > 0x7f; shift += 7) {
      if (shift > 28) throw new RangeError('a varint is longer than 5 bytes')
      byte = this.byte()
      value |= (byte & 0x7f) << shift
    }
    return (value >>> 1) ^ -(value & 1)
  }
  /** Zigzag varint of 64 bits: the low half is returned, the high half is in `high`. */
  varlong(): number {
    let low = 0
    let high = 0
    for (let shift = 0; ; shift += 7) {
      if (shift > 63) throw new RangeError('a varlong is longer than 10 bytes')
      const byte = this.byte()
      const bits = byte & 0x7f
      if (shift < 32) low |= bits << shift
      if (shift > 31) high |= bits << (shift - 32)
      else if (shift > 24) high |= bits >>> (32 - shift)
      if (byte < 0x80) break
    }
    const sign = -(low & 1)
    this.high = (high >>> 1) ^ sign
    return ((low >>> 1) | (high << 31)) ^ sign
  }
  /** Passes over a length-prefixed field; a negative length is null and takes nothing. */
  field(): number {
    const size = this.varint()
    if (size > this.end - this.at) throw new RangeError(`a field of ${size} bytes exceeds the ${this.end - this.at} left`)
    if (size > 0) this.at += size
    return size
  }
}

/**
 * Indexes `count` records of format 2 in `bytes[start, end)` into `index` from `base` on. Returns the place behind the last.
 * @throws RangeError when there are not that many well-formed records.
 */
export function indexRecordsPlain(
  bytes: Uint8Array,
  start: number,
  end: number,
  count: number,
  index: Int32Array,
  base: number,
): number {
  const cursor = new Cursor(bytes, start, end)
  for (let row = base, last = base + count * STRIDE; row < last; row += STRIDE) {
    const size = cursor.varint()
    const recordEnd = cursor.at + size
    if (size < 0 || recordEnd > end) throw new RangeError(`a record claims ${size} bytes of the ${end - cursor.at} left`)
    cursor.byte()
    index[row + TIME_DELTA_LOW] = cursor.varlong()
    index[row + TIME_DELTA_HIGH] = cursor.high
    index[row + OFFSET_DELTA] = cursor.varint()
    let length = cursor.field()
    index[row + KEY_END] = length < 0 ? cursor.at - 1 : cursor.at
    index[row + KEY_START] = length < 0 ? cursor.at : cursor.at - length
    length = cursor.field()
    index[row + VALUE_END] = length < 0 ? cursor.at - 1 : cursor.at
    index[row + VALUE_START] = length < 0 ? cursor.at : cursor.at - length
    index[row + HEADERS] = cursor.at
    const headers = cursor.varint()
    if (headers < 0 || headers > recordEnd - cursor.at) throw new RangeError(`a record claims ${headers} headers`)
    for (let i = 0; i < headers; i++) {
      if (cursor.field() < 0) throw new RangeError('a header without a key')
      cursor.field()
    }
    if (cursor.at !== recordEnd) throw new RangeError(`a record of ${size} bytes is ${cursor.at - recordEnd} longer than it says`)
  }
  return cursor.at
}

/** Rows are cut from a slab, so that a small batch allocates none; a large one gets its own. */
const SLAB_ROWS = 2048
let slab = new Int32Array(0)
let slabUsed = 0

/** Room for the rows of a batch: an array, and where in it they start. */
export function claimRows(count: number): { rows: Int32Array; base: number } {
  const words = count * STRIDE
  if (count >= SLAB_ROWS / 4) return { rows: new Int32Array(words), base: 0 }
  if (slabUsed + words > slab.length) {
    slab = new Int32Array(SLAB_ROWS * STRIDE)
    slabUsed = 0
  }
  const base = slabUsed
  slabUsed += words
  return { rows: slab, base }
}
