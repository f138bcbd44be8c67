import { MAX_BYTES, MIN_BYTES, RepeatedStrings } from './repeated-strings.ts'
import { NO_BYTES, NO_UUID } from './schema.ts'
import { View } from './view.ts'

/**
 * Where a decoded struct keeps the tagged fields it does not know, in the bytes they had on the wire (tag, size and value of
 * each, KIP-482), copied out of the frame: re-encoding writes them again. Bytes rather than values, since a peer may put such
 * a field of 3 bytes into every struct. A symbol, so that nobody stumbles over it, and absent from the many structs that have none.
 */
export const unknownTags = Symbol('unknownTags')

const repeatedStrings = new RepeatedStrings(decodeUtf8)
const repeatedIds = new RepeatedStrings((buffer, start, end) => buffer.base64urlSlice(start, end))

/** Cursor over one received frame. Reads past the end throw RangeError, from DataView or from `claim`. */
export class Reader {
  readonly buffer: Buffer
  private readonly memory: ArrayBufferLike
  private readonly memoryStart: number
  private readonly view: DataView
  private readonly end: number
  private pos: number

  constructor(buffer: Buffer, start = 0) {
    this.buffer = buffer
    this.pos = start
    this.end = buffer.length
    this.memory = buffer.buffer
    this.memoryStart = buffer.byteOffset
    this.view = new DataView(this.memory, this.memoryStart, this.end)
  }

  get position(): number {
    return this.pos
  }

  bool(): boolean {
    return this.view.getUint8(this.pos++) !== 0
  }
  int8(): number {
    return this.view.getInt8(this.pos++)
  }
  int16(): number {
    return this.view.getInt16((this.pos += 2) - 2)
  }
  uint16(): number {
    return this.view.getUint16((this.pos += 2) - 2)
  }
  int32(): number {
    return this.view.getInt32((this.pos += 4) - 4)
  }
  int64(): bigint {
    return this.view.getBigInt64((this.pos += 8) - 8)
  }
  float64(): number {
    return this.view.getFloat64((this.pos += 8) - 8)
  }
  /** Kafka's own text form of a Uuid: unpadded url-safe base64. */
  uuid(): string {
    const at = this.claim(16)
    return repeatedIds.text(this.buffer, this.view, at, at + 16)
  }

  uvarint(): number {
    const byte = this.view.getUint8(this.pos++)
    return byte < 0x80 ? byte : this.longUvarint(byte)
  }
  /** Apart from the frequent case, so that this can be compiled into its callers. */
  private longUvarint(first: number): number {
    let value = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.view.getUint8(this.pos++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        return value >>> 0
      }
    }
    throw new RangeError('a varint of more than 32 bits')
  }

  /** What is no UTF-8 is replaced by U+FFFD, as often as Java does it. */
  string(): string | null {
    return this.text(this.int16())
  }
  compactString(): string | null {
    return this.text(this.uvarint() - 1)
  }
  legacyString(): string | null {
    return this.string()
  }
  bytes(): Buffer | null {
    return this.raw(this.int32())
  }
  compactBytes(): Buffer | null {
    return this.raw(this.uvarint() - 1)
  }
  records(): Buffer | null {
    return this.bytes()
  }
  compactRecords(): Buffer | null {
    return this.compactBytes()
  }

  /** Element count, -1 for null. What is left must hold that many elements, so a hostile count cannot make us allocate. */
  count(leastBytes: number): number {
    const n = this.int32()
    if (n < -1) none(n)
    return this.bounded(n, leastBytes)
  }
  compactCount(leastBytes: number): number {
    return this.bounded(this.uvarint() - 1, leastBytes)
  }
  /** An array of int32, which most arrays of numbers are, in one loop: a third of a Metadata response is replica ids. */
  int32s(): number[] | null {
    return this.int32sOf(this.int32())
  }
  compactInt32s(): number[] | null {
    return this.int32sOf(this.uvarint() - 1)
  }
  private int32sOf(n: number): number[] | null {
    if (n < 0) return none(n)
    const { view } = this
    if (n * 4 > this.end - this.pos) exceeds(n, 4, this.end - this.pos)
    const items = new Array<number>(n)
    let at = this.pos
    for (let i = 0; i < n; i++, at += 4) items[i] = view.getInt32(at)
    this.pos = at
    return items
  }
  /** Whether a nullable struct follows. */
  present(): boolean {
    return this.int8() >= 0
  }

  /** The next `n` bytes, as a view. */
  slice(n: number): Buffer {
    const at = this.claim(n)
    return n === 0 ? NO_BYTES : new View(this.memory, this.memoryStart + at, n)
  }

  /** Reads a tagged-field section. `known` reads a tag it knows and says so; the others are kept. */
  tags<M extends { [unknownTags]?: Buffer }>(
    message: M,
    known?: (tag: number, message: M, reader: this, size: number) => boolean,
  ): M {
    if (this.view.getUint8(this.pos) !== 0) return this.someTags(message, known)
    this.pos++
    return message
  }
  private someTags<M extends { [unknownTags]?: Buffer }>(
    message: M,
    known?: (tag: number, message: M, reader: this, size: number) => boolean,
  ): M {
    const count = this.uvarint()
    const kept: Buffer[] = []
    let last = -1,
      unknownFrom = -1
    for (let left = count; left > 0; left--) {
      const from = this.pos,
        tag = this.uvarint(),
        size = this.uvarint(),
        start = this.claim(size),
        end = this.pos
      if (tag <= last) throw new RangeError(`tag ${tag} follows tag ${last}`)
      last = tag
      this.pos = start
      if (known?.(tag, message, this, size)) {
        if (unknownFrom >= 0) kept.push(this.buffer.subarray(unknownFrom, from))
        unknownFrom = -1
      } else {
        if (unknownFrom < 0) unknownFrom = from
        this.pos = end
      }
      if (this.pos !== end) throw new RangeError(`tag ${tag} is ${this.pos - start} bytes long, not ${size} as announced`)
    }
    if (unknownFrom >= 0) kept.push(this.buffer.subarray(unknownFrom, this.pos))
    if (kept.length > 0) message[unknownTags] = Buffer.concat(kept)
    return message
  }

  private text(n: number): string | null {
    if (n < 0) return none(n)
    if (n > MAX_STRING_BYTES) throw new RangeError(`a string of ${n} bytes: Kafka takes ${MAX_STRING_BYTES} at most`)
    const at = this.claim(n)
    return n >= MIN_BYTES && n <= MAX_BYTES
      ? repeatedStrings.text(this.buffer, this.view, at, at + n)
      : decodeUtf8(this.buffer, at, at + n)
  }
  private raw(n: number): Buffer | null {
    return n < 0 ? none(n) : this.slice(n)
  }
  private claim(n: number): number {
    return (this.pos += this.bounded(n, 1)) - n
  }
  private bounded(n: number, each: number): number {
    const left = this.end - this.pos
    if (n * each > left) exceeds(n, each, left)
    return n
  }
}

function exceeds(n: number, each: number, left: number): never {
  throw new RangeError(
    each === 1
      ? `${n} bytes or elements, and ${left} bytes left`
      : `${n} elements of ${each} bytes or more, and ${left} bytes left`,
  )
}

function decodeUtf8(buffer: Buffer, start: number, end: number): string {
  const text = buffer.utf8Slice(start, end)
  return text.includes(REPLACEMENT) ? replacedAsJava(buffer.subarray(start, end), text) : text
}
const REPLACEMENT = '\ufffd'

/** Java replaces an encoded surrogate, whole or cut, once, and not each of its bytes: one byte that is never valid stands for it. */
function replacedAsJava(bytes: Buffer, text: string): string {
  let surrogates = false
  const single = Buffer.from(bytes)
  let to = 0
  for (let at = 0; at < bytes.length; at++) {
    single[to++] = bytes[at]!
    if (bytes[at] !== 0xed || !((bytes[at + 1] ?? 0) >= 0xa0 && bytes[at + 1]! <= 0xbf)) continue
    surrogates = true
    single[to - 1] = 0xff
    at += ((bytes[at + 2] ?? 0) & 0xc0) === 0x80 ? 2 : 1
  }
  return surrogates ? single.utf8Slice(0, to) : text
}

/** What a length below zero stands for. */
function none(n: number): null {
  if (n !== -1) throw new RangeError(`a length of ${n}`)
  return null
}

const MAX_STRING_BYTES = 0x7fff
/** UTF-16 units up to which a loop beats a call out of JavaScript. */
const SHORT = 12

/** Record sets from this size on are not copied: they become chunks of their own (D3, "Produce"). */
const SPLICE_BYTES = 1024

/** Growable output, a list of chunks at the end. `take(n)` is the only place that checks capacity. */
export class Writer {
  private buffer: Buffer
  private view: DataView
  private pos = 0
  /** Chunks that are complete, and where the one being written starts in `buffer`. */
  private readonly sealed: Uint8Array[] = []
  private sealedBytes = 0
  private start = 0

  constructor(capacity = 512) {
    this.buffer = Buffer.allocUnsafe(capacity)
    this.view = new DataView(this.buffer.buffer, this.buffer.byteOffset, capacity)
  }

  bool(value: boolean): void {
    if (typeof value !== 'boolean') misfit(value, 'boolean')
    const at = this.take(1)
    this.view.setUint8(at, value ? 1 : 0)
  }
  int8(value: number): void {
    if (value !== (value << 24) >> 24) misfit(value, 'int8')
    const at = this.take(1)
    this.view.setInt8(at, value)
  }
  int16(value: number): void {
    if (value !== (value << 16) >> 16) misfit(value, 'int16')
    const at = this.take(2)
    this.view.setInt16(at, value)
  }
  uint16(value: number): void {
    if (value !== (value & 0xffff)) misfit(value, 'uint16')
    const at = this.take(2)
    this.view.setUint16(at, value)
  }
  int32(value: number): void {
    if (value !== (value | 0)) misfit(value, 'int32')
    const at = this.take(4)
    this.view.setInt32(at, value)
  }
  int64(value: bigint): void {
    if (value !== BigInt.asIntN(64, value)) misfit(value, 'int64') // V8 compiles this to nothing
    const at = this.take(8)
    this.view.setBigInt64(at, value)
  }
  float64(value: number): void {
    if (typeof value !== 'number') misfit(value, 'number')
    const at = this.take(8)
    this.view.setFloat64(at, value)
  }
  uuid(value: string): void {
    const at = this.take(16)
    if (value === NO_UUID) {
      this.view.setFloat64(at, 0)
      this.view.setFloat64(at + 8, 0)
    } else if (value.length !== 22 || this.buffer.base64urlWrite(value, at, 16) !== 16) misfit(value, 'uuid')
  }

  uvarint(value: number): void {
    this.pos = this.uvarintAt(this.take(5), value)
  }

  string(value: string | null): void {
    if (value === null) return this.int16(-1)
    const at = this.text(value, 2)
    this.view.setInt16(at, this.pos - at - 2)
  }
  compactString(value: string | null): void {
    if (value === null) return this.uvarint(0)
    const prefix = value.length <= 42 ? 1 : uvarintBytes(Buffer.byteLength(value) + 1) // 42 units: 126 bytes at most
    const at = this.text(value, prefix)
    this.uvarintAt(at, this.pos - at - prefix + 1)
  }
  legacyString(value: string | null): void {
    this.string(value)
  }
  bytes(value: Uint8Array | null): void {
    if (value === null) return this.int32(-1)
    this.int32(bytesIn(value))
    this.raw(value)
  }
  compactBytes(value: Uint8Array | null): void {
    if (value === null) return this.uvarint(0)
    this.uvarint(bytesIn(value) + 1)
    this.raw(value)
  }
  records(value: Uint8Array | null): void {
    if (value === null) return this.int32(-1)
    this.int32(bytesIn(value))
    this.splice(value)
  }
  compactRecords(value: Uint8Array | null): void {
    if (value === null) return this.uvarint(0)
    this.uvarint(bytesIn(value) + 1)
    this.splice(value)
  }

  count(n: number): void {
    this.int32(n)
  }
  compactCount(n: number): void {
    this.uvarint(n + 1)
  }
  present(value: boolean): void {
    this.int8(value ? 1 : -1)
  }

  /** Opens a tagged field of yet unknown size; most fit one size byte, `endTag` shifts the rest. */
  beginTag(tag: number): number {
    this.uvarint(tag)
    return this.take(1)
  }
  endTag(mark: number): void {
    const start = mark + 1,
      size = this.pos - start,
      more = uvarintBytes(size) - 1
    this.take(more)
    this.buffer.copyWithin(start + more, start, start + size)
    this.uvarintAt(mark, size)
  }
  /** Writes tagged fields kept from decoding. They follow the known ones, so each must come after tag `last`. */
  keptTags(fields: Buffer, last: number): void {
    const first = new Reader(fields).uvarint()
    if (first <= last) throw new RangeError(`unknown tag ${first} follows tag ${last}`)
    this.raw(fields)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.sealedBytes + this.pos - this.start
  }
  /** All that was written, in order. The writer must not be used again. */
  chunks(): Uint8Array[] {
    this.seal()
    return this.sealed
  }
  /** All that was written, as one buffer. */
  finish(): Buffer {
    if (this.sealed.length === 0) return this.buffer.subarray(this.start, this.pos)
    return Buffer.concat(this.chunks())
  }

  /**
   * Writes text, leaving `prefix` bytes for its length in front, and returns where those are. UTF-8 needs at most 3 bytes per
   * UTF-16 unit, so that much is claimed and the rest given back: a third cheaper than asking for the byte length first.
   */
  private text(value: string, prefix: number): number {
    if (typeof value !== 'string') misfit(value, 'string')
    const room = 3 * value.length,
      at = this.take(prefix + room)
    const n = this.shortAscii(value, at + prefix) ? value.length : this.buffer.utf8Write(value, at + prefix, room)
    if (n > MAX_STRING_BYTES) throw new RangeError(`a string of ${n} bytes: Kafka takes ${MAX_STRING_BYTES} at most`)
    this.pos = at + prefix + n
    return at
  }
  /** What is short is mostly ASCII, or empty: a loop writes it in less than the call out of JavaScript takes (bench/protocol.ts). */
  private shortAscii(value: string, at: number): boolean {
    if (value.length > SHORT) return false
    const { buffer } = this
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 0x7f) return false
      buffer[at + i] = unit
    }
    return true
  }
  /** Takes a record set into the output by reference when it is large. No tagged field holds one, so no open tag is cut in two. */
  private splice(value: Uint8Array): void {
    if (value.length < SPLICE_BYTES) return this.raw(value)
    this.seal()
    this.sealed.push(value)
    this.sealedBytes += value.length
  }
  private seal(): void {
    if (this.pos === this.start) return
    this.sealed.push(this.buffer.subarray(this.start, this.pos))
    this.sealedBytes += this.pos - this.start
    this.start = this.pos
  }
  private raw(value: Uint8Array): void {
    const at = this.take(value.length)
    this.buffer.set(value, at)
  }
  /** Writes where room is claimed already; returns the place behind. */
  private uvarintAt(at: number, value: number): number {
    while (value > 0x7f) {
      this.view.setUint8(at++, (value & 0x7f) | 0x80)
      value >>>= 7
    }
    this.view.setUint8(at++, value)
    return at
  }

  /** Claims `n` bytes. May replace `buffer`/`view`, so take first and only then read them (`view.set(take())` would not). */
  private take(n: number): number {
    const at = this.pos
    this.pos = at + n
    if (this.pos > this.buffer.length) this.grow(at)
    return at
  }
  private grow(used: number): void {
    // Places taken before stay valid, so the sealed part is carried along.
    const larger = Buffer.allocUnsafe(Math.max(this.pos, this.buffer.length * 2))
    this.buffer.copy(larger, this.start, this.start, used)
    this.buffer = larger
    this.view = new DataView(larger.buffer, larger.byteOffset, larger.length)
  }
}

const uvarintBytes = (value: number): number => 1 + Math.trunc((31 - Math.clz32(value | 1)) / 7) // 7 bits per byte

/** How many tagged fields `Reader.tags` has kept. */
export function countTags(fields: Buffer): number {
  const reader = new Reader(fields)
  let count = 0
  for (; reader.position < fields.length; count++) {
    reader.uvarint()
    reader.slice(reader.uvarint())
  }
  return count
}

/** Told by its two lengths, which no text, list or wider array has both and alike: `instanceof` fails in another realm (`vm`, Jest). */
function bytesIn(value: Uint8Array): number {
  return value.byteLength === value.length ? value.length : misfit(value?.constructor?.name, 'Uint8Array')
}

/** DataView would silently wrap a number that does not fit. */
function misfit(value: unknown, type: string): never {
  throw new RangeError(`${value} is no ${type}`)
}

declare global {
  interface Buffer {
    utf8Slice(start: number, end: number): string
    base64urlSlice(start: number, end: number): string
    utf8Write(text: string, offset: number, length: number): number
    base64urlWrite(text: string, offset: number, length: number): number
  }
}
