import { CODECS, type Codec, compress, type JobRunner } from '../compression/index.ts'
import type { RecordHeader } from './batch.ts'
import { crc32c } from './crc32c.ts'
import * as at from './layout.ts'
import { setProducer } from './stamp.ts'

export interface BatchBuilderOptions {
  readonly codec: Codec
  /** Compression level (KIP-390): gzip 1–9, lz4 1–17, zstd -131072…22. */
  readonly level?: number | undefined
  /** First size of the buffer. */
  readonly capacityBytes?: number | undefined
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
  private firstTimeExact: bigint | undefined
  private maxTimeExact: bigint | undefined

  constructor({ codec, level, capacityBytes = 1024 }: BatchBuilderOptions) {
    this.codec = codec
    this.level = level
    this.buffer = Buffer.allocUnsafeSlow(Math.max(capacityBytes, at.RECORDS))
  }

  get count(): number {
    return this.records
  }
  /** Size if finished now, before compression. */
  get sizeBytes(): number {
    return this.pos
  }

  /** How many bytes a record adds at most. */
  static sizeOf({ key, value, headers }: Omit<RecordInput, 'timestamp'>): number {
    // length 5, attributes 1, time delta 10, offset delta 5, two lengths 5 each, header count 5
    let size = 36 + (key?.length ?? 0) + (value?.length ?? 0)
    if (headers) for (const header of headers) size += 10 + 3 * header.key.length + (header.value?.length ?? 0)
    return size
  }

  /** Adds a record; returns its offset delta. */
  append(record: RecordInput): number {
    const { key, value, headers, timestamp } = record
    const delta = this.records++
    const exact = BigInt(timestamp)
    if (delta === 0) this.firstTimeExact = exact
    if (this.maxTimeExact === undefined || exact > this.maxTimeExact) this.maxTimeExact = exact
    const timeDelta = exact - this.firstTimeExact!
    const keyBytes = headers?.map(header => Buffer.from(header.key))
    let size =
      1 + varlongBytes(timeDelta) + varintBytes(delta) + fieldBytes(key) + fieldBytes(value) + varintBytes(headers?.length ?? 0)
    headers?.forEach((header, i) => {
      size += fieldBytes(keyBytes![i]!) + fieldBytes(header.value)
    })
    this.reserve(5 + size)
    this.varint(size)
    this.buffer[this.pos++] = 0
    this.varlong(timeDelta)
    this.varint(delta)
    this.field(key)
    this.field(value)
    this.varint(headers?.length ?? 0)
    headers?.forEach((header, i) => {
      this.field(keyBytes![i]!)
      this.field(header.value)
    })
    return delta
  }

  /** Completes the batch; the builder must not be used again. A promise only when compression left the loop. */
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
    batch.writeBigInt64BE(meta.baseOffset ?? 0n, 0)
    batch.writeInt32BE(batch.length - at.PREFIX, at.LENGTH)
    batch.writeInt32BE(meta.partitionLeaderEpoch ?? -1, at.LEADER_EPOCH)
    batch[at.MAGIC] = 2
    batch.writeInt16BE(
      CODECS.indexOf(this.codec) |
        (meta.logAppendTimeMs === undefined ? 0 : at.LOG_APPEND_TIME) |
        (meta.isTransactional ? at.TRANSACTIONAL : 0) |
        (meta.isControl ? at.CONTROL : 0),
      at.ATTRIBUTES,
    )
    batch.writeInt32BE(this.records - 1, at.LAST_OFFSET_DELTA)
    batch.writeBigInt64BE(this.firstTimeExact ?? -1n, at.FIRST_TIMESTAMP)
    batch.writeBigInt64BE(meta.logAppendTimeMs ?? this.maxTimeExact ?? -1n, at.MAX_TIMESTAMP)
    batch.writeBigInt64BE(meta.producerId ?? -1n, at.PRODUCER_ID)
    batch.writeInt16BE(meta.producerEpoch ?? -1, at.PRODUCER_EPOCH)
    batch.writeInt32BE(meta.baseSequence ?? -1, at.BASE_SEQUENCE)
    batch.writeInt32BE(this.records, at.COUNT)
    batch.writeUInt32BE(crc32c(batch, at.ATTRIBUTES), at.CRC)
    return batch
  }

  private reserve(bytes: number): void {
    if (this.pos + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.pos + bytes, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.pos)
    this.buffer = larger
  }
  private varint(value: number): void {
    let bits = ((value << 1) ^ (value >> 31)) >>> 0
    for (; bits > 0x7f; bits >>>= 7) this.buffer[this.pos++] = (bits & 0x7f) | 0x80
    this.buffer[this.pos++] = bits
  }
  private varlong(value: bigint): void {
    let bits = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    for (; bits > 0x7fn; bits >>= 7n) this.buffer[this.pos++] = Number(bits & 0x7fn) | 0x80
    this.buffer[this.pos++] = Number(bits)
  }
  private field(bytes: Uint8Array | null): void {
    if (bytes === null) return this.varint(-1)
    this.varint(bytes.length)
    this.buffer.set(bytes, this.pos)
    this.pos += bytes.length
  }
}

const fieldBytes = (field: Uint8Array | null): number => (field === null ? 1 : varintBytes(field.length) + field.length)
function varintBytes(value: number): number {
  const bits = ((value << 1) ^ (value >> 31)) >>> 0
  return 1 + Math.trunc((31 - Math.clz32(bits | 1)) / 7)
}
function varlongBytes(value: bigint): number {
  let bits = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  let bytes = 1
  for (; bits > 0x7fn; bits >>= 7n) bytes++
  return bytes
}
