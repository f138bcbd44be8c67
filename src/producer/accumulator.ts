import { KafkaError, TimeoutError } from '../errors.ts'
import { BatchBuilder } from '../protocol/records/index.ts'
import type { Clock, Timer } from '../runtime/runtime.ts'
import { disown } from '../util/disown.ts'
import { BatchMemory } from './batch-memory.ts'
import { FlushTracker } from './flush-tracker.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { type Partitioner, type PartitionLoad, partitionOfKey, StickyPartitioner } from './partitioner.ts'
import { type BatchEncoding, ProducerBatch, type SerializedRecord } from './producer-batch.ts'
import { type ParkedRecord, ProducerTopic } from './producer-topic.ts'
import type { SendCall } from './send-call.ts'

export interface AccumulatorOptions {
  readonly batchSize: number
  readonly bufferMemory: number
  readonly maxBlockMs: number
  readonly maxRequestSize: number
  readonly encoding: BatchEncoding
  readonly partitioner?: Partitioner | undefined
  readonly partitionerIgnoreKeys: boolean
  readonly partitionerAdaptive: boolean
}

/** What the accumulator needs done elsewhere. */
export interface AccumulatorEvents {
  /** The topic's partitions are wanted: `topicKnown` or `topicFailed` answers. */
  locate(topic: ProducerTopic, again: boolean): void
  /** A partition has a new batch, or one that is due at once. */
  appended(queue: PartitionQueue, due: boolean): void
  /** The buffer is full: what is there should leave without lingering. */
  exhausted(): void
  /** Whether the broker of a partition takes records at the moment (KIP-794's availability timeout). */
  takesRecords(topic: string, partition: number): boolean
  /** Enqueued records that never got into a batch. */
  lost(error: Error, topic: string, records: number): void
}

const BATCH_OVERHEAD = 61
/** Memory of a batch of which nothing is known. */
const LEAST_CAPACITY = 512
/** Of `bufferMemory`: what is kept for batches to come when nothing is being sent. */
const KEPT = 0.25
/** From here on `enqueue` asks its caller to pause; the rest is for callers that were not asked. */
const FULL = 0.75
const DRAINED = 0.5

/** Records on their way into batches: partitioned, bounded in memory, in the order of the calls for each topic. */
export class Accumulator {
  readonly flushes = new FlushTracker()
  private readonly options: AccumulatorOptions
  private readonly clock: Clock
  private readonly random: () => number
  private readonly events: AccumulatorEvents
  private readonly memory: BatchMemory
  private readonly topics = new Map<string, ProducerTopic>()
  /** Topics with parked records. */
  private readonly held = new Set<ProducerTopic>()
  private bytes = 0
  /** Memory of the batches that these bytes are in. */
  private taken = 0
  private parkedBytes = 0
  private readonly drains: (() => void)[] = []
  private timer: Timer | undefined

  constructor(options: AccumulatorOptions, runtime: { clock: Clock; random: () => number }, events: AccumulatorEvents) {
    this.options = options
    this.clock = runtime.clock
    this.random = runtime.random
    this.events = events
    this.memory = new BatchMemory(options.batchSize, options.bufferMemory * KEPT)
  }

  topic(name: string): ProducerTopic {
    const known = this.topics.get(name)
    if (known) return known
    const topic = new ProducerTopic(
      name,
      load => new StickyPartitioner({ stickyBytes: Math.max(1, this.options.batchSize), random: this.random, load }),
    )
    if (this.options.partitionerAdaptive) topic.loadOf = each => this.loadOf(each)
    this.topics.set(name, topic)
    return topic
  }

  allTopics(): Iterable<ProducerTopic> {
    return this.topics.values()
  }

  /** Bytes of records that are not settled yet. */
  get bufferedBytes(): number {
    return this.bytes + this.parkedBytes
  }

  /** Whether records wait for room: then nothing lingers. */
  get isExhausted(): boolean {
    for (const topic of this.held) if (topic.state === 'known') return true
    return false
  }

  /** Whether callers that can pause should. */
  get isFull(): boolean {
    return this.bufferedBytes >= this.options.bufferMemory * FULL
  }

  /** Resolves once there is room again. */
  drained(): Promise<void> {
    if (!this.isFull) return Promise.resolve()
    return new Promise(resolve => this.drains.push(resolve))
  }

  /** Throws ERR_RECORD_TOO_LARGE. Returns an upper bound of the record's size. */
  sizeOf(record: SerializedRecord): number {
    const size = BatchBuilder.sizeOf(record)
    const { maxRequestSize } = this.options
    if (size + BATCH_OVERHEAD > maxRequestSize)
      throw new KafkaError(
        'ERR_RECORD_TOO_LARGE',
        `the record takes ${size + BATCH_OVERHEAD} bytes where maxRequestSize allows ${maxRequestSize}: raise it (and the topic's max.message.bytes), or send less at once`,
      )
    return size
  }

  /** Whether a record of that size may still be enqueued. */
  hasRoomFor(size: number): boolean {
    return this.bufferedBytes + size <= this.options.bufferMemory
  }

  /**
   * Takes a record, whose memory the caller may reuse: into a batch, or parked until its topic is known and the buffer
   * has room. Whatever becomes of it, `call` hears of it.
   */
  add(
    topic: ProducerTopic,
    record: SerializedRecord,
    size: number,
    partition: number | undefined,
    call: SendCall | undefined,
    index: number,
  ): void {
    if (topic.state === 'known' && topic.parked.length === 0 && this.bytes + size <= this.options.bufferMemory) {
      const chosen = this.partitionOf(topic, record, partition)
      if (chosen < topic.partitionCount) return this.append(topic, record, size, chosen, call, index, this.flushes.current)
    }
    this.park(topic, record, size, partition, call, index)
  }

  /** The metadata of a topic arrived, or changed. */
  topicKnown(topic: ProducerTopic, partitionCount: number, available: readonly number[]): void {
    topic.state = 'known'
    topic.partitionCount = partitionCount
    topic.available = available
    topic.sticky.keepTo(available)
    this.unpark(topic)
  }

  /** The topic cannot be had: what waits for it fails, a later send asks again. */
  topicFailed(topic: ProducerTopic, error: Error): void {
    topic.state = 'unknown'
    this.failParked(topic, topic.parked.length, () => error)
  }

  /** A batch's promises are settled. */
  settled(batch: ProducerBatch): void {
    this.flushes.settled(batch.generation)
  }

  /** A batch left its queue: its memory is free. */
  released(batch: ProducerBatch): void {
    this.bytes -= batch.sizeBytes
    this.taken -= batch.capacityBytes
    for (const topic of this.held) this.unpark(topic)
    if (this.drains.length > 0 && this.bufferedBytes <= this.options.bufferMemory * DRAINED)
      for (const resolve of this.drains.splice(0)) resolve()
  }

  /** Halves replace a batch. */
  replaced(batch: ProducerBatch, halves: readonly ProducerBatch[]): void {
    this.bytes -= batch.sizeBytes
    this.taken -= batch.capacityBytes
    for (const half of halves) {
      this.bytes += half.sizeBytes
      this.taken += half.capacityBytes
      this.flushes.began(half.generation)
    }
    this.flushes.settled(batch.generation)
  }

  /** Fails whatever is still parked. */
  close(error: Error): void {
    this.timer?.cancel()
    this.timer = undefined
    for (const topic of this.held) this.failParked(topic, topic.parked.length, () => error)
    for (const resolve of this.drains.splice(0)) resolve()
  }

  private partitionOf(topic: ProducerTopic, record: SerializedRecord, partition: number | undefined): number {
    if (partition !== undefined) return partition
    const { partitioner, partitionerIgnoreKeys } = this.options
    if (partitioner) {
      const { key, value, headers = [] } = record
      const { name, partitionCount, available } = topic
      const chosen = partitioner({ key, value, headers }, { topic: name, partitionCount, available })
      if (Number.isInteger(chosen) && chosen >= 0 && chosen < partitionCount) return chosen
      disown(chosen)
      throw new KafkaError(
        'ERR_INVALID_ARGUMENT',
        `the partitioner chose ${String(chosen)} for ${name}, which has partitions 0 to ${partitionCount - 1}: return one of these, at once`,
      )
    }
    if (record.key !== null && !partitionerIgnoreKeys) return partitionOfKey(record.key, topic.partitionCount)
    return -1
  }

  /** `partition` -1: wherever records without a key go at the moment. */
  private append(
    topic: ProducerTopic,
    record: SerializedRecord,
    size: number,
    partition: number,
    call: SendCall | undefined,
    index: number,
    generation: number,
  ): void {
    const { batchSize } = this.options
    const sticky = partition < 0 ? topic.sticky : undefined
    let queue = topic.queue(sticky ? sticky.partition() : partition)
    let batch = queue.open
    let due = false
    if (batch && batch.sizeBytes + size > batchSize) {
      queue.close(batch)
      due = true
      batch = undefined
      if (sticky) {
        // The next batch may go elsewhere; this record opens it there (KIP-794).
        sticky.appended(0, true)
        const next = topic.queue(sticky.partition())
        if (next !== queue) {
          this.events.appended(queue, true)
          queue = next
          batch = queue.open
          due = false
          if (batch && batch.sizeBytes + size > batchSize) {
            queue.close(batch)
            due = true
            batch = undefined
          }
        }
      }
    }
    const fresh = batch === undefined
    if (!batch) {
      topic.usedAt = this.clock.monotonic()
      const at = { topic: topic.name, partition: queue.partition, createdAt: topic.usedAt, generation }
      batch = new ProducerBatch(at, this.options.encoding, this.memory, this.capacityFor(queue, size))
    }
    const grown = batch.append(record, call, index)
    this.bytes += grown
    if (fresh) {
      this.bytes += batch.sizeBytes - grown
      this.taken += batch.capacityBytes
      queue.push(batch)
      this.flushes.began(generation)
    } else if (generation < batch.generation) {
      this.flushes.began(generation)
      this.flushes.settled(batch.generation)
      batch.generation = generation
    }
    // Another record like this one would not fit: it need not wait for that to be seen.
    if (batch.sizeBytes + size > batchSize) {
      queue.close(batch)
      due = true
    }
    sticky?.appended(grown, batch.closed)
    due ||= this.flushes.isFlushed(generation)
    if (due || fresh) this.events.appended(queue, due)
  }

  /** As much as the batch before it took; little where many partitions would make that more than there may be. */
  private capacityFor(queue: PartitionQueue, size: number): number {
    const { batchSize, bufferMemory } = this.options
    const likely = queue.lastSize > batchSize / 2 ? batchSize : Math.max(LEAST_CAPACITY, queue.lastSize)
    return Math.max(this.taken + likely > bufferMemory ? LEAST_CAPACITY : likely, BATCH_OVERHEAD + size)
  }

  private park(
    topic: ProducerTopic,
    record: SerializedRecord,
    size: number,
    partition: number | undefined,
    call: SendCall | undefined,
    index: number,
  ): void {
    const { key, value, headers, timestamp } = record
    // Copies, as in a batch: whoever called may write on into what the records were made of.
    const copied = {
      key: key && Uint8Array.prototype.slice.call(key),
      value: value && Uint8Array.prototype.slice.call(value),
      headers: headers?.map(header => ({
        key: header.key,
        value: header.value && Uint8Array.prototype.slice.call(header.value),
      })),
    }
    const deadline = this.clock.monotonic() + this.options.maxBlockMs
    const generation = this.flushes.current
    this.flushes.began(generation)
    topic.parked.push({
      ...copied,
      timestamp,
      sizeBytes: size,
      partition,
      call,
      index,
      generation,
      deadline,
      refreshed: false,
    })
    this.parkedBytes += size
    this.held.add(topic)
    this.arm()
    if (topic.state === 'unknown') this.ask(topic, false)
    else if (topic.state === 'known') {
      if (topic.parked.length === 1) this.unpark(topic)
      if (topic.parked.length > 0) this.events.exhausted()
    }
  }

  private ask(topic: ProducerTopic, again: boolean): void {
    topic.state = 'asking'
    this.events.locate(topic, again)
  }

  /** Moves parked records into batches, in order, as far as possible. */
  private unpark(topic: ProducerTopic): void {
    const { parked } = topic
    let moved = 0
    for (; moved < parked.length && topic.state === 'known'; moved++) {
      const record = parked[moved]!
      if (this.bytes + record.sizeBytes > this.options.bufferMemory && this.bytes > 0) break
      try {
        const partition = this.partitionOf(topic, record, record.partition)
        if (partition >= topic.partitionCount) {
          if (!record.refreshed) {
            record.refreshed = true
            this.ask(topic, true)
            break
          }
          throw new KafkaError(
            'ERR_INVALID_ARGUMENT',
            `${topic.name} has partitions 0 to ${topic.partitionCount - 1}, and no ${partition}: choose one of these or add partitions`,
          )
        }
        this.append(topic, record, record.sizeBytes, partition, record.call, record.index, record.generation)
        this.unparked(record)
      } catch (error) {
        this.failed(topic, record, error instanceof Error ? error : new Error(String(error)))
      }
    }
    parked.splice(0, moved)
    if (parked.length === 0) this.letGo(topic)
  }

  private failParked(topic: ProducerTopic, count: number, errorOf: (record: ParkedRecord) => Error): void {
    for (const record of topic.parked.splice(0, count)) this.failed(topic, record, errorOf(record))
    if (topic.parked.length === 0) this.letGo(topic)
  }

  private letGo(topic: ProducerTopic): void {
    this.held.delete(topic)
    if (this.held.size > 0) return
    this.timer?.cancel()
    this.timer = undefined
  }

  private failed(topic: ProducerTopic, record: ParkedRecord, error: Error): void {
    if (record.call) record.call.failed(record.index, error)
    else this.events.lost(error, topic.name, 1)
    this.unparked(record)
  }

  private unparked(record: ParkedRecord): void {
    this.parkedBytes -= record.sizeBytes
    this.flushes.settled(record.generation)
  }

  /** One timer for the record that was parked first. */
  private arm(): void {
    if (this.timer) return
    let earliest = Number.POSITIVE_INFINITY
    for (const { parked } of this.held) earliest = Math.min(earliest, parked[0]?.deadline ?? earliest)
    if (earliest === Number.POSITIVE_INFINITY) return
    this.timer = this.clock.setTimer(Math.max(0, Math.ceil(earliest - this.clock.monotonic())), () => {
      this.timer = undefined
      this.expireParked(this.clock.monotonic())
      this.arm()
    })
  }

  private expireParked(now: number): void {
    const { maxBlockMs } = this.options
    for (const topic of this.held) {
      const { parked, state } = topic
      let late = 0
      while (late < parked.length && parked[late]!.deadline <= now) late++
      if (late === 0) continue
      const hint =
        state === 'known'
          ? 'the buffer stayed full: the brokers take records more slowly than they are sent, so await send(), or raise bufferMemory'
          : 'no broker told its partitions: check that the cluster can be reached and that the topic exists'
      this.failParked(
        topic,
        late,
        () => new TimeoutError(`finding room for a record of ${topic.name}`, maxBlockMs, { outcome: 'not-sent', hint }),
      )
    }
  }

  private loadOf(topic: ProducerTopic): PartitionLoad {
    const { name, partitionCount } = topic
    const taking = topic.available.filter(partition => this.events.takesRecords(name, partition))
    const available = taking.length > 0 ? taking : topic.available
    return { partitionCount, available, queued: available.map(partition => topic.pending(partition)) }
  }
}
