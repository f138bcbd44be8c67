import { type BrokerError, KafkaError } from '../errors.ts'
import { Metadata as MetadataApi } from '../protocol/apis/03-metadata.ts'
import { brokerError, ErrorCode, errorRow } from '../protocol/error-codes.ts'
import type { Decoded } from '../protocol/schema.ts'
import type { Runtime, Timer } from '../runtime/runtime.ts'
import { backoffMs } from '../util/backoff.ts'
import { Deadline } from '../util/deadline.ts'
import type { Logger } from '../util/logger.ts'
import type { BrokerMetadata, Brokers } from './brokers.ts'
import type { Lifetime } from './lifetime.ts'
import type { ClientOptions } from './options.ts'
import { isFatal, isRetriable, timeIsUp } from './retry.ts'
import { TopicCache, type TopicMetadata } from './topic-cache.ts'

export type { BrokerMetadata } from './brokers.ts'
export type { PartitionMetadata, TopicMetadata } from './topic-cache.ts'

type Answer = Decoded<(typeof MetadataApi)['response']>

export interface EnsureOptions {
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Ask the broker to create what does not exist, where it is configured to. Default false. */
  readonly allowAutoCreate?: boolean | undefined
}

/** How often brokers may say that a topic does not exist before that is believed: a new topic is not known everywhere at once. */
const UNKNOWN_TOPIC_ANSWERS = 5
/** A broker that has not answered by then is asked no further: the next one is asked as well, and the first answer counts. */
const HEDGE_AFTER_MS = 2_000
/** How many known brokers are asked before `bootstrapServers` are. */
const KNOWN_BEFORE_BOOTSTRAP = 3

/** What is known about the cluster: brokers, topics, leaders. Asked for again by age and by need. */
export class Metadata {
  private readonly options: ClientOptions
  private readonly runtime: Runtime
  private readonly lifetime: Lifetime
  private readonly logger: Logger
  private readonly pool: Brokers
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
  private failingSince: number | undefined
  private ageTimer: Timer | undefined

  constructor(options: ClientOptions, runtime: Runtime, lifetime: Lifetime, logger: Logger, pool: Brokers) {
    this.options = options
    this.runtime = runtime
    this.lifetime = lifetime
    this.logger = logger
    this.pool = pool
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
    const names = [...topics]
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
    const { signal, allowAutoCreate = false } = options
    const deadline = new Deadline(this.runtime.clock, options.timeoutMs ?? this.options.defaultApiTimeoutMs)
    const failed = new Map<string, BrokerError>()
    const answers = new Map<string, number>()
    const missing = () => topics.filter(name => !failed.has(name) && !this.topic(name))
    for (let attempt = 0, names = missing(); names.length > 0; names = missing(), attempt++) {
      if (attempt > 0) await this.lifetime.delay(Math.min(this.retryBackoffMs(attempt), deadline.remainingMs), signal)
      const round = await this.askUntil(() => missing().length === 0, names, allowAutoCreate, deadline, signal)
      for (const name of names) {
        const code = round.get(name) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        if (code === ErrorCode.NONE) continue
        const asked = (answers.get(name) ?? 0) + 1
        answers.set(name, asked)
        const { retriable } = errorRow(code)
        const enough =
          deadline.passed || !retriable || (code === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION && asked >= UNKNOWN_TOPIC_ANSWERS)
        if (enough) failed.set(name, brokerError(code, { api: 'Metadata', topic: name }))
      }
    }
    return failed
  }

  /** Resolves once the brokers of the cluster are known: tries until the deadline, or once. */
  async known(deadline: Deadline, signal?: AbortSignal, tries: 'many' | 'one' = 'many'): Promise<void> {
    const isKnown = () => this.lastSuccess !== undefined && this.pool.nodeIds.length > 0
    if (!isKnown()) await this.askUntil(isKnown, [], false, deadline, signal, tries)
  }

  /** Asks, and asks again where that failed for a reason that may pass. */
  private async askUntil(
    done: () => boolean,
    topics: readonly string[],
    autoCreate: boolean,
    deadline: Deadline,
    signal: AbortSignal | undefined,
    tries: 'many' | 'one' = 'many',
  ): Promise<ReadonlyMap<string, number>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.wait(this.ask(topics, autoCreate), deadline, signal)
      } catch (error) {
        if (tries === 'one' || signal?.aborted || isFatal(error) || !isRetriable(error)) throw error
        const pause = this.retryBackoffMs(attempt)
        if (pause >= deadline.remainingMs) throw timeIsUp('asking the cluster for metadata', deadline, error, 'not-sent')
        await this.lifetime.delay(pause, signal)
      }
      if (done()) return new Map()
    }
  }

  /** A broker for a request that any of them can answer: the least loaded. */
  async anyBroker(deadline: Deadline, signal?: AbortSignal): Promise<number> {
    await this.known(deadline, signal)
    return this.shuffled(this.pool.nodeIds)[0] ?? this.shuffled(this.pool.bootstrapIds)[0] ?? -1
  }

  /** Asks again. Calls while an answer is awaited share it; at most one request per retryBackoffMs. */
  async refresh(reason: string): Promise<void> {
    this.logger.debug({ reason }, 'metadata refresh')
    if (this.round) await this.round.done
    else await this.ask([], false).done
  }

  /** A newer leader, as a Produce or Fetch answer told it (KIP-951). */
  hint(
    topic: string,
    partition: number,
    leader: { leaderId: number; leaderEpoch: number },
    endpoints: readonly { nodeId: number; host: string; port: number; rack: string | null }[] = [],
  ): void {
    this.pool.learn(endpoints, false)
    if (this.pool.endpoint(leader.leaderId) && this.cache.hint(topic, partition, leader)) this.changed()
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

  private wait(round: Round, deadline: Deadline, signal?: AbortSignal): Promise<ReadonlyMap<string, number>> {
    return this.lifetime.within(round.done, {
      ms: deadline.remainingMs,
      of: deadline.timeoutMs,
      operation: 'asking the cluster for metadata',
      signal,
      outcome: 'not-sent',
    })
  }

  /** The round that will ask for these topics: the one under way if it does, else the next. */
  private ask(topics: readonly string[], autoCreate: boolean): Round {
    if (this.round && topics.every(name => this.round?.topics.has(name)) && (!autoCreate || this.round.autoCreate))
      return this.round
    if (this.round) {
      this.nextRound ??= new Round()
      this.nextRound.add(topics, autoCreate)
      return this.nextRound
    }
    const round = new Round()
    round.add(topics, autoCreate)
    this.start(round)
    return round
  }

  private start(round: Round): void {
    this.round = round
    void this.run(round).then(
      codes => this.finish(round, () => round.resolve(codes)),
      (error: unknown) => this.finish(round, () => round.reject(error)),
    )
  }

  private finish(round: Round, settle: () => void): void {
    this.round = undefined
    this.lastEnd = this.runtime.clock.monotonic()
    settle()
    const next = this.nextRound
    this.nextRound = undefined
    if (next) this.start(next)
    else this.armAge()
    void round
  }

  private async run(round: Round): Promise<ReadonlyMap<string, number>> {
    const clock = this.runtime.clock
    // Topics never asked for do not wait; repeated questions do.
    const fresh = [...round.topics].some(name => !this.cache.wasAsked(name))
    const pause = this.lastEnd + this.options.retryBackoffMs - clock.monotonic()
    if (!fresh && pause > 0) await this.lifetime.delay(pause)
    for (const name of [...this.tracked.keys(), ...this.cache.wanted(clock.monotonic() - this.options.metadataMaxIdleMs)]) {
      round.topics.add(name)
    }
    for (const name of round.topics) this.cache.asked(name)
    const everything = this.trackedAll > 0
    const request = {
      topics: everything ? null : [...round.topics].map(name => ({ name })),
      allowAutoTopicCreation: round.autoCreate,
    }
    try {
      this.rebootstrapIfStale()
      const answer = await this.first(this.candidates(), request)
      this.failures = 0
      this.failingSince = undefined
      this.lastSuccess = clock.monotonic()
      return this.merge(answer, round.topics, everything)
    } catch (error) {
      this.failures++
      this.failingSince ??= clock.monotonic()
      throw error
    }
  }

  /**
   * The known brokers, the least loaded ahead, and unless told otherwise `bootstrapServers`, which come early: when none of
   * the brokers we knew is left, the cluster has moved (KIP-899).
   */
  private candidates(): number[] {
    const known = this.shuffled(this.pool.nodeIds)
    if (known.length === 0) return this.shuffled(this.pool.bootstrapIds)
    if (this.options.metadataRecoveryStrategy === 'none') return known
    known.splice(KNOWN_BEFORE_BOOTSTRAP, 0, ...this.shuffled(this.pool.bootstrapIds))
    return known
  }

  private shuffled(ids: readonly number[]): number[] {
    return ids
      .map(id => ({ id, load: this.pool.load(id) + this.runtime.random() }))
      .sort((a, b) => a.load - b.load)
      .map(({ id }) => id)
  }

  /** Asks one after the other; one that hangs does not hold up the next. The first answer counts. */
  private first(
    ids: readonly number[],
    request: { topics: { name: string }[] | null; allowAutoTopicCreation: boolean },
  ): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      let next = 0
      let open = 0
      let failure: unknown
      let timer: Timer | undefined
      let over = false
      const launch = () => {
        timer?.cancel()
        const id = ids[next++]
        if (id === undefined) {
          if (open === 0) finish(() => reject(failure))
          return
        }
        open++
        timer = this.runtime.clock.setTimer(HEDGE_AFTER_MS, launch)
        this.askOne(id, request).then(
          answer => finish(() => resolve(answer)),
          (error: unknown) => {
            open--
            failure = worse(failure, error)
            if (isFatal(error)) finish(() => reject(error))
            else if (!over) launch()
          },
        )
      }
      const finish = (settle: () => void) => {
        over = true
        timer?.cancel()
        settle()
      }
      launch()
    })
  }

  private async askOne(
    nodeId: number,
    request: { topics: { name: string }[] | null; allowAutoTopicCreation: boolean },
  ): Promise<Answer> {
    const ms = this.options.requestTimeoutMs
    const connection = await this.pool.open(nodeId, 'other', { ms })
    // Before 0.11 (version 4) a broker cannot be told not to create what it is asked about: its own setting decides.
    const expressible = connection.versionOf(MetadataApi) < 4 ? { topics: request.topics } : request
    const answer = await this.lifetime.within(connection.request(MetadataApi, expressible), {
      ms,
      operation: `the Metadata request to broker ${nodeId}`,
    })
    if (answer.errorCode !== ErrorCode.NONE) {
      if (answer.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED) this.startOver('a broker asked for it')
      throw brokerError(answer.errorCode, { api: 'Metadata' })
    }
    return answer
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
    if (this.options.metadataRecoveryStrategy === 'none' || this.lifetime.ended) return
    this.logger.warn({ reason }, 'starting over from bootstrapServers')
    this.pool.forgetAll()
    this.failingSince = undefined
    this.refresh(reason).catch((error: unknown) => this.logger.debug({ err: error }, 'metadata refresh failed'))
  }

  private merge(answer: Answer, asked: ReadonlySet<string>, everything: boolean): ReadonlyMap<string, number> {
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

  /** The next refresh by age; after a failure, by backoff. Nothing is armed while nothing is tracked or cached. */
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

/** One question to the cluster, and whoever waits for its answer: a code per topic. */
class Round {
  readonly topics = new Set<string>()
  autoCreate = false
  readonly done: Promise<ReadonlyMap<string, number>>
  resolve: (codes: ReadonlyMap<string, number>) => void = () => {}
  reject: (error: unknown) => void = () => {}

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.done.catch(() => {})
  }

  add(topics: readonly string[], autoCreate: boolean): void {
    for (const name of topics) this.topics.add(name)
    this.autoCreate ||= autoCreate
  }
}

/** Of two failures the one that tells more. */
function worse(before: unknown, now: unknown): unknown {
  return before !== undefined && KafkaError.is(now) && now.code === 'ERR_TIMEOUT' ? before : now
}
