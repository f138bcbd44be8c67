import type { Client } from '../client/client.ts'
import { PartitionMap } from '../client/partition-map.ts'
import { BrokerError, KafkaError, TimeoutError } from '../errors.ts'
import { Deadline } from '../util/deadline.ts'
import { Deferred } from '../util/deferred.ts'
import type { Assignment, PartitionState } from './assignment.ts'
import type { Membership } from './group/membership.ts'
import { type CheckedOffset, checkedOffset, type GroupMetadata, type OffsetStore, type OffsetsInput } from './offsets.ts'
import type { ConsumerOptions } from './options.ts'
import type { TransactionSource } from './transaction-source.ts'

/** Commits of a consumer: on request, and on its own from the poll path. */
export class Commits {
  count = 0
  private readonly client: Client
  private readonly options: ConsumerOptions
  private readonly assignment: Assignment
  private readonly store: OffsetStore
  private readonly membership: Membership
  private readonly subscribed: () => boolean
  private readonly report: (error: Error) => void
  private nextAt: number
  private running: Promise<void> | undefined
  /** Settles when every commit so far is over; undefined while none is. */
  private last: Promise<void> | undefined

  constructor(
    client: Client,
    options: ConsumerOptions,
    assignment: Assignment,
    store: OffsetStore,
    membership: Membership,
    subscribed: () => boolean,
    report: (error: Error) => void,
  ) {
    this.client = client
    this.options = options
    this.assignment = assignment
    this.store = store
    this.membership = membership
    this.subscribed = subscribed
    this.report = report
    this.nextAt = client.runtime.clock.monotonic() + options.autoCommitIntervalMs
  }

  /** When the next automatic commit is due; infinity when there is nothing to commit. */
  get dueAt(): number {
    if (!this.options.enableAutoCommit || this.running) return Number.POSITIVE_INFINITY
    for (const state of this.assignment.all()) if (state.isDirty) return this.nextAt
    return Number.POSITIVE_INFINITY
  }

  /** Commits what is done, if it is time; nobody waits for it. */
  tick(now: number): void {
    if (now >= this.nextAt) this.start(now)
  }

  /** The same, due or not. */
  start(now: number = this.client.runtime.clock.monotonic()): void {
    if (!this.options.enableAutoCommit || this.running) return
    this.nextAt = now + this.options.autoCommitIntervalMs
    // While the group rebalances, the revocation has committed all there is.
    if (this.subscribed() && this.membership.member.state !== 'stable') return
    const states = this.dirty()
    if (states.length === 0) return
    this.running = this.commitDone(states, this.client.options.requestTimeoutMs)
      .catch((error: Error) => {
        if (KafkaError.is(error) && error.retriable) {
          this.nextAt = this.client.runtime.clock.monotonic() + this.client.retryBackoffMs(1)
          this.client.logger.debug({ err: error }, 'an automatic commit has to be repeated')
        } else if (!(KafkaError.is(error) && error.code === 'ERR_CLOSED')) this.report(error)
      })
      .finally(() => {
        this.running = undefined
      })
  }

  /** Commits what is done of `states` and waits for it. */
  async commitDone(
    states: readonly PartitionState[] = this.dirty(),
    timeoutMs: number = this.client.options.defaultApiTimeoutMs,
  ): Promise<void> {
    const offsets = new PartitionMap<CheckedOffset>()
    for (const state of states) {
      const done = state.done
      if (done && done.offset !== state.committed) offsets.set(state, { ...done, metadata: '' })
    }
    await this.send(offsets, timeoutMs, undefined, states)
  }

  /** `offsets`, or every position; in `run` what is done. */
  async commit(
    offsets: OffsetsInput | undefined,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
    byDone: boolean,
  ): Promise<void> {
    const map = new PartitionMap<CheckedOffset>()
    if (offsets) for (const [key, offset] of offsets) map.set(key, checkedOffset(offset))
    else {
      for (const state of this.assignment.all()) {
        const cursor = byDone ? state.done : state.hasPosition ? state.position : undefined
        if (cursor) map.set(state, { ...cursor, metadata: '' })
      }
    }
    await this.send(map, timeoutMs, signal)
    // The handlers of `run` say themselves what they have done.
    if (!byDone) for (const [key, { offset }] of map) this.assignment.states.get(key)?.finishTo(offset)
  }

  /** For a transaction that sends the offsets itself. */
  transactionSource(byDone: boolean): TransactionSource {
    const group = this.identity()
    const offsets = new PartitionMap<CheckedOffset>()
    const states = this.assignment.all().filter(state => state.hasPosition)
    for (const state of states) {
      const cursor = byDone ? state.done : state.position
      if (cursor && cursor.offset !== state.committed) offsets.set(state, { ...cursor, metadata: '' })
    }
    return {
      group,
      offsets,
      isCurrent: () => states.every(state => state.live) && this.membership.metadata.generationId === group.generationId,
      committed: () => {
        for (const state of states) {
          const sent = offsets.get(state)
          if (!sent || !state.live) continue
          state.committed = sent.offset
          if (!state.partial) state.finish(sent)
        }
      },
      rewind: () => {
        for (const state of states) if (state.live) state.lookUp('committed')
      },
    }
  }

  private dirty(): PartitionState[] {
    return this.assignment.all().filter(state => state.isDirty)
  }

  private async send(
    offsets: PartitionMap<CheckedOffset>,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    states: readonly PartitionState[] = this.assignment.all(),
  ): Promise<void> {
    if (offsets.size === 0) return
    const identity = this.identity()
    const sent = states.flatMap(state => {
      const offset = offsets.get(state)
      return offset ? [{ state, offset: offset.offset }] : []
    })
    try {
      await this.inTurn(timeoutMs, signal, deadline => this.store.commit(offsets, identity, { deadline, signal }))
    } catch (error) {
      const cause = error instanceof BrokerError ? error : error instanceof Error ? error.cause : undefined
      if (cause instanceof BrokerError) this.membership.member.disowned(cause.errorCode, identity.generationId)
      this.membership.pump()
      throw error
    }
    this.count++
    // Only the cursor of commits moves: what was done meanwhile stays to be committed.
    for (const { state, offset } of sent) state.committed = offset
  }

  /**
   * One commit at a time: if the connection of one dies, its repetition must not arrive after a newer commit and take the
   * group back. Waiting for its turn is part of a commit's time.
   */
  private async inTurn(
    timeoutMs: number,
    signal: AbortSignal | undefined,
    commit: (deadline: Deadline) => Promise<void>,
  ): Promise<void> {
    const deadline = new Deadline(this.client.runtime.clock, timeoutMs)
    const { last } = this
    const over = new Deferred<void>()
    const own = last ? last.then(() => over.promise) : over.promise
    this.last = own
    try {
      if (last) await this.wait(last, deadline, signal)
      await commit(deadline)
    } finally {
      over.resolve()
      void own.then(() => {
        if (this.last === own) this.last = undefined
      })
    }
  }

  private async wait(last: Promise<void>, deadline: Deadline, signal: AbortSignal | undefined): Promise<void> {
    const come = new AbortController()
    const signals = signal ? AbortSignal.any([signal, come.signal]) : come.signal
    try {
      await Promise.race([last, this.client.delay(deadline.remainingMs, signals)])
    } finally {
      come.abort()
    }
    if (deadline.passed)
      throw new TimeoutError('committing offsets', deadline.timeoutMs, {
        outcome: 'not-sent',
        hint: 'a commit before it is still on its way',
      })
  }

  private identity(): GroupMetadata {
    if (!this.subscribed()) return this.membership.metadata
    const { member } = this.membership
    switch (member.state) {
      case 'stable':
        return this.membership.metadata
      case 'lost':
      case 'failed':
        throw new KafkaError(
          'ERR_COMMIT_FAILED',
          `offsets were not committed, this member is no longer in the group (${member.rejoinReason ?? member.failure?.message ?? ''}): poll() joins again, from the committed offsets`,
        )
      default:
        throw new KafkaError(
          'ERR_REBALANCE_IN_PROGRESS',
          'offsets were not committed, this member has not joined the group yet, or is joining again: call poll() first',
          { retriable: true },
        )
    }
  }
}
