import { KafkaError } from '../../errors.ts'
import { View } from '../view.ts'
import type { EncodedBatch } from './encoded-batch.ts'
import {
  HEADERS,
  KEY_END,
  KEY_START,
  OFFSET_DELTA,
  STRIDE,
  TIME_DELTA_HIGH,
  TIME_DELTA_LOW,
  VALUE_END,
  VALUE_START,
} from './record-index.ts'

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

const NO_HEADERS: readonly RecordHeader[] = Object.freeze([])
const WORD = 0x1_0000_0000
const SURELY_EXACT = 2 ** 52

/** Takes the place of what something released read from: a flag would have to be looked at by every read of every batch. */
export const RELEASED = new Proxy({} as never, {
  get() {
    throw new KafkaError(
      'ERR_ILLEGAL_STATE',
      'the batch was released, and its memory may hold another response by now: read what you need before release(), and keep records by detach()',
    )
  },
})

/**
 * The records of one batch, verified, decompressed and indexed. Nothing is made of a record until it is asked for: every
 * accessor takes the record's place in the batch, 0 ≤ i < length, which is not checked. What they return are views of
 * `buffer`, so a kept value keeps the whole buffer alive; copy it to keep it small.
 */
export class RecordBatch {
  /** The header: codec, producer, leader epoch … */
  encoded: EncodedBatch
  /** What the positions point into: the received frame, or the decompressed records. */
  buffer: Buffer
  /** How many records there are: fewer than the header's offsets span where the log was compacted. */
  readonly length: number
  private index: Int32Array
  private readonly base: number
  /** Read when it is first asked for: a bigint costs as much as the index of a record. */
  private baseOffset: bigint | undefined
  /** Base of the timestamps as a number; `fixedTime` where one timestamp holds for all (LogAppendTime). */
  private readonly baseTime: number
  private readonly isBaseExact: boolean
  private readonly fixedTime: boolean
  private readonly memory: ArrayBufferLike
  private readonly memoryStart: number

  constructor(encoded: EncodedBatch, buffer: Buffer, length: number, rows: Int32Array, base: number, baseOffset?: bigint) {
    this.encoded = encoded
    this.buffer = buffer
    this.length = length
    this.index = rows
    this.base = base
    this.baseOffset = baseOffset
    this.fixedTime = encoded.timestampType === 'log-append'
    this.baseTime = encoded.baseTime
    this.isBaseExact = Number.isSafeInteger(this.baseTime)
    this.memory = buffer.buffer
    this.memoryStart = buffer.byteOffset
  }

  /** The same records, to be released by themselves: for whoever else is handed some of them. */
  sibling(): RecordBatch {
    return new RecordBatch(this.encoded, this.buffer, this.length, this.index, this.base, this.baseOffset)
  }

  /** Its memory may be used again: from now on, whatever is read from it throws KafkaError ERR_ILLEGAL_STATE. */
  release(): void {
    this.encoded = this.buffer = this.index = RELEASED
    this.baseOffset = undefined
  }
  get isReleased(): boolean {
    return this.index === RELEASED
  }

  offsetAt(i: number): bigint {
    return this.origin() + BigInt(this.index[this.base + i * STRIDE + OFFSET_DELTA]!)
  }
  /** Milliseconds since the epoch; exact up to 2^53, see `timestampExactAt`. -1 where the format has none. */
  timestampAt(i: number): number {
    if (this.fixedTime) return this.baseTime
    const row = this.base + i * STRIDE
    const time = this.baseTime + this.index[row + TIME_DELTA_HIGH]! * WORD + (this.index[row + TIME_DELTA_LOW]! >>> 0)
    // Within these bounds no sum on the way was rounded, unless the base was to begin with.
    return this.isBaseExact && time < SURELY_EXACT && time > -SURELY_EXACT ? time : Number(this.timestampExactAt(i))
  }
  timestampExactAt(i: number): bigint {
    if (this.fixedTime) return this.encoded.maxTimestamp
    const row = this.base + i * STRIDE
    const delta = (BigInt(this.index[row + TIME_DELTA_HIGH]!) << 32n) | BigInt(this.index[row + TIME_DELTA_LOW]! >>> 0)
    return BigInt.asIntN(64, this.encoded.firstTimestamp + delta)
  }

  keyStart(i: number): number {
    return this.index[this.base + i * STRIDE + KEY_START]!
  }
  /** Below `keyStart` for null. */
  keyEnd(i: number): number {
    return this.index[this.base + i * STRIDE + KEY_END]!
  }
  valueStart(i: number): number {
    return this.index[this.base + i * STRIDE + VALUE_START]!
  }
  /** Below `valueStart` for null. */
  valueEnd(i: number): number {
    return this.index[this.base + i * STRIDE + VALUE_END]!
  }
  keyAt(i: number): Buffer | null {
    return this.slice(this.base + i * STRIDE + KEY_START)
  }
  valueAt(i: number): Buffer | null {
    return this.slice(this.base + i * STRIDE + VALUE_START)
  }

  /** In the order written; keys may repeat. */
  headersAt(i: number): readonly RecordHeader[] {
    let at = this.index[this.base + i * STRIDE + HEADERS]!
    if (at < 0 || this.buffer[at] === 0) return NO_HEADERS
    const bytes = this.buffer
    // The index checked these varints: they end in time and fit.
    const length = (): number => {
      let byte = bytes[at++]!
      let value = byte & 0x7f
      for (let shift = 7; byte > 0x7f; shift += 7) {
        byte = bytes[at++]!
        value |= (byte & 0x7f) << shift
      }
      return (value >>> 1) ^ -(value & 1)
    }
    const headers: RecordHeader[] = []
    for (let left = length(); left > 0; left--) {
      let size = length()
      const key = bytes.utf8Slice(at, (at += size))
      size = length()
      headers.push({ key, value: size < 0 ? null : bytes.subarray(at, (at += size)) })
    }
    return headers
  }

  /** Whether each offset is above the one before, and none below the base: what brokers see to, and no checksum. */
  get hasRisingOffsets(): boolean {
    const { index } = this
    let before = -1
    for (let at = this.base + OFFSET_DELTA, end = at + this.length * STRIDE; at < end; at += STRIDE) {
      const delta = index[at]!
      if (delta <= before) return false
      before = delta
    }
    return true
  }

  /** The first record at `offset` or behind it: a fetch answers with whole batches, which may begin before what was asked for. */
  firstIndexAtOrAfter(offset: bigint): number {
    const delta = Number(offset - this.origin())
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.index[this.base + middle * STRIDE + OFFSET_DELTA]! < delta) low = middle + 1
      else high = middle
    }
    return low
  }

  /** What the offset deltas count from. */
  private origin(): bigint {
    this.baseOffset ??= this.encoded.baseOffset
    return this.baseOffset
  }
  private slice(start: number): Buffer | null {
    const from = this.index[start]!
    const to = this.index[start + 1]!
    return to < from ? null : new View(this.memory, this.memoryStart + from, to - from)
  }
}
