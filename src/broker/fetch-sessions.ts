import { ErrorCode } from '../protocol/error-codes.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** What a client wants of a partition; a session remembers it between fetches (KIP-227). */
export interface FetchInterest {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: bigint
  readonly lastFetchedEpoch: number
  readonly partitionMaxBytes: number
}

/** A partition in a session, with what its client was last told: an incremental answer leaves out what has not changed. */
export interface SessionPartition {
  interest: FetchInterest
  told: { highWatermark: bigint; lastStableOffset: bigint; logStartOffset: bigint; errorCode: number } | undefined
}

export class FetchSession {
  readonly id: number
  readonly usesTopicIds: boolean
  /** In the order in which they are read: those that had data go to the end, so that none starves. */
  readonly partitions = new Map<string, SessionPartition>()
  epoch = 1
  lastUsedMs: number

  constructor(id: number, usesTopicIds: boolean, nowMs: number) {
    this.id = id
    this.usesTopicIds = usesTopicIds
    this.lastUsedMs = nowMs
  }

  /** Adds a partition, or replaces what is wanted of it. */
  want(interest: FetchInterest): void {
    const key = interestKey(interest)
    const known = this.partitions.get(key)
    if (known) known.interest = interest
    else this.partitions.set(key, { interest, told: undefined })
  }

  forget(partition: Pick<FetchInterest, 'topic' | 'topicId' | 'partition'>): void {
    this.partitions.delete(interestKey(partition))
  }

  /** Lets the others go first next time. */
  toTheEnd(key: string): void {
    const partition = this.partitions.get(key)
    if (!partition) return
    this.partitions.delete(key)
    this.partitions.set(key, partition)
  }
}

export const interestKey = ({ topic, topicId, partition }: Pick<FetchInterest, 'topic' | 'topicId' | 'partition'>): string =>
  `${topicId}/${topic}/${partition}`

/** A session that was not used for so long may be replaced by a larger one (Kafka's `min.incremental.fetch.session.eviction.ms`). */
const EVICTABLE_AFTER_MS = 120_000
const FINAL_EPOCH = -1

export type SessionStep =
  /** No session asked for, or none to be had. */
  | { readonly kind: 'sessionless' }
  /** A full fetch that may open a session; `open` is called once the answer is known. */
  | { readonly kind: 'full' }
  | { readonly kind: 'incremental'; readonly session: FetchSession }
  | { readonly kind: 'error'; readonly code: number }

/** The fetch sessions of one node. */
export class FetchSessions {
  private readonly sessions = new Map<number, FetchSession>()
  private readonly slots: number
  private readonly runtime: Runtime

  constructor(slots: number, runtime: Runtime) {
    this.slots = slots
    this.runtime = runtime
  }

  get size(): number {
    return this.sessions.size
  }

  /** What (session id, epoch) of a request mean. Epoch -1 ends a session, 0 asks for a new one, others continue one. */
  step(sessionId: number, epoch: number, usesTopicIds: boolean): SessionStep {
    if (epoch === FINAL_EPOCH || epoch === 0) {
      if (sessionId !== 0) this.sessions.delete(sessionId)
      return { kind: epoch === 0 ? 'full' : 'sessionless' }
    }
    const session = this.sessions.get(sessionId)
    if (!session) return { kind: 'error', code: ErrorCode.FETCH_SESSION_ID_NOT_FOUND }
    if (session.epoch !== epoch) return { kind: 'error', code: ErrorCode.INVALID_FETCH_SESSION_EPOCH }
    if (session.usesTopicIds !== usesTopicIds) return { kind: 'error', code: ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR }
    session.epoch = epoch === 0x7fffffff ? 1 : epoch + 1
    session.lastUsedMs = this.runtime.clock.monotonic()
    return { kind: 'incremental', session }
  }

  /** Opens a session over `count` partitions, if a slot is free or can be freed. */
  open(count: number, usesTopicIds: boolean): FetchSession | undefined {
    if (count === 0) return undefined
    const now = this.runtime.clock.monotonic()
    if (this.sessions.size >= this.slots && !this.evict(count, now)) return undefined
    const session = new FetchSession(this.newId(), usesTopicIds, now)
    this.sessions.set(session.id, session)
    return session
  }

  close(session: FetchSession): void {
    this.sessions.delete(session.id)
  }

  /** Takes the slot of a session long unused, or else of one smaller than the newcomer. */
  private evict(count: number, now: number): boolean {
    let stalest: FetchSession | undefined, smallest: FetchSession | undefined
    for (const session of this.sessions.values()) {
      if (!stalest || session.lastUsedMs < stalest.lastUsedMs) stalest = session
      if (!smallest || session.partitions.size < smallest.partitions.size) smallest = session
    }
    const victim =
      stalest && now - stalest.lastUsedMs > EVICTABLE_AFTER_MS
        ? stalest
        : smallest && smallest.partitions.size < count
          ? smallest
          : undefined
    return victim !== undefined && this.sessions.delete(victim.id)
  }

  private newId(): number {
    for (;;) {
      const id = 1 + Math.floor(this.runtime.random() * 0x7ffffffe)
      if (!this.sessions.has(id)) return id
    }
  }
}
