import { type InspectOptions, inspect } from 'node:util'
import type { PartitionMap, TopicPartition } from '../client/partition-map.ts'
import { RELEASED } from '../protocol/records/batch.ts'
import type { RecordBatch } from '../protocol/records/index.ts'
import type { SerdeBatch } from '../serde/index.ts'
import { ConsumerRecord, type RecordReader } from './record.ts'

/** The records `from` to `to` (exclusive) of one record batch as it lay in the log. */
export interface Segment {
  /** Nobody else's: releasing it must not take records from others, who have a `sibling` of it. */
  readonly records: RecordBatch
  readonly from: number
  readonly to: number
}

/** What a batch needs to know of the partition it was fetched for. */
export interface BatchOrigin {
  /** Log end as of the fetch: the offset that the next record written will get. */
  readonly highWatermark: bigint
  /** Which assignment the partition was handed out under; a later one has a higher number. */
  readonly epoch: number
  /** Whether the partition is still ours under that assignment. */
  readonly isCurrent: () => boolean
  /** Gives the fetch response back for reuse. */
  readonly release: () => void
}

/**
 * Consecutive records of one partition, already checked and decompressed. Iterates synchronously:
 *
 *     for (const record of batch) sum += record.value.length
 */
export class ConsumerBatch<K = Uint8Array | null, V = Uint8Array | null> implements Iterable<ConsumerRecord<K, V>> {
  /** How many records there are; never 0. */
  readonly length: number
  /** The offset after the last of them, gaps of compaction and control records included: what a commit would carry. */
  readonly nextOffset: bigint
  /** Leader epoch of the last record; -1 when it has none. */
  readonly leaderEpoch: number
  private readonly reader: RecordReader<K, V>
  /** @internal */
  segments: readonly Segment[]
  private readonly origin: BatchOrigin

  constructor(reader: RecordReader<K, V>, segments: readonly Segment[], nextOffset: bigint, origin: BatchOrigin) {
    this.reader = reader
    this.segments = segments
    this.nextOffset = nextOffset
    this.leaderEpoch = segments.at(-1)!.records.encoded.partitionLeaderEpoch
    this.origin = origin
    let length = 0
    for (const { from, to } of segments) length += to - from
    this.length = length
  }

  get topic(): string {
    return this.reader.topic
  }
  get partition(): number {
    return this.reader.partition
  }
  /** Offset of the first record. */
  get baseOffset(): bigint {
    const { records, from } = this.segments[0]!
    return records.offsetAt(from)
  }
  /** Offset of the last record. */
  get lastOffset(): bigint {
    const { records, to } = this.segments.at(-1)!
    return records.offsetAt(to - 1)
  }
  /** The offset the next record written to the partition will get, as of the fetch. */
  get highWatermark(): bigint {
    return this.origin.highWatermark
  }
  /** Number of the assignment under which the batch was handed out. */
  get assignmentEpoch(): number {
    return this.origin.epoch
  }
  /** False once the partition was revoked or lost: another member may be reading these records already. */
  get isCurrent(): boolean {
    return this.origin.isCurrent()
  }

  at(index: number): ConsumerRecord<K, V> | undefined {
    let rest = index < 0 ? index + this.length : index
    if (rest < 0) return undefined
    for (const { records, from, to } of this.segments) {
      if (rest < to - from) return new ConsumerRecord(this.reader, records, from + rest)
      rest -= to - from
    }
    return undefined
  }

  /** @internal */
  recordAt(records: RecordBatch, index: number): ConsumerRecord<K, V> {
    return new ConsumerRecord(this.reader, records, index)
  }
  /** @internal What `Serde.prepare` gets to see. */
  bytesOf(part: 'key' | 'value'): SerdeBatch {
    const bytesAt = (index: number): Uint8Array | null => {
      let rest = index
      for (const { records, from, to } of this.segments) {
        if (rest < to - from) return part === 'key' ? records.keyAt(from + rest) : records.valueAt(from + rest)
        rest -= to - from
      }
      return null
    }
    return { topic: this.topic, partition: this.partition, part, length: this.length, bytesAt }
  }

  [Symbol.iterator](): Iterator<ConsumerRecord<K, V>> {
    return new BatchIterator(this.reader, this.segments)
  }

  /**
   * Promises that nothing of this batch is read any more, neither a record nor bytes of one, so that its memory can take
   * the next response. Optional: a batch that is not released is simply left to the garbage collector. Whoever reads a
   * record of it, or iterates, all the same gets KafkaError ERR_ILLEGAL_STATE; keys and values that were read before
   * are views which change under him, so keep `record.detach()` instead.
   */
  release(): void {
    if (this.isReleased) return
    for (const { records } of this.segments) records.release()
    this.segments = RELEASED
    this.origin.release()
  }
  private get isReleased(): boolean {
    return this.segments === RELEASED
  }

  toJSON(): Record<string, unknown> {
    return {
      topic: this.topic,
      partition: this.partition,
      baseOffset: this.baseOffset.toString(),
      nextOffset: this.nextOffset.toString(),
      highWatermark: this.highWatermark.toString(),
      records: Array.from(this, record => record.toJSON()),
    }
  }

  [inspect.custom](_: number, options: InspectOptions): string {
    if (this.isReleased) return `ConsumerBatch ${this.topic}-${this.partition} (released)`
    const { topic, partition, baseOffset, lastOffset, length, highWatermark } = this
    return `ConsumerBatch ${inspect({ topic, partition, baseOffset, lastOffset, length, highWatermark }, options)}`
  }
}

/** Is its own result object: nothing is allocated per step but the record. */
class BatchIterator<K, V> implements Iterator<ConsumerRecord<K, V>> {
  done = false
  value!: ConsumerRecord<K, V>
  private readonly reader: RecordReader<K, V>
  private readonly segments: readonly Segment[]
  private segment = -1
  private records!: RecordBatch
  private index = 0
  private to = 0

  constructor(reader: RecordReader<K, V>, segments: readonly Segment[]) {
    this.reader = reader
    this.segments = segments
  }

  next(): this {
    if (this.index >= this.to && !this.advance()) return this
    this.value = new ConsumerRecord(this.reader, this.records, this.index++)
    return this
  }

  private advance(): boolean {
    const segment = this.segments[++this.segment]
    if (!segment) {
      this.done = true
      this.value = undefined as never
      return false
    }
    this.records = segment.records
    this.index = segment.from
    this.to = segment.to
    return true
  }
}

/** What one `poll()` returns: records of any number of partitions, in order within each. */
export class ConsumerRecords<K = Uint8Array | null, V = Uint8Array | null> implements Iterable<ConsumerRecord<K, V>> {
  /** How many records there are, over all partitions. */
  readonly length: number
  private readonly batches: PartitionMap<ConsumerBatch<K, V>[]>

  constructor(batches: PartitionMap<ConsumerBatch<K, V>[]>) {
    this.batches = batches
    let length = 0
    for (const list of batches.values()) for (const batch of list) length += batch.length
    this.length = length
  }

  get isEmpty(): boolean {
    return this.length === 0
  }
  /** The partitions that have records here. */
  partitions(): TopicPartition[] {
    return [...this.batches.keys()]
  }
  /** The records of one partition, in order; empty when there are none. */
  of(partition: TopicPartition): ConsumerRecord<K, V>[] {
    return (this.batches.get(partition) ?? []).flatMap(batch => [...batch])
  }

  *[Symbol.iterator](): Generator<ConsumerRecord<K, V>, void, undefined> {
    for (const list of this.batches.values()) for (const batch of list) yield* batch
  }

  toJSON(): unknown[] {
    return Array.from(this, record => record.toJSON())
  }

  [inspect.custom](_: number, options: InspectOptions): string {
    return `ConsumerRecords(${this.length}) ${inspect([...this.batches.values()].flat(), options)}`
  }
}
