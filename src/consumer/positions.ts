import type { Client } from '../client/client.ts'
import { PartitionMap } from '../client/partition-map.ts'
import { KafkaError } from '../errors.ts'
import type { Timer } from '../runtime/runtime.ts'
import { Deadline } from '../util/deadline.ts'
import { Drain } from '../util/drain.ts'
import type { Assignment, PartitionState } from './assignment.ts'
import { EARLIEST, LATEST, type OffsetLookup } from './offset-lookup.ts'
import { leftOut, type OffsetStore } from './offsets.ts'
import type { ConsumerOptions, OffsetReset } from './options.ts'

/** Finds the positions of partitions that have none: what the group committed, else by the reset policy. */
export class Positions {
  private readonly client: Client
  private readonly assignment: Assignment
  private readonly lookup: OffsetLookup
  private readonly store: OffsetStore | undefined
  private readonly reset: OffsetReset
  private readonly settled: () => void
  private readonly failed: (error: Error) => void
  private readonly drain: Drain
  private readonly aborter = new AbortController()
  private timer: Timer | undefined

  constructor(
    client: Client,
    options: ConsumerOptions,
    assignment: Assignment,
    lookup: OffsetLookup,
    store: OffsetStore | undefined,
    settled: () => void,
    failed: (error: Error) => void,
  ) {
    this.client = client
    this.assignment = assignment
    this.lookup = lookup
    this.store = store
    this.reset = options.autoOffsetReset
    this.settled = settled
    this.failed = failed
    this.drain = new Drain(
      () => this.round(),
      error => {
        if (!this.aborter.signal.aborted) this.failed(error as Error)
      },
    )
  }

  /** Looks up whatever is missing. Cheap when nothing is. */
  wake(): void {
    if (this.aborter.signal.aborted) return
    for (const state of this.assignment.all()) {
      if (state.lookup !== undefined && !state.error) return this.drain.wake()
    }
  }

  close(): void {
    this.aborter.abort()
    this.timer?.cancel()
  }

  private async round(): Promise<void> {
    const now = this.client.runtime.clock.monotonic()
    const due: PartitionState[] = []
    let next = Number.POSITIVE_INFINITY
    for (const state of this.assignment.all()) {
      if (state.lookup === undefined || state.error) continue
      if (state.retryAt > now) next = Math.min(next, state.retryAt)
      else due.push(state)
    }
    if (due.length > 0) {
      await this.fromCommitted(due.filter(state => state.lookup === 'committed'))
      await this.byReset(due.filter(state => state.live && state.lookup !== undefined && state.lookup !== 'committed'))
      if (this.aborter.signal.aborted) return
      this.settled()
      this.drain.wake()
    } else if (Number.isFinite(next)) {
      this.timer?.cancel()
      this.timer = this.client.runtime.clock.setTimer(Math.ceil(next - now), () => this.drain.wake())
    }
  }

  private async fromCommitted(states: readonly PartitionState[]): Promise<void> {
    if (states.length === 0) return
    if (!this.store) {
      for (const state of states) this.useReset(state)
      return
    }
    const versions = states.map(state => state.version)
    try {
      const deadline = new Deadline(this.client.runtime.clock, this.client.options.requestTimeoutMs)
      const committed = await this.store.fetch(states, { deadline, signal: this.aborter.signal })
      for (const [i, state] of states.entries()) {
        // Sought, or revoked, meanwhile.
        if (!state.live || state.version !== versions[i]) continue
        const found = committed.get(state)
        if (found === undefined) {
          this.postpone(state, 'OffsetFetch', leftOut(state))
          continue
        }
        if (found === null) {
          this.useReset(state)
          continue
        }
        state.committed = found.offset
        state.moveTo({ offset: found.offset, leaderEpoch: found.leaderEpoch ?? -1 })
      }
    } catch (error) {
      for (const state of states) this.postpone(state, 'OffsetFetch', error as Error)
    }
  }

  private useReset(state: PartitionState): void {
    state.lookUp(this.reset)
  }

  private async byReset(states: readonly PartitionState[]): Promise<void> {
    const times = new PartitionMap<bigint>()
    for (const state of states) {
      const { lookup, topic, partition } = state
      if (lookup === 'none')
        state.error = new KafkaError(
          'ERR_NO_OFFSET',
          `no offset is committed for ${topic}-${partition}, and autoOffsetReset is none: seek, or set autoOffsetReset to earliest or latest`,
        )
      else if (lookup === 'earliest') times.set(state, EARLIEST)
      else if (lookup === 'latest') times.set(state, LATEST)
      else if (typeof lookup === 'object')
        times.set(state, BigInt(Math.max(0, this.client.runtime.clock.now() - lookup.durationMs)))
    }
    if (times.size === 0) return
    const asked = states.filter(state => times.has(state)).map(state => ({ state, version: state.version }))
    try {
      const deadline = new Deadline(this.client.runtime.clock, this.client.options.requestTimeoutMs)
      const { found, failed } = await this.lookup.attempt(times, deadline, this.aborter.signal)
      for (const { state, version } of asked) {
        if (!state.live || state.version !== version) continue
        const offset = found.get(state)
        const error = failed.get(state)
        if (offset && offset.offset >= 0n) state.moveTo({ offset: offset.offset, leaderEpoch: offset.leaderEpoch })
        // Nothing is that young: whatever comes next is.
        else if (offset) state.lookUp('latest')
        else if (error) this.postpone(state, 'ListOffsets', error)
      }
    } catch (error) {
      for (const { state } of asked) this.postpone(state, 'ListOffsets', error as Error)
    }
  }

  private postpone(state: PartitionState, api: 'ListOffsets' | 'OffsetFetch', error: Error): void {
    if (!state.live || this.aborter.signal.aborted) return
    if (KafkaError.is(error) && error.retriable) {
      const delayMs = this.client.retryBackoffMs(++state.failures)
      state.retryAt = this.client.runtime.clock.monotonic() + delayMs
      this.client.logger.debug({ err: error, topic: state.topic, partition: state.partition }, 'position not found yet')
      this.client.retrying({ api, attempts: state.failures, delayMs, error })
    } else state.error = error
  }
}
