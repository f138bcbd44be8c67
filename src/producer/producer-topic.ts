import type { SerdeContext } from '../serde/index.ts'
import { PartitionQueue } from './partition-queue.ts'
import type { PartitionLoad, StickyPartitioner } from './partitioner.ts'
import type { SerializedRecord } from './producer-batch.ts'
import type { SendCall } from './send-call.ts'

/** A record that cannot join a batch yet: its topic is not known, or the buffer is full. */
export interface ParkedRecord extends SerializedRecord {
  readonly sizeBytes: number
  readonly partition: number | undefined
  readonly call: SendCall | undefined
  readonly index: number
  readonly generation: number
  /** On the monotonic clock. */
  readonly deadline: number
  /** The metadata was asked again because the topic seemed to lack the partition. */
  refreshed: boolean
}

/** What the producer knows about a topic it writes to. */
export class ProducerTopic {
  readonly name: string
  /** `asking`: its metadata is on the way; records are parked meanwhile. */
  state: 'unknown' | 'asking' | 'known' = 'unknown'
  partitionCount = 0
  /** Partitions with a leader. */
  available: readonly number[] = []
  /** Index = partition; made when first used. */
  private readonly queues: (PartitionQueue | undefined)[] = []
  /** In the order of the calls: later records of the topic wait behind them. */
  readonly parked: ParkedRecord[] = []
  readonly sticky: StickyPartitioner
  readonly keyContext: SerdeContext
  readonly valueContext: SerdeContext
  /** Ends the periodic refresh of its metadata. */
  untrack: (() => void) | undefined
  /** When a batch was last begun, on the monotonic clock. */
  usedAt = 0

  constructor(name: string, sticky: (load: () => PartitionLoad) => StickyPartitioner) {
    this.name = name
    this.keyContext = { topic: name, part: 'key' }
    this.valueContext = { topic: name, part: 'value' }
    this.sticky = sticky(() => this.load())
  }

  /** Set where the adaptive choice leaves out slow brokers or weighs queues. */
  loadOf: ((topic: ProducerTopic) => PartitionLoad) | undefined

  queue(partition: number): PartitionQueue {
    return (this.queues[partition] ??= new PartitionQueue(this.name, partition))
  }

  /** Batches of a partition that wait to be sent, or to be answered. */
  pending(partition: number): number {
    return this.queues[partition]?.batches.length ?? 0
  }

  /** Whether nothing of it is on its way. Its queues stay all the same: their sequence numbers must never begin again. */
  get isIdle(): boolean {
    return this.parked.length === 0 && this.queues.every(queue => !queue || queue.batches.length === 0)
  }

  private load(): PartitionLoad {
    return this.loadOf?.(this) ?? { partitionCount: this.partitionCount, available: this.available, queued: undefined }
  }
}
