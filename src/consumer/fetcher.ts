import type { Client } from '../client/client.ts'
import type { Lane } from '../client/index.ts'
import { PartitionMap } from '../client/partition-map.ts'
import { KafkaError } from '../errors.ts'
import { Fetch } from '../protocol/apis/01-fetch.ts'
import { brokerError, ErrorCode } from '../protocol/error-codes.ts'
import { type Decoded, NO_UUID } from '../protocol/schema.ts'
import type { Timer } from '../runtime/runtime.ts'
import { Drain } from '../util/drain.ts'
import type { Assignment, PartitionState } from './assignment.ts'
import { EpochValidation } from './epoch-validation.ts'
import { acceptPartition, type FetchContext } from './fetch-response.ts'
import { byTopic, FetchSession, NO_SESSION, type SessionPart, type WantedPartition } from './fetch-session.ts'
import { type Frame, SharedFrame } from './fetched-data.ts'
import type { ConsumerOptions } from './options.ts'

type FetchResponse = Decoded<(typeof Fetch)['response']>

/**
 * What a request asks for at first, in all. Responses that are gone before V8 has collected its young generation twice cost it
 * next to nothing; larger ones grow old, and each collection of the old generation takes as long as reading them.
 */
const ASK_BYTES = 2 << 20
/** A full response that took longer than this, with nothing left to do meanwhile, came from too far away for so small requests. */
const FAR_MS = 50

/** One broker we fetch from. */
class Source {
  /** What the next request asks for at most. */
  ask = ASK_BYTES
  readonly session = new FetchSession()
  inFlight = false
  aside = false
  /** Bytes of responses that are not all handed out. */
  buffered = 0
  failures = 0
  retryAt = 0
}

/** Which partitions a request was made for, as they were then. */
type Asked = { readonly state: PartitionState; readonly version: number; readonly wanted: WantedPartition }

export interface FetchCounters {
  fetches: number
  fetchErrors: number
  bytesFetched: number
}

/**
 * Keeps data coming: one regular fetch in flight per broker, inside an incremental session, sent as soon as there is room
 * for its answer, so that the next response travels while the last one is consumed.
 *
 * A regular fetch may wait at the broker for new data. A partition that becomes fetchable meanwhile (after a seek, a
 * resume, an assignment) is asked for once aside, on another connection and without waiting, because a broker answers
 * the requests of one connection strictly in turn.
 */
export class Fetcher {
  readonly counters: FetchCounters = { fetches: 0, fetchErrors: 0, bytesFetched: 0 }
  private readonly client: Client
  private readonly lane: Lane
  private readonly options: ConsumerOptions
  private readonly assignment: Assignment
  private readonly context: FetchContext
  /** Data or an error is there. */
  private readonly arrived: () => void
  private readonly failed: (error: Error) => void
  private readonly sources = new Map<number, Source>()
  private readonly drain: Drain
  private readonly validation: EpochValidation
  private readonly aborter = new AbortController()
  private alarm: Timer | undefined
  private alarmAt = Number.POSITIVE_INFINITY
  private bytes = 0
  private turn = 0

  constructor(
    client: Client,
    options: ConsumerOptions,
    assignment: Assignment,
    lane: Lane,
    arrived: () => void,
    failed: (error: Error) => void,
  ) {
    this.client = client
    this.lane = lane
    this.options = options
    this.assignment = assignment
    this.arrived = arrived
    this.failed = failed
    this.context = {
      client,
      readCommitted: options.isolationLevel === 'read_committed',
      open: { checkCrcs: options.checkCrcs, maxBytes: options.maxBatchBytes, offload: client.runtime.offload },
      reset: options.autoOffsetReset,
      arrived,
    }
    this.validation = new EpochValidation(client, options.autoOffsetReset, this.aborter.signal, () => {
      this.wake()
      arrived()
    })
    this.drain = new Drain(
      () => this.round(),
      error => this.failed(error as Error),
    )
  }

  /** Bytes fetched, not handed out. */
  get bufferedBytes(): number {
    return this.bytes
  }

  /** Something may be fetchable now. Cheap; call it freely. */
  wake(): void {
    if (!this.aborter.signal.aborted) this.drain.wake()
  }

  close(): void {
    this.aborter.abort()
    this.alarm?.cancel()
  }

  private round(): void {
    if (this.aborter.signal.aborted) return
    const now = this.client.runtime.clock.monotonic()
    const ready = new Map<number, PartitionState[]>()
    const full = new Set<number>()
    const unchecked = new Map<number, PartitionState[]>()
    let leaderless = false
    for (const state of this.rotated()) {
      if (!state.hasPosition || state.paused) continue
      const nodeId = this.sourceOf(state, now)
      if (nodeId === undefined) {
        leaderless = true
        continue
      }
      const { leaderEpoch = -1, nodeId: leaderId = -1 } = this.client.metadata.leaderOf(state.topic, state.partition) ?? {}
      if (state.validating) continue
      if (leaderId >= 0 && this.validation.isDue(state, leaderEpoch)) {
        if (state.retryAt > now) this.wakeAt(state.retryAt)
        else if (!state.error) unchecked.set(leaderId, [...(unchecked.get(leaderId) ?? []), state])
        continue
      }
      let list = ready.get(nodeId)
      if (!list) ready.set(nodeId, (list = []))
      if (state.queuedBytes >= this.options.maxPartitionFetchBytes) {
        // What a handler is busy with may stay full for long; everything else is about to be handed out.
        if (!state.busy) full.add(nodeId)
      } else if (state.retryAt > now) this.wakeAt(state.retryAt)
      else if (state.fetching !== state.version && !(state.error && state.queue.length === 0)) list.push(state)
    }
    if (leaderless) {
      this.wakeAt(now + this.client.retryBackoffMs(1))
      void this.client.metadata.refresh('a partition has no leader').catch(() => {})
    }
    for (const [nodeId, states] of unchecked) void this.validation.check(nodeId, states)
    for (const [nodeId, states] of ready) {
      const source = this.source(nodeId)
      if (states.length === 0) continue
      if (source.retryAt > now) this.wakeAt(source.retryAt)
      else if (source.inFlight) this.fetchAside(nodeId, source, states)
      // Asking only for the idle partitions would hold the connection while the full ones run dry.
      else if (!full.has(nodeId)) this.fetch(nodeId, source, states, ready.size)
    }
  }

  /** Another partition first each time: a response too small for all must not starve the last ones. */
  private rotated(): readonly PartitionState[] {
    const all = this.assignment.all()
    const first = all.length === 0 ? 0 : this.turn++ % all.length
    return first === 0 ? all : [...all.slice(first), ...all.slice(0, first)]
  }

  /** The preferred replica while it holds, else the leader. */
  private sourceOf(state: PartitionState, now: number): number | undefined {
    if (
      state.preferred &&
      (state.preferred.until <= now || !this.client.metadata.brokers().some(b => b.nodeId === state.preferred?.nodeId))
    )
      state.preferred = undefined
    return state.preferred?.nodeId ?? this.client.metadata.leaderOf(state.topic, state.partition)?.nodeId
  }

  private source(nodeId: number): Source {
    let source = this.sources.get(nodeId)
    if (!source) this.sources.set(nodeId, (source = new Source()))
    return source
  }

  private fetch(nodeId: number, source: Source, states: readonly PartitionState[], sources: number): void {
    const share = Math.floor(this.options.fetchBufferBytes / sources)
    if (share - source.buffered < share / 4) this.makeRoom(nodeId)
    const room = share - source.buffered
    if (room < share / 4 && source.buffered > 0) return
    const asked = this.ask(states)
    const maxBytes = Math.max(
      1,
      Math.min(this.options.fetchMaxBytes, room, Math.max(source.ask, this.options.maxPartitionFetchBytes)),
    )
    source.inFlight = true
    void this.send(nodeId, source, asked, source.session.next(asked.map(({ wanted }) => wanted)), this.lane, {
      maxWaitMs: this.options.fetchMaxWaitMs,
      minBytes: this.options.fetchMinBytes,
      maxBytes,
    })
  }

  private fetchAside(nodeId: number, source: Source, states: readonly PartitionState[]): void {
    if (source.aside) return
    const dry = states.filter(state => state.queue.length === 0 && state.triedAside !== state.version)
    if (dry.length === 0) return
    const asked = this.ask(dry)
    for (const { state, version } of asked) state.triedAside = version
    source.aside = true
    const part: SessionPart = { ...NO_SESSION, topics: byTopic(asked.map(({ wanted }) => wanted)), forgottenTopicsData: [] }
    void this.send(nodeId, source, asked, part, 'other', {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: Math.max(1, Math.min(this.options.fetchMaxBytes, this.options.maxPartitionFetchBytes)),
    })
  }

  private ask(states: readonly PartitionState[]): Asked[] {
    return states.map(state => {
      state.fetching = state.version
      const { metadata } = this.client
      const id = metadata.topic(state.topic)?.topicId
      const wanted: WantedPartition = {
        topic: state.topic,
        partition: state.partition,
        topicId: state.topicId ?? (id && id !== NO_UUID ? id : NO_UUID),
        fetchOffset: state.fetchPosition,
        leaderEpoch: metadata.leaderOf(state.topic, state.partition)?.leaderEpoch ?? -1,
        maxBytes: this.options.maxPartitionFetchBytes,
      }
      return { state, version: state.version, wanted }
    })
  }

  /** Never rejects. */
  private async send(
    nodeId: number,
    source: Source,
    asked: readonly Asked[],
    part: SessionPart,
    lane: Lane,
    limits: { readonly maxWaitMs: number; readonly minBytes: number; readonly maxBytes: number },
  ): Promise<void> {
    const regular = lane !== 'other'
    let frame: Frame | undefined
    const { clock } = this.client.runtime
    const sentAt = clock.monotonic()
    try {
      this.counters.fetches++
      const withIds = asked.every(({ wanted }) => wanted.topicId !== NO_UUID)
      const response = await this.client.sendTo(
        nodeId,
        Fetch,
        { ...limits, ...part, isolationLevel: this.context.readCommitted ? 1 : 0, rackId: this.client.options.rack },
        {
          lane,
          // From v4 on answers tell of transactions; a broker that has only older versions has none.
          minVersion: 0,
          maxVersion: withIds ? undefined : 12,
          signal: this.aborter.signal,
          frame: received => {
            frame = received
          },
        },
      )
      if (regular && frame) {
        if (clock.monotonic() - sentAt <= FAR_MS) source.ask = Math.max(source.ask / 2, ASK_BYTES)
        else if (source.buffered === 0 && frame.buffer.length >= limits.maxBytes / 2)
          source.ask = Math.min(source.ask * 2, this.options.fetchBufferBytes)
      }
      this.accept(nodeId, source, response, frame, asked, regular)
    } catch (error) {
      if (regular) source.session.reset()
      if (this.aborter.signal.aborted) return
      this.counters.fetchErrors++
      source.failures++
      const delayMs = this.client.retryBackoffMs(source.failures)
      source.retryAt = this.client.runtime.clock.monotonic() + delayMs
      this.client.logger.warn({ err: error, nodeId }, 'fetch failed')
      for (const { state } of asked) if (state.preferred?.nodeId === nodeId) state.preferred = undefined
      const passing = KafkaError.is(error) && error.retriable
      if (passing) {
        this.client.retrying({ api: 'Fetch', attempts: source.failures, delayMs, error: error as Error })
        void this.client.metadata.refresh('a fetch failed').catch(() => {})
      } else this.failed(error as Error)
    } finally {
      for (const { state, version } of asked) if (state.fetching === version) state.fetching = -1
      if (regular) {
        source.inFlight = false
        for (const state of this.assignment.all()) state.triedAside = -1
      } else source.aside = false
      this.wake()
    }
  }

  private accept(
    nodeId: number,
    source: Source,
    response: FetchResponse,
    frame: Frame | undefined,
    asked: readonly Asked[],
    regular: boolean,
  ): void {
    if (response.errorCode !== ErrorCode.NONE) {
      if (!regular) return
      const { errorCode } = response
      if (errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) source.session.forget()
      else source.session.reset()
      const isSession =
        errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND ||
        errorCode === ErrorCode.INVALID_FETCH_SESSION_EPOCH ||
        errorCode === ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
      if (!isSession) throw brokerError(errorCode, { api: 'Fetch' })
      // One at once is normal (the session was evicted); a broker that keeps saying so is asked at a slower pace.
      source.retryAt =
        this.client.runtime.clock.monotonic() + (source.failures++ > 0 ? this.client.retryBackoffMs(source.failures) : 0)
      return
    }
    source.failures = 0
    if (regular) source.session.answered(response)
    const sizeBytes = frame?.buffer.length ?? 0
    this.counters.bytesFetched += sizeBytes
    source.buffered += sizeBytes
    this.bytes += sizeBytes
    const shared = new SharedFrame(sizeBytes, frame, bytes => {
      source.buffered -= bytes
      this.bytes -= bytes
      this.wake()
    })
    // Held by this loop too, so that it is not freed while partitions are still being added.
    shared.hold()
    const current = PartitionMap.from(asked.map(entry => [entry.state, entry] as const))
    const names = new Map(asked.map(({ wanted }) => [wanted.topicId, wanted.topic]))
    for (const topic of response.responses) {
      const name = topic.topic || (names.get(topic.topicId) ?? '')
      for (const data of topic.partitions) {
        const found = current.get(name, data.partitionIndex)
        // Revoked, or the position was moved, while the answer was on its way; or a partition answered twice.
        if (!found?.state.live || found.version !== found.state.version || found.wanted.fetchOffset !== found.state.fetchPosition)
          continue
        acceptPartition(this.context, found.state, data, shared, response.nodeEndpoints, nodeId)
      }
    }
    shared.drained()
    this.arrived()
  }

  /**
   * The memory of this broker's share is taken. If paused partitions hold it, their data is copied out of the large
   * frames that others have done with; when there is too much even of that, it is dropped, to be fetched again.
   */
  private makeRoom(nodeId: number): void {
    const now = this.client.runtime.clock.monotonic()
    let parked = 0
    for (const state of this.assignment.all()) {
      if (!(state.paused || state.busy) || state.queue.length === 0 || this.sourceOf(state, now) !== nodeId) continue
      const bytes = state.queuedBytes
      if (state.paused && parked + bytes > this.options.fetchBufferBytes / 2) {
        state.refetch()
        continue
      }
      parked += bytes
      for (const data of state.queue) {
        // What is opened already lies in the frame for good.
        if (!data.canDetach || data.frame.sizeBytes < 2 * data.bytesLeft) data.frame.forgive()
        else {
          this.bytes += data.detach(freed => {
            this.bytes -= freed
          })
        }
      }
    }
  }

  private wakeAt(at: number): void {
    if (at >= this.alarmAt) return
    this.alarm?.cancel()
    this.alarmAt = at
    const delay = Math.max(1, Math.ceil(at - this.client.runtime.clock.monotonic()))
    this.alarm = this.client.runtime.clock.setTimer(delay, () => {
      this.alarmAt = Number.POSITIVE_INFINITY
      this.wake()
    })
  }
}
