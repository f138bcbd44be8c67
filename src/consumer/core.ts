import { refusalOf } from '../client/call-options.ts'
import type { Client } from '../client/client.ts'
import { PartitionMap, type TopicPartition } from '../client/partition-map.ts'
import { BrokerError, KafkaError } from '../errors.ts'
import { ErrorCode } from '../protocol/error-codes.ts'
import { NO_UUID } from '../protocol/schema.ts'
import { Deadline } from '../util/deadline.ts'
import { disown } from '../util/disown.ts'
import { checkNames } from '../util/options.ts'
import { Assignment } from './assignment.ts'
import type { ConsumerBatch, ConsumerRecords } from './batch.ts'
import { Commits } from './commits.ts'
import type { CallOptions, CloseOptions, ConsumerMetrics, PollOptions } from './consumer.ts'
import { Delivery } from './delivery.ts'
import { Fetcher } from './fetcher.ts'
import { Membership } from './group/membership.ts'
import { EARLIEST, LATEST, type OffsetAtTime, OffsetLookup } from './offset-lookup.ts'
import {
  type CommittedOffset,
  checkedOffset,
  type GroupMetadata,
  leftOut,
  OffsetStore,
  type OffsetsInput,
  type OffsetToCommit,
} from './offsets.ts'
import type { ConsumerOptions } from './options.ts'
import { Positions } from './positions.ts'
import { Rebalance } from './rebalance.ts'
import type { ConsumerRecord } from './record.ts'
import { Runner, type RunOptions } from './run.ts'
import { checkTopicName, invalid, type SubscribeOptions, Subscription, type TopicSelection } from './subscription.ts'
import type { TransactionSource } from './transaction-source.ts'
import { Wakeup } from './wakeup.ts'

const POLL_OPTIONS = ['timeoutMs', 'maxRecords', 'signal'] as const satisfies (keyof PollOptions)[]

/** Numbers consumers, so that those that share a client get connections of their own. */
let sharing = 0

/** What a Consumer is made of, and the operations that touch several parts at once. */
export class ConsumerCore<K, V> {
  readonly client: Client
  readonly subscription = new Subscription()
  readonly assignment = new Assignment()
  private readonly owned: boolean
  private readonly options: ConsumerOptions
  private readonly wakeup: Wakeup
  private readonly fetcher: Fetcher
  private readonly lookup: OffsetLookup
  private readonly store: OffsetStore | undefined
  private readonly positions: Positions
  private readonly membership: Membership | undefined
  private readonly commits: Commits | undefined
  private readonly rebalance: Rebalance
  private readonly delivery: Delivery<K, V>
  private runner: Runner<K, V> | undefined
  /** While the listener is told, on close, what is being given up. */
  private takingLeave = false
  private untrack: (() => void) | undefined
  private readonly unlisten: () => void
  private closing: Promise<void> | undefined

  constructor(client: Client, owned: boolean, options: ConsumerOptions) {
    this.client = client
    this.owned = owned
    this.options = options
    const { groupId } = options
    const number = ++sharing
    const readCommitted = options.isolationLevel === 'read_committed'
    const wakeup = new Wakeup(client.runtime.clock)
    const wake = () => wakeup.notify()
    const report = (error: Error) => this.report(error)
    const raise = (error: Error) => {
      this.delivery.failure ??= error
      wake()
    }
    this.wakeup = wakeup
    this.lookup = new OffsetLookup(client, readCommitted ? 1 : 0)
    this.fetcher = new Fetcher(client, options, this.assignment, owned ? 'fetch' : `fetch:${number}`, wake, raise)
    if (groupId !== undefined) {
      const subscribed = () => this.subscription.kind === 'topics' || this.subscription.kind === 'pattern'
      this.store = new OffsetStore(client, groupId, readCommitted)
      this.membership = new Membership(
        client,
        options,
        groupId,
        owned ? 'group' : `group:${number}`,
        () => this.subscription.topics() ?? [],
        wake,
      )
      this.commits = new Commits(client, options, this.assignment, this.store, this.membership, subscribed, report)
    }
    const settled = () => {
      this.fetcher.wake()
      wake()
    }
    this.positions = new Positions(client, options, this.assignment, this.lookup, this.store, settled, raise)
    this.rebalance = new Rebalance(client, options, this.subscription, this.assignment, this.membership, this.commits, report)
    const { assignment, fetcher, positions, rebalance, membership, commits } = this
    this.delivery = new Delivery({ client, options, assignment, fetcher, positions, rebalance, membership, commits, wakeup })
    this.unlisten = client.metadata.onChange(() => this.metadataChanged())
  }

  // ---- what to read

  subscribe(selection: string | readonly string[] | TopicSelection, options: SubscribeOptions): void {
    this.checkOpen()
    if (Array.isArray(selection) && selection.length === 0) {
      void this.unsubscribe().catch(error => this.report(error as Error))
      return
    }
    const before = this.subscription.topics()
    this.subscription.subscribe(selection, options)
    this.follow()
    const after = this.subscription.topics()
    if (before && JSON.stringify(before) !== JSON.stringify(after))
      this.membership?.member.requestRejoin('the subscription changed')
    this.wakeup.notify()
  }

  /** Keeps the metadata of what is subscribed to fresh. */
  private follow(): void {
    const { metadata } = this.client
    this.untrack?.()
    if (this.subscription.kind === 'pattern') {
      this.untrack = metadata.trackAll()
      void metadata
        .refresh('a pattern was subscribed to')
        .then(() => this.metadataChanged())
        .catch(error => this.client.logger.debug({ err: error }, 'metadata for a pattern is not there yet'))
      return
    }
    const topics = this.subscription.topics() ?? [...this.assignment.states.topicNames()]
    this.untrack = metadata.track(topics)
    this.locate(topics)
  }

  private locate(topics: readonly string[]): void {
    const { metadata } = this.client
    void metadata
      .locate(topics, { allowAutoCreate: this.options.allowAutoCreateTopics })
      .then(failed => {
        for (const error of failed.values()) if (!error.retriable) this.delivery.failure ??= error
        this.metadataChanged()
      })
      .catch(error => {
        if (KafkaError.is(error) && !error.retriable && error.code !== 'ERR_CLOSED') this.delivery.failure ??= error
        this.wakeup.notify()
      })
  }

  assign(partitions: Iterable<TopicPartition>): void {
    this.checkOpen()
    const list = [...partitions]
    for (const { topic, partition } of list) {
      checkTopicName(topic)
      if (!(Number.isInteger(partition) && partition >= 0)) throw invalid(`${String(partition)} is no partition number`)
    }
    this.subscription.assign()
    if (list.length === 0) return void this.unsubscribe().catch(error => this.report(error as Error))
    // Of what goes now, what is done is committed in passing.
    this.commits?.start()
    const { added } = this.assignment.replace(list, this.store ? 'committed' : this.options.autoOffsetReset)
    this.rebalance.rememberTopics(added)
    this.follow()
    this.wakeup.notify()
  }

  async unsubscribe(): Promise<void> {
    const kind = this.subscription.kind
    const { listener } = this.subscription
    const states = this.assignment.all()
    const partitions = this.assignment.partitions()
    const inGroup = kind === 'topics' || kind === 'pattern'
    const lost = this.membership?.member.state !== 'stable'
    // The identity is taken before anything changes, so the promise is made first.
    const commit = this.options.enableAutoCommit && !(inGroup && lost) ? this.commits?.commitDone(states) : undefined
    this.subscription.clear()
    this.assignment.replace([], 'committed')
    this.untrack?.()
    this.untrack = undefined
    await commit?.catch(error => this.report(error as Error))
    if (!inGroup || !this.membership) return
    try {
      if (partitions.length > 0) await (lost && listener.onLost ? listener.onLost(partitions) : listener.onRevoked?.(partitions))
    } finally {
      if (this.subscription.kind === 'none') await this.membership.leave('unsubscribed', 5_000)
    }
  }

  /** Leaders moved, topics came or went. */
  private metadataChanged(): void {
    const { metadata } = this.client
    if (this.subscription.match(metadata.topics(), this.options.excludeInternalTopics))
      this.membership?.member.requestRejoin('the topics that match the pattern changed')
    for (const state of this.assignment.all()) {
      const id = metadata.topic(state.topic)?.topicId
      if (!id || id === NO_UUID || id === state.topicId) continue
      if (state.topicId !== undefined) {
        this.client.logger.warn(
          { topic: state.topic, partition: state.partition },
          'the topic was made anew: its old offsets mean nothing',
        )
        state.committed = undefined
        state.lookUp(this.options.autoOffsetReset)
      }
      state.topicId = id
    }
    this.membership?.metadataChanged()
    this.fetcher.wake()
    this.wakeup.notify()
  }

  // ---- reading

  poll(options: PollOptions): Promise<ConsumerRecords<K, V>> {
    return this.ifReading(() => {
      checkNames('poll()', options, POLL_OPTIONS)
      return this.delivery.poll(options)
    })
  }
  records(): AsyncIterableIterator<ConsumerRecord<K, V>> {
    this.checkReading()
    return this.delivery.records()
  }
  batches(): AsyncIterableIterator<ConsumerBatch<K, V>> {
    this.checkReading()
    return this.delivery.batches()
  }
  async run(options: RunOptions<K, V>): Promise<void> {
    this.checkOpen()
    if (this.runner)
      throw new KafkaError('ERR_ILLEGAL_STATE', 'run() was called while it is running: raise its concurrency instead')
    this.checkReading()
    const runner = new Runner<K, V>(this.delivery, this.rebalance, options)
    this.runner = runner
    try {
      await runner.run()
    } finally {
      this.runner = undefined
    }
  }

  private async ifReading<T>(work: () => Promise<T>): Promise<T> {
    this.checkReading()
    return work()
  }
  private checkReading(): void {
    if (this.runner) throw new KafkaError('ERR_ILLEGAL_STATE', 'run() is reading: poll and iterate only after it has ended')
    if (this.subscription.kind === 'none' && !this.delivery.isClosed)
      throw new KafkaError('ERR_ILLEGAL_STATE', 'there is nothing to read: subscribe to topics or assign partitions first')
  }

  // ---- positions

  seek(partition: TopicPartition, input: bigint | number | OffsetToCommit): void {
    const { offset, leaderEpoch } = checkedOffset(input)
    this.assignment.require(partition).moveTo({ offset, leaderEpoch })
    this.moved()
  }
  seekTo(reset: 'earliest' | 'latest', partitions?: Iterable<TopicPartition>): void {
    const states = partitions ? [...partitions].map(key => this.assignment.require(key)) : this.assignment.all()
    if (states.length === 0) throw new KafkaError('ERR_ILLEGAL_STATE', 'no partitions are assigned: assign them, or poll first')
    for (const state of states) state.lookUp(reset)
    this.moved()
  }
  private moved(): void {
    this.positions.wake()
    this.fetcher.wake()
    this.wakeup.notify()
  }

  async position(
    partition: TopicPartition,
    { timeoutMs = this.client.options.defaultApiTimeoutMs, signal }: CallOptions,
  ): Promise<bigint> {
    const deadline = new Deadline(this.client.runtime.clock, timeoutMs)
    for (let attempts = 1; ; attempts++) {
      const state = this.assignment.require(partition)
      const { position } = state
      if (state.hasPosition && position) return position.offset
      if (state.error) throw state.error
      if (deadline.passed) {
        throw new KafkaError(
          'ERR_TIMEOUT',
          `the position of ${partition.topic}-${partition.partition} was not found within ${timeoutMs} ms: can its leader be reached?`,
          { retriable: true },
        )
      }
      this.positions.wake()
      await this.client.delay(Math.min(5 * attempts, 50, Math.ceil(deadline.remainingMs)), signal)
    }
  }

  async commit(
    offsets: OffsetsInput | undefined,
    { timeoutMs = this.client.options.defaultApiTimeoutMs, signal }: CallOptions,
  ): Promise<void> {
    this.checkOpen()
    if (!this.commits) throw needsGroup('commit')
    await this.commits.commit(offsets, { timeoutMs, signal }, this.runner !== undefined)
  }
  async committed(
    partitions: Iterable<TopicPartition>,
    { timeoutMs, signal }: CallOptions,
  ): Promise<PartitionMap<CommittedOffset | null>> {
    if (!this.store) throw needsGroup('committed')
    const asked = [...partitions]
    const found = await this.store.fetch(asked, { deadline: this.deadline(timeoutMs), signal })
    for (const key of asked) if (!found.has(key)) throw leftOut(key)
    return found
  }

  transactionSource(): TransactionSource {
    this.checkOpen()
    if (!this.commits) throw needsGroup('transaction({ from: consumer })')
    if (this.options.enableAutoCommit) {
      throw new KafkaError(
        'ERR_ILLEGAL_STATE',
        'the consumer commits by itself, beside the transaction: make it with enableAutoCommit: false',
      )
    }
    const source = this.commits.transactionSource(this.runner !== undefined)
    return {
      ...source,
      rewind: () => {
        source.rewind()
        this.moved()
      },
    }
  }

  pause(partitions: Iterable<TopicPartition>): void {
    for (const state of [...partitions].map(key => this.assignment.require(key))) state.paused = true
    this.wakeup.notify()
  }
  resume(partitions: Iterable<TopicPartition>): void {
    for (const state of [...partitions].map(key => this.assignment.require(key))) state.paused = false
    this.moved()
  }

  // ---- asking the cluster

  async beginningOffsets(partitions: Iterable<TopicPartition>, options: CallOptions): Promise<PartitionMap<bigint>> {
    return this.list(
      Array.from(partitions, key => [key, EARLIEST] as const),
      options,
    )
  }
  async endOffsets(partitions: Iterable<TopicPartition>, options: CallOptions): Promise<PartitionMap<bigint>> {
    return this.list(
      Array.from(partitions, key => [key, LATEST] as const),
      options,
    )
  }
  private async list(times: readonly (readonly [TopicPartition, bigint])[], options: CallOptions): Promise<PartitionMap<bigint>> {
    const { timeoutMs = this.client.options.defaultApiTimeoutMs, signal } = options
    const found = await this.lookup.list(PartitionMap.from(times), { timeoutMs, signal })
    return found.map(({ offset }) => offset)
  }
  async offsetsForTimes(
    times: Iterable<readonly [TopicPartition, number | Date]>,
    { timeoutMs = this.client.options.defaultApiTimeoutMs, signal }: CallOptions,
  ): Promise<PartitionMap<OffsetAtTime | null>> {
    const wanted = new PartitionMap<bigint>()
    for (const [key, time] of times) {
      const ms = Number(time)
      if (!(ms >= 0))
        throw invalid(`the time for ${key.topic}-${key.partition} must be milliseconds since the epoch, 0 or more, not ${ms}`)
      wanted.set(key, BigInt(Math.floor(ms)))
    }
    const found = await this.lookup.list(wanted, { timeoutMs, signal })
    return found.map(({ offset, timestamp, leaderEpoch }) =>
      offset < 0n ? null : { offset, timestamp: Number(timestamp), leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch },
    )
  }
  async partitionsFor(topic: string, { timeoutMs, signal }: CallOptions): Promise<number[]> {
    checkTopicName(topic)
    try {
      await this.client.metadata.ensure([topic], { timeoutMs, signal })
    } catch (error) {
      if (error instanceof BrokerError && error.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) return []
      throw error
    }
    return this.client.metadata.topic(topic)?.partitions.map(({ partition }) => partition) ?? []
  }
  async topics({ timeoutMs = this.client.options.defaultApiTimeoutMs, signal }: CallOptions): Promise<Map<string, number>> {
    const { metadata } = this.client
    const untrack = metadata.trackAll()
    try {
      await metadata.known(this.deadline(timeoutMs), signal)
      await metadata.refresh('all topics are listed')
      return new Map(
        metadata
          .topics()
          .flatMap(topic => (topic.errorCode === ErrorCode.NONE ? [[topic.name, topic.partitions.length] as const] : [])),
      )
    } finally {
      untrack()
    }
  }
  highwater(partition: TopicPartition): bigint | null {
    return this.assignment.require(partition).highWatermark ?? null
  }
  metrics(): ConsumerMetrics {
    let lag = 0
    for (const { highWatermark, position } of this.assignment.all())
      if (highWatermark !== undefined && position) lag = Math.max(lag, Number(highWatermark - position.offset))
    return {
      recordsConsumed: this.delivery.recordsConsumed,
      ...this.fetcher.counters,
      bufferedBytes: this.fetcher.bufferedBytes,
      commits: this.commits?.count ?? 0,
      rebalances: this.membership?.rebalances ?? 0,
      assignedPartitions: this.assignment.states.size,
      recordsLagMax: lag,
    }
  }
  groupMetadata(): GroupMetadata {
    if (!this.membership) throw needsGroup('groupMetadata')
    return this.membership.metadata
  }

  // ---- the end

  close(options: CloseOptions): Promise<void> {
    const refused = refusalOf('close()', options, ['timeoutMs', 'autoCommit'])
    if (refused) return refused
    this.closing ??= this.shutDown(options)
    return this.closing
  }

  private async shutDown({ timeoutMs = 30_000, autoCommit = this.options.enableAutoCommit }: CloseOptions): Promise<void> {
    const deadline = new Deadline(this.client.runtime.clock, timeoutMs)
    this.delivery.close()
    await this.runner?.stop(deadline.remainingMs)
    await this.delivery.settled(deadline.remainingMs)
    const errors: unknown[] = []
    const inGroup = this.subscription.kind === 'topics' || this.subscription.kind === 'pattern'
    const stillOurs = !inGroup || this.membership?.member.state === 'stable'
    if (autoCommit && this.commits && stillOurs)
      await this.commits
        .commitDone(undefined, Math.max(1, Math.min(deadline.remainingMs, this.client.options.defaultApiTimeoutMs)))
        .catch(error => this.report(error as Error))
    const partitions = this.assignment.partitions()
    const { listener } = this.subscription
    if (inGroup && this.membership && partitions.length > 0) {
      // As in Java, the listener may commit for the last time while the consumer is closing.
      this.takingLeave = true
      try {
        await (!stillOurs && listener.onLost ? listener.onLost(partitions) : listener.onRevoked?.(partitions))
      } catch (error) {
        errors.push(error)
      }
      this.takingLeave = false
    }
    if (inGroup) await this.membership?.leave('the consumer was closed', deadline.remainingMs)
    this.membership?.close()
    this.fetcher.close()
    this.positions.close()
    this.assignment.replace([], 'committed')
    this.unlisten()
    this.untrack?.()
    if (this.owned) await this.client.close({ timeoutMs: Math.max(1, Math.min(5_000, deadline.remainingMs)) })
    if (errors.length > 0) throw errors[0]
  }

  private deadline(timeoutMs = this.client.options.defaultApiTimeoutMs): Deadline {
    return new Deadline(this.client.runtime.clock, timeoutMs)
  }
  private checkOpen(): void {
    if (this.delivery.isClosed && !this.takingLeave) throw new KafkaError('ERR_CLOSED', 'the consumer is closed: make a new one')
  }
  private report(error: Error): void {
    const { onError } = this.options
    const { logger } = this.client
    if (!onError) return logger.warn({ err: error }, error.message)
    const failed = (err: unknown) => logger.error({ err, of: error }, 'onError failed')
    try {
      disown(onError(error), failed)
    } catch (err) {
      failed(err)
    }
  }
}

function needsGroup(method: string): KafkaError {
  return new KafkaError('ERR_ILLEGAL_STATE', `${method}() needs a groupId: offsets are kept for a group`)
}
