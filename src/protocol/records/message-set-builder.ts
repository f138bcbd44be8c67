import { KafkaError } from '../../errors.ts'
import { CODECS, type Codec, compress, type JobRunner } from '../compression/index.ts'
import { nodeZlib } from '../zlib.ts'
import { bytesIn, int64Of, type RecordInput } from './builder.ts'
import * as at from './layout.ts'

export interface MessageSetOptions {
  /** Format 1 since Kafka 0.10, format 0 before. */
  readonly magic: 0 | 1
  readonly codec: Codec
  readonly level?: number | undefined
  readonly capacityBytes?: number | undefined
}

export interface MessageSetMeta {
  readonly baseOffset?: bigint | undefined
  /** The broker's time of arrival, instead of the records' own. Format 1 only. */
  readonly logAppendTimeMs?: bigint | undefined
  readonly offload?: JobRunner | undefined
}

/**
 * Writes message sets for brokers older than 0.11: a row of messages, wrapped in one more when compressed.
 * @throws KafkaError ERR_UNSUPPORTED_VERSION for zstd, which these formats do not have (KIP-110).
 */
export class MessageSetBuilder {
  private readonly magic: 0 | 1
  private readonly codec: Codec
  private readonly level: number | undefined
  private buffer: Buffer
  private pos = 0
  /** Where each message starts. */
  private readonly starts: number[] = []
  private maxTime = -1n

  constructor({ magic, codec, level, capacityBytes = 1024 }: MessageSetOptions) {
    if (codec === 'zstd')
      throw new KafkaError('ERR_UNSUPPORTED_VERSION', 'zstd needs a broker of Kafka 2.1 or newer: use gzip, snappy or lz4')
    this.magic = magic
    this.codec = codec
    this.level = level
    this.buffer = Buffer.allocUnsafeSlow(capacityBytes)
  }

  get count(): number {
    return this.starts.length
  }
  /** Size if finished now, before compression. */
  get sizeBytes(): number {
    return this.pos
  }
  /** How many bytes a record adds at most. */
  static sizeOf({ key, value }: Omit<RecordInput, 'timestamp'>): number {
    return at.LEGACY_TIMESTAMP + 8 + 4 + (key?.length ?? 0) + 4 + (value?.length ?? 0)
  }

  /**
   * Adds a record; returns its offset delta. One that is refused leaves no trace.
   * @throws KafkaError ERR_UNSUPPORTED_VERSION for headers: these formats have no place for them; ERR_INVALID_ARGUMENT for a
   *   timestamp that no int64 holds, and for a key or value that is neither bytes nor null.
   */
  append(record: RecordInput): number {
    if (record.headers?.length)
      throw new KafkaError(
        'ERR_UNSUPPORTED_VERSION',
        'record headers need a broker of Kafka 0.11 or newer: send the record without',
      )
    const time = int64Of(record.timestamp)
    const start = this.pos
    this.pos = this.message(record.key, record.value, time)
    if (time > this.maxTime) this.maxTime = time
    return this.starts.push(start) - 1
  }

  /** Completes the set; the builder must not be used again. A promise only when compression left the loop or had to be loaded. */
  finish({ baseOffset = 0n, logAppendTimeMs, offload }: MessageSetMeta = {}): Uint8Array | Promise<Uint8Array> {
    const last = baseOffset + BigInt(this.count - 1)
    // Inside a wrapper, format 1 numbers from 0 (KIP-31) and leaves the broker's time to the wrapper (KIP-32).
    const wrapped = this.codec !== 'none'
    const first = wrapped && this.magic === 1 ? 0n : baseOffset
    this.starts.forEach((start, i) => {
      const end = this.starts[i + 1] ?? this.pos
      this.seal(start, end, first + BigInt(i), 0, wrapped ? undefined : logAppendTimeMs)
    })
    if (!wrapped || this.count === 0) return this.buffer.subarray(0, this.pos)
    const packed = compress(this.codec, this.buffer.subarray(0, this.pos), this.level, offload, this.magic === 0)
    const wrap = (set: Uint8Array): Uint8Array => {
      this.pos = 0
      this.pos = this.message(null, set, this.maxTime)
      this.seal(0, this.pos, last, CODECS.indexOf(this.codec), logAppendTimeMs)
      return this.buffer.subarray(0, this.pos)
    }
    return packed instanceof Promise ? packed.then(wrap) : wrap(packed)
  }

  /** Writes a message behind the others, all but what `seal` adds; returns where it ends. */
  private message(key: Uint8Array | null, value: Uint8Array | null, time: bigint): number {
    this.reserve(MessageSetBuilder.sizeOf({ key, value }))
    let end = this.pos + at.LEGACY_TIMESTAMP
    if (this.magic === 1) end = this.buffer.writeBigInt64BE(time, end)
    return this.field(value, this.field(key, end))
  }

  private seal(start: number, end: number, offset: bigint, codec: number, logAppendTimeMs: bigint | undefined): void {
    const message = this.buffer.subarray(start, end)
    const late = this.magic === 1 && logAppendTimeMs !== undefined
    message.writeBigInt64BE(offset, 0)
    message.writeInt32BE(message.length - at.PREFIX, at.LENGTH)
    message[at.MAGIC] = this.magic
    message[at.LEGACY_ATTRIBUTES] = codec | (late ? at.LOG_APPEND_TIME : 0)
    if (late) message.writeBigInt64BE(logAppendTimeMs, at.LEGACY_TIMESTAMP)
    message.writeUInt32BE(nodeZlib().crc32(message.subarray(at.MAGIC)), at.LEGACY_CRC)
  }

  private field(bytes: Uint8Array | null, place: number): number {
    const start = this.buffer.writeInt32BE(bytes === null ? -1 : bytesIn(bytes), place)
    if (bytes === null) return start
    this.buffer.set(bytes, start)
    return start + bytes.length
  }
  private reserve(bytes: number): void {
    if (this.pos + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.pos + bytes, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.pos)
    this.buffer = larger
  }
}
