import { type BrokerError, KafkaError } from '../errors.ts'
import { brokerError, ErrorCode, errorRow } from '../protocol/error-codes.ts'
import type { Runtime, Timer } from '../runtime/runtime.ts'
import { addressText } from '../util/address.ts'
import { backoffMs } from '../util/backoff.ts'
import { Deadline } from '../util/deadline.ts'
import type { Logger } from '../util/logger.ts'
import { Bootstrap, type MetadataAnswer } from './bootstrap.ts'
import type { BrokerMetadata, Brokers } from './brokers.ts'
import type { Lifetime } from './lifetime.ts'
import { type Codes, NOTHING, type Question, Round } from './metadata-round.ts'
import type { ClientOptions } from './options.ts'
import { isFatal, isRetriable, timeIsUp } from './retry.ts'
import { type Leader, TopicCache, type TopicMetadata } from './topic-cache.ts'

export type { BrokerMetadata } from './brokers.ts'
export type { PartitionMetadata, TopicMetadata } from './topic-cache.ts'

export interface EnsureOptions {
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Ask the broker to create what does not exist, where it is configured to. Default false. */
  readonly allowAutoCreate?: boolean | undefined
  /** How many answers a topic is given. Default: all until the deadline, or 5 that say that it does not exist. */
  readonly patience?: number | undefined
}

/** How often brokers may say that a topic does not exist before that is believed: a new topic is not known everywhere at once. */
const UNKNOWN_TOPIC_ANSWERS = 5
const ASKING = 'asking the cluster for metadata'

/** What is known about the cluster: brokers, topics, leaders. Asked for again by age and by need. */
export class Metadata {
  private readonly options: ClientOptions
  private readonly runtime: Runtime
  private readonly lifetime: Lifetime
  private readonly logger: Logger
  private readonly pool: Brokers
  private readonly bootstrap: Bootstrap
  private readonly cache = new TopicCache()
  private readonly tracked = new Map<string, number>()
  private trackedAll = 0
  private readonly listeners = new Set<() => void>()
  private controller = -1
  private cluster: string | null = null
  private round: Round | undefined
  private nextRound: Round | undefined
  private lastEnd = Number.NEGATIVE_INFINITY
  private lastSuccess: number | undefined
  private failures = 0
  /** Of the last round; undefined after a success. */
  private failure: unknown
  private failingSince: number | undefined
  private ageTimer: Timer | undefined

  constructor(options: ClientOptions, runtime: Runtime, lifetime: Lifetime, logger: Logger, pool: Brokers) {
    this.options = options
    this.runtime = runtime
    this.lifetime = lifetime
    this.logger = logger
    this.pool = pool
    this.bootstrap = new Bootstrap(options, runtime, lifetime, pool)
    pool.onStranger = () => this.startOver('a broker is not the one we knew')
  }

  get clusterId(): string | null {
    return this.cluster
  }

  /** Null when unknown. A KRaft broker names any broker here, which then forwards to the real one. */
  get controllerId(): number | null {
    return this.controller >= 0 ? this.controller : null
  }

  brokers(): readonly BrokerMetadata[] {
    return this.pool.nodeIds.flatMap(nodeId => this.pool.endpoint(nodeId) ?? [])
  }

  /** What the cache holds; asking keeps the topic in it. */
  topic(name: string): TopicMetadata | undefined {
    return this.cache.topic(name, this.runtime.clock.monotonic())
  }

  topicById(id: string): TopicMetadata | undefined {
    return this.cache.topicById(id, this.runtime.clock.monotonic())
  }

  /** All topics in the cache: those tracked, or lately asked about. */
  topics(): readonly TopicMetadata[] {
    return this.cache.all()
  }

  /** Undefined while there is no leader, or none known. */
  leaderOf(topic: string, partition: number): { nodeId: number; leaderEpoch: number } | undefined {
    const found = this.topic(topic)?.partitions[partition]
    return found && found.leaderId >= 0 ? { nodeId: found.leaderId, leaderEpoch: found.leaderEpoch } : undefined
  }

  /** Keeps topics in the periodic refresh until the returned function is called. Asks for nothing by itself. */
  track(topics: Iterable<string>): () => void {
    const names = namesIn(topics)
    for (const name of names) this.tracked.set(name, (this.tracked.get(name) ?? 0) + 1)
    let active = true
    return () => {
      if (!active) return
      active = false
      for (const name of names) {
        const count = (this.tracked.get(name) ?? 1) - 1
        if (count === 0) this.tracked.delete(name)
        else this.tracked.set(name, count)
      }
    }
  }

  /** Refreshes ask for all topics of the cluster until the returned function is called: subscriptions by pattern. */
  trackAll(): () => void {
    this.trackedAll++
    let active = true
    return () => {
      if (active) this.trackedAll--
      active = false
    }
  }

  /** Called after each change of what is known. Returns what ends that. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Resolves once all topics are known. Rejects with the BrokerError of the first that cannot be had. */
  async ensure(topics: readonly string[], options: EnsureOptions = {}): Promise<void> {
    const failed = await this.locate(topics, options)
    for (const error of failed.values()) throw error
  }

  /** Makes topics known; those that cannot be had are in the answer, with why. */
  async locate(topics: readonly string[], options: EnsureOptions = {}): Promise<Map<string, BrokerError>> {
    const autoCreate = options.allowAutoCreate ?? false
    return this.seek(
      namesIn(topics),
      name => this.topic(name) !== undefined,
      names => ({ names, ids: [], autoCreate }),
      options,
    )
  }

  /** As `locate`, for topics of which only the ids are known (KIP-516): brokers before 3.1 cannot say. */
  locateIds(ids: readonly string[], options: EnsureOptions = {}): Promise<Map<string, BrokerError>> {
    return this.seek(
      ids,
      id => this.topicById(id) !== undefined,
      missing => ({ names: [], ids: missing, autoCreate: false }),
      options,
    )
  }

  private async seek(
    keys: readonly string[],
    isKnown: (key: string) => boolean,
    questionOf: (keys: readonly string[]) => Question,
    options: EnsureOptions,
  ): Promise<Map<string, BrokerError>> {
    const { signal, patience, timeoutMs = this.options.defaultApiTimeoutMs } = options
    this.lifetime.check()
    const failed = new Map<string, BrokerError>()
    const missing = () => keys.filter(key => !failed.has(key) && !isKnown(key))
    let pending = missing()
    if (pending.length === 0) return failed
    const deadline = new Deadline(this.runtime.clock, timeoutMs)
    const answers = new Map<string, number>()
    for (let attempt = 1; pending.length > 0; attempt++) {
      const codes = await this.askUntil(() => missing().length === 0, questionOf(pending), deadline, signal)
      const pause = this.retryBackoffMs(attempt)
      for (const key of missing()) {
        const code = codes.get(key) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        const asked = (answers.get(key) ?? 0) + 1
        answers.set(key, asked)
        const isUnknown = code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || code === ErrorCode.UNKNOWN_TOPIC_ID
        const enough = patience ?? (isUnknown ? UNKNOWN_TOPIC_ANSWERS : Number.POSITIVE_INFINITY)
        const over = pause >= deadline.remainingMs || !errorRow(code).retriable || asked >= enough
        if (over) failed.set(key, brokerError(code || ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, { api: 'Metadata', topic: key }))
      }
      pending = missing()
      if (pending.length > 0) await this.lifetime.delay(pause, signal)
    }
    return failed
  }

  /** Resolves once the brokers of the cluster are known: tries until the deadline, or once. */
  async known(deadline: Deadline, signal?: AbortSignal, tries: 'many' | 'one' = 'many'): Promise<void> {
    this.lifetime.check()
    const isKnown = () => this.lastSuccess !== undefined && this.pool.nodeIds.length > 0
    if (!isKnown()) await this.askUntil(isKnown, NOTHING, deadline, signal, tries)
  }

  /** Asks, and asks again where that failed for a reason that may pass. */
  private async askUntil(
    done: () => boolean,
    question: Question,
    deadline: Deadline,
    signal: AbortSignal | undefined,
    tries: 'many' | 'one' = 'many',
  ): Promise<Codes> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.wait(this.ask(question), deadline, signal)
      } catch (error) {
        if (signal?.aborted || isFatal(error) || !isRetriable(error)) throw error
        // Waiting for a round that goes on ended: what failed before it says why.
        if (deadline.passed && this.failure !== undefined) throw timeIsUp(ASKING, deadline, this.failure, 'not-sent')
        if (tries === 'one') throw error
        const pause = this.retryBackoffMs(attempt)
        if (pause >= deadline.remainingMs) throw timeIsUp(ASKING, deadline, error, 'not-sent')
        await this.lifetime.delay(pause, signal)
      }
      if (done()) return new Map()
    }
  }

  /** A broker for a request that any of them can answer: the least loaded. */
  async anyBroker(deadline: Deadline, signal?: AbortSignal): Promise<number> {
    await this.known(deadline, signal)
    const [nodeId = -1] = this.bootstrap.byLoad(this.pool.nodeIds)
    return nodeId
  }

  /** Asks again. Calls while an answer is awaited share it; at most one request per retryBackoffMs. */
  async refresh(reason: string): Promise<void> {
    this.logger.debug({ reason }, 'metadata refresh')
    if (this.round) await this.round.done
    else await this.ask(NOTHING).done
  }

  /** A newer leader, as a Produce or Fetch answer told it (KIP-951). */
  hint(
    topic: string,
    partition: number,
    leader: Leader,
    endpoints: readonly { nodeId: number; host: string; port: number; rack: string | null }[] = [],
  ): void {
    // What the broker says of the past, it says with the addresses of the past.
    if (!this.cache.isNews(topic, partition, leader)) return
    this.pool.learn(endpoints, false)
    if (!this.pool.endpoint(leader.leaderId)) return
    this.cache.hint(topic, partition, leader)
    this.changed()
  }

  retryBackoffMs(attempts: number): number {
    const { retryBackoffMs: baseMs, retryBackoffMaxMs: maxMs } = this.options
    return backoffMs(attempts, { baseMs, maxMs, random: this.runtime.random })
  }

  close(): void {
    this.ageTimer?.cancel()
    this.ageTimer = undefined
    this.listeners.clear()
  }

  private wait(round: Round, deadline: Deadline, signal?: AbortSignal): Promise<Codes> {
    return this.lifetime.within(round.done, {
      ms: deadline.remainingMs,
      of: deadline.timeoutMs,
      operation: ASKING,
      hint: `no broker has answered: ${this.options.bootstrapServers.map(addressText).join(', ')} should be Kafka listeners that can be reached`,
      signal,
      outcome: 'not-sent',
    })
  }

  /** The round that will ask that: the one under way if it does, else the next. */
  private ask(question: Question): Round {
    if (this.round?.covers(question)) return this.round
    if (this.round) {
      this.nextRound ??= new Round(question)
      this.nextRound.add(question)
      return this.nextRound
    }
    const round = new Round(question)
    this.start(round)
    return round
  }

  private start(round: Round): void {
    this.round = round
    void this.run(round).then(
      codes => this.finish(() => round.resolve(codes)),
      (error: unknown) => this.finish(() => round.reject(error)),
    )
  }

  private finish(settle: () => void): void {
    this.round = undefined
    this.lastEnd = this.runtime.clock.monotonic()
    settle()
    const next = this.nextRound
    this.nextRound = undefined
    if (next) this.start(next)
    else this.armAge()
  }

  private async run(round: Round): Promise<Codes> {
    const clock = this.runtime.clock
    // Topics never asked for do not wait; repeated questions do.
    const fresh = round.ids.size > 0 || [...round.names].some(name => !this.cache.wasAsked(name))
    const pause = this.lastEnd + this.options.retryBackoffMs - clock.monotonic()
    if (!fresh && pause > 0) await this.lifetime.delay(pause)
    for (const name of [...this.tracked.keys(), ...this.cache.wanted(clock.monotonic() - this.options.metadataMaxIdleMs)]) {
      round.names.add(name)
    }
    for (const name of round.names) this.cache.asked(name)
    const everything = this.trackedAll > 0
    const topics = everything ? null : Array.from(round.names, name => ({ name }))
    try {
      this.rebootstrapIfStale()
      const answer = await this.bootstrap.ask({ topics, ids: [...round.ids], allowAutoTopicCreation: round.autoCreate })
      this.failures = 0
      this.failure = undefined
      this.failingSince = undefined
      this.lastSuccess = clock.monotonic()
      return this.merge(answer, round.names, everything)
    } catch (error) {
      this.failures++
      this.failure = error
      this.failingSince ??= clock.monotonic()
      throw error
    }
  }

  /** Known brokers that gave no metadata for too long are given up, connections and all (KIP-1102). */
  private rebootstrapIfStale(): void {
    const { metadataRecoveryStrategy, metadataRecoveryRebootstrapTriggerMs: limit } = this.options
    if (metadataRecoveryStrategy === 'none' || this.failingSince === undefined) return
    if (this.runtime.clock.monotonic() - this.failingSince < limit) return
    this.startOver('no known broker gives metadata')
  }

  /** Back to `bootstrapServers`, unless that is not wanted. */
  private startOver(reason: string): void {
    if (this.options.metadataRecoveryStrategy === 'none' || this.lifetime.ended || this.pool.nodeIds.length === 0) return
    this.logger.warn({ reason }, 'starting over from bootstrapServers')
    this.pool.forgetAll()
    this.failingSince = undefined
    this.refresh(reason).catch((error: unknown) => this.logger.debug({ err: error }, 'metadata refresh failed'))
  }

  private merge(answer: MetadataAnswer, asked: ReadonlySet<string>, everything: boolean): Codes {
    if (this.cluster !== null && answer.clusterId !== null && answer.clusterId !== this.cluster) {
      this.logger.warn({ from: this.cluster, to: answer.clusterId }, 'the brokers belong to another cluster now')
      this.cache.clear()
    }
    this.cluster = answer.clusterId ?? this.cluster
    this.pool.clusterId = this.cluster
    this.controller = answer.controllerId
    if (answer.brokers.length > 0) {
      this.pool.learn(answer.brokers, true)
      this.pool.retireBootstrap()
    }
    const codes = this.cache.merge(answer.topics, asked, everything, this.runtime.clock.monotonic())
    this.changed()
    return codes
  }

  private changed(): void {
    for (const listener of this.listeners) {
      try {
        listener()
      } catch (error) {
        this.logger.error({ err: error }, 'a listener to metadata changes threw')
      }
    }
  }

  /** The next refresh by age, also while no topic is known: brokers come and go. After a failure, by backoff. */
  private armAge(): void {
    this.ageTimer?.cancel()
    this.ageTimer = undefined
    if (this.lifetime.ended || this.options.metadataMaxAgeMs === 0) return
    const ms = this.failures > 0 ? this.retryBackoffMs(this.failures) : this.options.metadataMaxAgeMs
    if (this.failures > 0 && this.lastSuccess === undefined) return
    this.ageTimer = this.runtime.clock.setTimer(ms, () => {
      this.ageTimer = undefined
      this.refresh('age').catch((error: unknown) => this.logger.debug({ err: error }, 'a metadata refresh by age failed'))
    })
    this.ageTimer.unref()
  }
}

/** A text is an iterable, too: of its letters. */
function namesIn(topics: Iterable<string>): string[] {
  if (typeof topics === 'string')
    throw new KafkaError('ERR_INVALID_ARGUMENT', `a list of topic names is needed, not '${topics}': ['${topics}']`)
  return [...topics]
}
