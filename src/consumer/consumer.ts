import { Client } from '../client/client.ts'
import type { PartitionMap, TopicPartition } from '../client/partition-map.ts'
import { nodeRuntime } from '../runtime/node.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ConsumerBatch, ConsumerRecords } from './batch.ts'
import { ConsumerCore } from './core.ts'
import type { OffsetAtTime } from './offset-lookup.ts'
import type { CommittedOffset, GroupMetadata, OffsetsInput, OffsetToCommit } from './offsets.ts'
import { type ConsumerOptions, type ConsumerOptionsInput, parseConsumerOptions } from './options.ts'
import type { ConsumerRecord } from './record.ts'
import type { RunOptions } from './run.ts'
import type { RebalanceListener, SubscribeOptions, TopicSelection } from './subscription.ts'
import type { TransactionSource } from './transaction-source.ts'

/** How long a call that asks the cluster may take, and how to give it up. */
export interface CallOptions {
  /** Default: `defaultApiTimeoutMs` of the client. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}
export interface PollOptions {
  /** How long to wait for a first record; 0 (the default) takes what is there. */
  readonly timeoutMs?: number
  /** Default: `maxPollRecords`. */
  readonly maxRecords?: number
  readonly signal?: AbortSignal
}
export interface CloseOptions {
  /** Budget for the last commit, the listener and leaving the group. Default 30 s, as Java's. */
  readonly timeoutMs?: number
  /** Commit what is done first. Default: as `enableAutoCommit`. */
  readonly autoCommit?: boolean
}

/**
 * Reads records of Kafka topics, alone (`assign`) or as a member of a group (`subscribe`).
 *
 * Three cursors per partition: *position*, the next record to hand out; *done*, below which everything counts as
 * processed because the next one was asked for; *committed*. Auto-commit, revocation and close commit what is done; an
 * explicit `commit()` commits positions (in `run`, what is done). That is at least once, by default.
 *
 * Records are taken in one of four ways, one at a time: `for await (const record of consumer)`, `batches()`, `poll()`,
 * `run()`. A change of assignment takes effect only inside them, and the listener is awaited there.
 */
export class Consumer<K = Uint8Array | null, V = Uint8Array | null> implements AsyncIterable<ConsumerRecord<K, V>> {
  readonly options: ConsumerOptions
  private readonly core: ConsumerCore<K, V>

  /** Opens nothing yet. Throws ConfigError for options that cannot be used. */
  constructor(options: ConsumerOptionsInput<K, V>, runtime: Runtime = nodeRuntime) {
    const { own, client } = parseConsumerOptions(options)
    this.options = own
    const shared = 'shared' in client
    this.core = new ConsumerCore<K, V>(shared ? client.shared : new Client(client.options, runtime), !shared, own)
    if (!shared) this.core.client.role = 'consumer'
  }

  /** Reaches the cluster now, for those who want to fail fast. */
  connect(options: CallOptions = {}): Promise<void> {
    return this.core.client.connect(options)
  }

  // ---- what to read

  /**
   * Reads these topics, as a member of the group if there is a `groupId` (otherwise all their partitions). Replaces an
   * earlier subscription; takes effect in the next `poll()` or `next()`. `{ pattern }` follows topics as they come and go.
   * Throws ERR_ILLEGAL_STATE after `assign`, ERR_INVALID_ARGUMENT for a bad topic name.
   */
  subscribe(topics: string | readonly string[] | TopicSelection, options: SubscribeOptions = {}): void {
    this.core.subscribe(topics, options)
  }
  /**
   * Reads exactly these partitions, without joining the group; `[]` is `unsubscribe()`. Replaces an earlier assignment;
   * partitions in both keep position and pause. Throws ERR_ILLEGAL_STATE after `subscribe`.
   */
  assign(partitions: Iterable<TopicPartition>): void {
    this.core.assign(partitions)
  }
  /** Reads nothing any more: commits what is done (if auto-commit is on) and leaves the group. */
  unsubscribe(): Promise<void> {
    return this.core.unsubscribe()
  }
  /** The partitions read at present; empty before the group has agreed. A copy. */
  assignment(): TopicPartition[] {
    return this.core.assignment.partitions()
  }
  /** The topics subscribed to, for a pattern those that match at present; null when there is no subscription. */
  subscription(): string[] | null {
    return this.core.subscription.topics()
  }

  // ---- reading

  /**
   * The next records: returns as soon as there is at least one, or with none when `timeoutMs` has passed. What the
   * previous `poll()` returned counts as done now. Rejects with what went wrong: a BrokerError (authorization),
   * CorruptRecordError, ERR_NO_OFFSET, ERR_OFFSET_OUT_OF_RANGE, ClosedError.
   */
  poll(options: PollOptions = {}): Promise<ConsumerRecords<K, V>> {
    return this.core.poll(options)
  }
  /** `for await (const record of consumer)`: a record counts as done when the next one is asked for. Ends at `close()`. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ConsumerRecord<K, V>> {
    return this.core.records()
  }
  /** Record batches, the fast lane: a batch counts as done when the next one is asked for. Ends at `close()`. */
  batches(): AsyncIterableIterator<ConsumerBatch<K, V>> {
    return this.core.batches()
  }
  /**
   * Calls a handler for each record or batch, `concurrency` of them at once, in order within each partition (or key).
   * Resolves when the consumer is closed or `signal` aborts; rejects with what a handler threw, after the others have
   * finished, with the position back at the lowest record that was not done.
   */
  run(options: RunOptions<K, V>): Promise<void> {
    return this.core.run(options)
  }

  // ---- positions

  /** The next record handed out will be the first at or after `offset`. Takes effect at the next `poll()`. */
  seek(partition: TopicPartition, offset: bigint | number | OffsetToCommit): void {
    this.core.seek(partition, offset)
  }
  /** To the first record of these partitions (all assigned ones by default); looked up at the next `poll()` or `position()`. */
  seekToBeginning(partitions?: Iterable<TopicPartition>): void {
    this.core.seekTo('earliest', partitions)
  }
  /** Behind the last record of these partitions (all assigned ones by default). */
  seekToEnd(partitions?: Iterable<TopicPartition>): void {
    this.core.seekTo('latest', partitions)
  }
  /** Offset of the next record to hand out; looked up when it is not known yet. */
  position(partition: TopicPartition, options: CallOptions = {}): Promise<bigint> {
    return this.core.position(partition, options)
  }
  /**
   * Commits for the group: by default the positions of all assigned partitions (in `run`, what is done), else the given
   * offsets, each the *next* one to read. Rejects with ERR_COMMIT_FAILED when the partitions are no longer ours,
   * ERR_REBALANCE_IN_PROGRESS (retriable) while the group is rebalancing, FencedError, BrokerError, TimeoutError.
   */
  commit(offsets?: OffsetsInput, options: CallOptions = {}): Promise<void> {
    return this.core.commit(offsets, options)
  }
  /** What the group has committed for these partitions, null where nothing is. Asks the cluster. */
  committed(partitions: Iterable<TopicPartition>, options: CallOptions = {}): Promise<PartitionMap<CommittedOffset | null>> {
    return this.core.committed(partitions, options)
  }

  // ---- pausing

  /** Hands out nothing of these partitions until `resume`; no rebalance. Throws ERR_ILLEGAL_STATE for one not assigned. */
  pause(partitions: Iterable<TopicPartition>): void {
    this.core.pause(partitions)
  }
  resume(partitions: Iterable<TopicPartition>): void {
    this.core.resume(partitions)
  }
  paused(): TopicPartition[] {
    return this.core.assignment.paused()
  }

  // ---- asking the cluster

  /** Offset of the first record, of assigned partitions or not. Positions do not move. */
  beginningOffsets(partitions: Iterable<TopicPartition>, options: CallOptions = {}): Promise<PartitionMap<bigint>> {
    return this.core.beginningOffsets(partitions, options)
  }
  /** Offset after the last record; with `read_committed`, after the last whose transaction is decided. */
  endOffsets(partitions: Iterable<TopicPartition>, options: CallOptions = {}): Promise<PartitionMap<bigint>> {
    return this.core.endOffsets(partitions, options)
  }
  /** The first record whose timestamp is at or after the given one; null where there is none. */
  offsetsForTimes(
    times: Iterable<readonly [TopicPartition, number | Date]>,
    options: CallOptions = {},
  ): Promise<PartitionMap<OffsetAtTime | null>> {
    return this.core.offsetsForTimes(times, options)
  }
  /** Partition numbers of a topic; empty when there is no such topic. Creates nothing. */
  partitionsFor(topic: string, options: CallOptions = {}): Promise<number[]> {
    return this.core.partitionsFor(topic, options)
  }
  /** All topics that this client may see, with their partition counts. */
  topics(options: CallOptions = {}): Promise<Map<string, number>> {
    return this.core.topics(options)
  }
  /** Log end of an assigned partition as of its last fetch; null before. Lag is this minus the position. */
  highwater(partition: TopicPartition): bigint | null {
    return this.core.highwater(partition)
  }
  /** Counters since the start: see ConsumerMetrics. */
  metrics(): ConsumerMetrics {
    return this.core.metrics()
  }
  /** Under which identity offsets are committed at present: what a transactional producer sends along (KIP-447). */
  groupMetadata(): GroupMetadata {
    return this.core.groupMetadata()
  }

  /**
   * What `producer.transaction({ from: consumer })` asks for when it sends the offsets: a snapshot of what `commit()` would
   * commit now. Throws ERR_ILLEGAL_STATE with auto-commit on, or outside a group.
   */
  transactionSource(): TransactionSource {
    return this.core.transactionSource()
  }

  /** Commits, tells the listener, leaves the group, closes connections it owns. A second call gets the same promise. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.core.close(options)
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Counters since the consumer was made, and gauges. */
export interface ConsumerMetrics {
  readonly recordsConsumed: number
  readonly bytesFetched: number
  readonly fetches: number
  readonly fetchErrors: number
  /** Bytes fetched and not handed out yet. */
  readonly bufferedBytes: number
  readonly commits: number
  readonly rebalances: number
  readonly assignedPartitions: number
  /** Greatest distance of a position to its high watermark, as of the last fetches. */
  readonly recordsLagMax: number
}

export type { RebalanceListener }
