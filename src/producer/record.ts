import { inspect } from 'node:util'
import { KafkaError } from '../errors.ts'
import type { RecordHeader } from '../serde/index.ts'

/** One record to be sent. */
export interface ProducerRecord<K = Uint8Array | null, V = Uint8Array | null> {
  readonly topic: string
  /** Absent or null: a record without a key. An empty key is a key. */
  readonly key?: K | null | undefined
  readonly value: V
  /** An ordered list, or an object; text is written as UTF-8. */
  readonly headers?: HeadersInput | undefined
  /** Where to write it; otherwise the partitioner decides. */
  readonly partition?: number | undefined
  /** Milliseconds since the epoch. Default: now. Topics with `LogAppendTime` replace it. */
  readonly timestamp?: number | Date | undefined
}

export type HeaderValue = Uint8Array | string | null
export type HeadersInput =
  | readonly { readonly key: string; readonly value: HeaderValue }[]
  | Readonly<Record<string, HeaderValue | readonly HeaderValue[]>>

/** Where a record was written. */
export interface RecordMetadata {
  readonly topic: string
  readonly partition: number
  /** -1n where the broker does not tell: with acks 0, and for a repeated batch it had long stored. */
  readonly offset: bigint
  /** Milliseconds since the epoch, as stored: the record's own, or the broker's in topics with `LogAppendTime`. */
  readonly timestamp: number
  /** The same with the offset as a string, since JSON has no bigint. */
  toJSON(): { topic: string; partition: number; offset: string; timestamp: number }
}

/** What a whole batch has in common once it was acknowledged; shared by its records so that none of them holds a copy. */
export interface BatchAcknowledgement {
  readonly topic: string
  readonly partition: number
  readonly baseOffset: bigint
  /** Undefined where records keep their own timestamps. */
  readonly logAppendTimeMs: number | undefined
}

/** The metadata of one record: its place in a batch. The offset becomes a bigint only when it is read. */
export class AcknowledgedRecord implements RecordMetadata {
  private readonly batch: BatchAcknowledgement
  private readonly delta: number
  private readonly createTimeMs: number
  constructor(batch: BatchAcknowledgement, delta: number, createTimeMs: number) {
    this.batch = batch
    this.delta = delta
    this.createTimeMs = createTimeMs
  }
  get topic(): string {
    return this.batch.topic
  }
  get partition(): number {
    return this.batch.partition
  }
  get offset(): bigint {
    return this.batch.baseOffset < 0n ? -1n : this.batch.baseOffset + BigInt(this.delta)
  }
  get timestamp(): number {
    return this.batch.logAppendTimeMs ?? this.createTimeMs
  }
  toJSON() {
    return { topic: this.topic, partition: this.partition, offset: String(this.offset), timestamp: this.timestamp }
  }
  [inspect.custom]() {
    return { topic: this.topic, partition: this.partition, offset: this.offset, timestamp: this.timestamp }
  }
}

/** Headers as they are written. Throws ERR_INVALID_ARGUMENT. */
export function headerList(headers: HeadersInput | undefined): readonly RecordHeader[] | undefined {
  if (headers === undefined) return undefined
  const list: RecordHeader[] = []
  const add = (key: string, value: HeaderValue): void => {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
    if (typeof key !== 'string' || !(bytes === null || bytes instanceof Uint8Array))
      throw new KafkaError(
        'ERR_INVALID_ARGUMENT',
        `the header '${String(key)}' is neither bytes, text nor null: serialize its value first`,
      )
    list.push({ key, value: bytes })
  }
  if (isHeaderList(headers)) for (const { key, value } of headers) add(key, value)
  else
    for (const [key, value] of Object.entries(headers)) {
      if (isValueList(value)) for (const each of value) add(key, each)
      else add(key, value)
    }
  return list.length > 0 ? list : undefined
}
// Array.isArray does not narrow readonly arrays.
const isHeaderList = (headers: HeadersInput): headers is Extract<HeadersInput, readonly unknown[]> => Array.isArray(headers)
const isValueList = (value: HeaderValue | readonly HeaderValue[]): value is readonly HeaderValue[] => Array.isArray(value)

/** Throws ERR_INVALID_ARGUMENT. */
export function timestampMs(timestamp: number | Date): number {
  const ms: unknown = typeof timestamp === 'object' ? (timestamp as Partial<Date> | null)?.getTime?.() : timestamp
  if (Number.isSafeInteger(ms) && (ms as number) >= 0) return ms as number
  throw new KafkaError(
    'ERR_INVALID_ARGUMENT',
    `the timestamp ${ms} is not a whole number of milliseconds since 1970: pass a Date or its getTime()`,
  )
}
