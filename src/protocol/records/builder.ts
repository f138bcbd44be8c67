import { KafkaError } from '../../errors.ts'
import { CODECS, type Codec, compress, type JobRunner } from '../compression/index.ts'
import type { RecordHeader } from './batch.ts'
import { crc32c } from './crc32c.ts'
import * as at from './layout.ts'
import { setProducer } from './stamp.ts'

export interface BatchBuilderOptions {
  readonly codec: Codec
  /** Compression level (KIP-390): gzip 1–9, lz4 1–17, zstd -131072…22. */
  readonly level?: number | undefined
  /** Where to write, with whatever in it; exchanged for a larger one when it is full. Default: new memory of 1 KiB. */
  readonly memory?: Buffer | undefined
  /** From when on compaction may drop the batch's tombstones and markers, milliseconds since the epoch (KIP-534). */
  readonly deleteHorizonMs?: number | undefined
}

export interface RecordInput {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers?: readonly RecordHeader[] | undefined
  /** Milliseconds since the epoch. */
  readonly timestamp: number | bigint
}

/** What the header says of a batch besides what its records decide. */
export interface BatchMeta {
  readonly producerId?: bigint | undefined
  readonly producerEpoch?: number | undefined
  readonly baseSequence?: number | undefined
  readonly isTransactional?: boolean | undefined
  readonly isControl?: boolean | undefined
  readonly baseOffset?: bigint | undefined
  readonly partitionLeaderEpoch?: number | undefined
  /** The broker's time of arrival, instead of the records' own. */
  readonly logAppendTimeMs?: bigint | undefined
  /** Takes compression of large batches off the loop. */
  readonly offload?: JobRunner | undefined
}

/** Appends records into one growing buffer; length, checksum and count are patched in at the end. */
export class BatchBuilder {
  private readonly codec: Codec
  private readonly level: number | undefined
  private buffer: Buffer
  private pos = at.RECORDS
  private records = 0
  /** Timestamps are kept as numbers, and as bigints from the first on that a number cannot hold. */
  private firstTime = -1
  private maxTime = -1
  private exact: { first: bigint; max: bigint } | undefined
  /** Then `firstTime` is the horizon, whatever the records' own times. */
  private readonly hasHorizon: boolean

  constructor({ codec, level, memory = Buffer.allocUnsafe(1024), deleteHorizonMs }: BatchBuilderOptions) {
    this.hasHorizon = deleteHorizonMs !== undefined
    if (deleteHorizonMs !== undefined) this.firstTime = Number(int64Of(deleteHorizonMs))
    this.codec = codec
    this.level = level
    this.buffer = memory.length < at.RECORDS ? Buffer.allocUnsafe(1024) : memory
  }

  get count(): number {
    return this.records
  }
  /** Size if finished now, before compression. */
  get sizeBytes(): number {
    return this.pos
  }
  /** What the records are in; of an uncompressed batch, what `finish` returns is a part of it. */
  get memory(): Buffer {
    return this.buffer
  }

  /** How many bytes a record adds at most. */
  static sizeOf({ key, value, headers }: Omit<RecordInput, 'timestamp'>): number {
    // length 5, attributes 1, time delta 10, offset delta 5, two lengths 5 each, header count 5
    let size = 36 + (key?.length ?? 0) + (value?.length ?? 0)
    if (headers) for (const header of headers) size += 10 + 3 * header.key.length + (header.value?.length ?? 0)
    return size
  }

  /**
   * Adds a record; returns its offset delta. One that is refused leaves no trace.
   * @throws KafkaError ERR_INVALID_ARGUMENT for a timestamp that no int64 holds, and for a key or value that is neither bytes nor null.
   */
  append(record: RecordInput): number {
    const { key, value, headers } = record
    const delta = this.records
    const keyBytes = key === null ? 0 : bytesIn(key)
    const valueBytes = value === null ? 0 : bytesIn(value)
    const headerCount = headers === undefined ? 0 : headers.length
    let size =
      1 +
      varintBytes(delta << 1) +
      (key === null ? 1 : varintBytes(keyBytes << 1) + keyBytes) +
      (value === null ? 1 : varintBytes(valueBytes << 1) + valueBytes) +
      varintBytes(headerCount << 1)
    if (headers !== undefined) for (const header of headers) size += headerBytes(header)
    // Last of what may refuse the record: it changes what the header will say.
    const time = this.timeDelta(record.timestamp)
    size += typeof time === 'number' ? varintBytes(time) : varlongBytes(time)
    this.reserve(varintBytes(size << 1) + size)

    const { buffer } = this
    let pos = putVarint(buffer, this.pos, size << 1)
    buffer[pos++] = 0 // attributes, unused
    pos = typeof time === 'number' ? putVarint(buffer, pos, time) : putVarlong(buffer, pos, time)
    pos = putVarint(buffer, pos, delta << 1)
    pos = putField(buffer, pos, key)
    pos = putField(buffer, pos, value)
    pos = putVarint(buffer, pos, headerCount << 1)
    if (headers !== undefined)
      for (const header of headers) {
        const bytes = utf8Bytes(header.key)
        pos = putVarint(buffer, pos, bytes << 1)
        pos = putText(buffer, pos, header.key, bytes)
        pos = putField(buffer, pos, header.value)
      }
    this.pos = pos
    return this.records++
  }

  /** Completes the batch; the builder must not be used again. A promise only when compression left the loop or had to be loaded. */
  finish(meta: BatchMeta): Uint8Array | Promise<Uint8Array> {
    const { buffer, pos } = this
    if (this.codec === 'none') return this.seal(buffer.subarray(0, pos), meta)
    const packed = compress(this.codec, buffer.subarray(at.RECORDS, pos), this.level, meta.offload)
    const join = (body: Uint8Array): Uint8Array => {
      const batch = Buffer.allocUnsafeSlow(at.RECORDS + body.length)
      batch.set(body, at.RECORDS)
      return this.seal(batch, meta)
    }
    return packed instanceof Promise ? packed.then(join) : join(packed)
  }

  /** Gives a finished batch another producer id, epoch and sequence, in place (KIP-360). */
  static restamp(batch: Uint8Array, producer: { producerId: bigint; producerEpoch: number; baseSequence: number }): void {
    setProducer(batch, producer)
  }

  private seal(batch: Buffer, meta: BatchMeta): Uint8Array {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length)
    view.setBigInt64(0, meta.baseOffset ?? 0n)
    view.setInt32(at.LENGTH, batch.length - at.PREFIX)
    view.setInt32(at.LEADER_EPOCH, meta.partitionLeaderEpoch ?? -1)
    view.setInt8(at.MAGIC, 2)
    view.setInt16(
      at.ATTRIBUTES,
      CODECS.indexOf(this.codec) |
        (meta.logAppendTimeMs === undefined ? 0 : at.LOG_APPEND_TIME) |
        (meta.isTransactional ? at.TRANSACTIONAL : 0) |
        (meta.isControl ? at.CONTROL : 0) |
        (this.hasHorizon ? at.DELETE_HORIZON : 0),
    )
    view.setInt32(at.LAST_OFFSET_DELTA, this.records - 1)
    view.setBigInt64(at.FIRST_TIMESTAMP, this.exact?.first ?? BigInt(this.firstTime))
    view.setBigInt64(at.MAX_TIMESTAMP, meta.logAppendTimeMs ?? this.exact?.max ?? BigInt(this.maxTime))
    view.setBigInt64(at.PRODUCER_ID, meta.producerId ?? -1n)
    view.setInt16(at.PRODUCER_EPOCH, meta.producerEpoch ?? -1)
    view.setInt32(at.BASE_SEQUENCE, meta.baseSequence ?? -1)
    view.setInt32(at.COUNT, this.records)
    view.setUint32(at.CRC, crc32c(batch, at.ATTRIBUTES))
    return batch
  }

  /** The zigzag form of a timestamp, relative to the first: a number where it takes 31 bits at most. */
  private timeDelta(timestamp: number | bigint): number | bigint {
    if (this.exact === undefined) {
      const time = typeof timestamp === 'bigint' ? Number(timestamp) : timestamp
      if (Number.isSafeInteger(time)) {
        if (this.records === 0) {
          this.maxTime = time
          if (!this.hasHorizon) this.firstTime = time
        } else if (time > this.maxTime) this.maxTime = time
        const delta = time - this.firstTime
        if (delta === (delta << 1) >> 1) return (delta << 1) ^ (delta >> 31)
        return zigzag(BigInt(time) - BigInt(this.firstTime))
      }
      const exact = int64Of(timestamp)
      this.exact =
        this.records === 0
          ? { first: this.hasHorizon ? BigInt(this.firstTime) : exact, max: exact }
          : { first: BigInt(this.firstTime), max: BigInt(this.maxTime) }
    }
    const exact = int64Of(timestamp)
    if (exact > this.exact.max) this.exact.max = exact
    return zigzag(exact - this.exact.first)
  }
  private reserve(bytes: number): void {
    if (this.pos + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.pos + bytes, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.pos)
    this.buffer = larger
  }
}

/** Told by its two lengths, as in wire.ts: a text, a list or a wider array would be written as other bytes. */
export const isBytes = (value: Uint8Array | undefined): value is Uint8Array =>
  value?.byteLength !== undefined && value.byteLength === value.length

export function bytesIn(bytes: Uint8Array): number {
  if (isBytes(bytes)) return bytes.length
  throw new KafkaError(
    'ERR_INVALID_ARGUMENT',
    `${typeof bytes === 'object' ? (bytes as object).constructor?.name : typeof bytes} where a Uint8Array or null is needed: encode it first, with a serde for instance`,
  )
}

/** A timestamp, exactly. */
export function int64Of(timestamp: number | bigint): bigint {
  const isWhole = typeof timestamp === 'bigint' || Number.isInteger(timestamp)
  const exact = isWhole ? BigInt(timestamp) : undefined
  if (exact !== undefined && exact === BigInt.asIntN(64, exact)) return exact
  throw new KafkaError(
    'ERR_INVALID_ARGUMENT',
    `the timestamp ${timestamp} is no int64: pass whole milliseconds since 1970, as Date.now() gives them`,
  )
}

// Below, a varint is given in its zigzag form: `n << 1` for a length.

/** Up to here a loop beats the call into TypedArray.prototype.set (bench/records.ts, encode). */
const LOOP_BYTES = 24

function varintBytes(bits: number): number {
  return bits >>> 7 === 0 ? 1 : 1 + Math.trunc((31 - Math.clz32(bits)) / 7)
}
function putVarint(buffer: Buffer, pos: number, bits: number): number {
  for (; bits >>> 7 !== 0; bits >>>= 7) buffer[pos++] = (bits & 0x7f) | 0x80
  buffer[pos] = bits
  return pos + 1
}
const zigzag = (value: bigint): bigint => BigInt.asUintN(64, (value << 1n) ^ (BigInt.asIntN(64, value) >> 63n))
function varlongBytes(bits: bigint): number {
  let bytes = 1
  for (; bits > 0x7fn; bits >>= 7n) bytes++
  return bytes
}
function putVarlong(buffer: Buffer, pos: number, bits: bigint): number {
  for (; bits > 0x7fn; bits >>= 7n) buffer[pos++] = Number(bits & 0x7fn) | 0x80
  buffer[pos] = Number(bits)
  return pos + 1
}
function putField(buffer: Buffer, pos: number, bytes: Uint8Array | null): number {
  if (bytes === null) {
    buffer[pos] = 1 // -1
    return pos + 1
  }
  const size = bytes.length
  pos = putVarint(buffer, pos, size << 1)
  if (size > LOOP_BYTES) buffer.set(bytes, pos)
  else for (let i = 0; i < size; i++) buffer[pos + i] = bytes[i]!
  return pos + size
}
function headerBytes({ key, value }: RecordHeader): number {
  if (typeof key !== 'string') throw new KafkaError('ERR_INVALID_ARGUMENT', `the key of a header is a text, not ${typeof key}`)
  const keyBytes = utf8Bytes(key)
  const size = varintBytes(keyBytes << 1) + keyBytes
  if (value === null) return size + 1
  const valueBytes = bytesIn(value)
  return size + varintBytes(valueBytes << 1) + valueBytes
}
function utf8Bytes(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text)
  return text.length
}
function putText(buffer: Buffer, pos: number, text: string, bytes: number): number {
  if (bytes > LOOP_BYTES || bytes !== text.length) buffer.utf8Write(text, pos, bytes)
  else for (let i = 0; i < bytes; i++) buffer[pos + i] = text.charCodeAt(i)
  return pos + bytes
}
