import { setMaxListeners } from 'node:events'
import { ClosedError, KafkaError } from '../errors.ts'
import type { Clock } from '../runtime/runtime.ts'
import { isThenable } from '../util/disown.ts'
import { checkNames } from '../util/options.ts'
import type { Cursor, PartitionState, Partial as Place } from './assignment.ts'
import type { ConsumerBatch } from './batch.ts'
import type { Delivered, Delivery } from './delivery.ts'
import type { Rebalance } from './rebalance.ts'
import type { ConsumerRecord } from './record.ts'
import { invalid } from './subscription.ts'

export interface HandlerContext {
  /** Aborts when the partition is revoked or lost, or the consumer closes: finish soon, what comes after will not count. */
  readonly signal: AbortSignal
}
interface RunCommon {
  /** How many handlers run at once. Default 1. */
  readonly concurrency?: number
  /** Ends `run` after the handlers that are running. */
  readonly signal?: AbortSignal
}
export type RunOptions<K, V> = RunCommon &
  (
    | {
        readonly eachRecord: (record: ConsumerRecord<K, V>, context: HandlerContext) => unknown
        /** Whose records are handled one after the other: a partition's (default) or, with more parallelism, a key's. */
        readonly orderBy?: 'partition' | 'key'
        readonly eachBatch?: undefined
      }
    | {
        readonly eachBatch: (batch: ConsumerBatch<K, V>, context: HandlerContext) => unknown
        readonly orderBy?: 'partition'
        readonly eachRecord?: undefined
      }
  )

/** Most records taken from a partition at a time; `eachBatch` takes whole batches. */
const CHUNK = 500
const CHUNK_BYTES = 1 << 20
/** How many records of a partition may wait for their keys' turn, per handler slot. */
const WINDOW_PER_SLOT = 16

/** Runs handlers over what is delivered, several at once, and keeps account of what is done. */
export class Runner<K, V> {
  private readonly delivery: Delivery<K, V>
  private readonly rebalance: Rebalance
  private readonly options: RunOptions<K, V>
  private readonly concurrency: number
  private readonly clock: Clock
  /** When each piece of work began. */
  private readonly working = new Map<Promise<void>, { readonly state: PartitionState; readonly since: number }>()
  private readonly aborters = new Map<PartitionState, AbortController>()
  private readonly lanes = new Map<PartitionState, KeyLanes<K, V>>()
  private readonly touched = new Set<PartitionState>()
  private running = 0
  private failure: { readonly error: unknown } | undefined
  private stopping = false

  constructor(delivery: Delivery<K, V>, rebalance: Rebalance, options: RunOptions<K, V>) {
    this.delivery = delivery
    this.rebalance = rebalance
    this.options = options
    this.concurrency = options.concurrency ?? 1
    this.clock = delivery.parts.client.runtime.clock
    checkNames('run()', options, ['concurrency', 'signal', 'eachRecord', 'eachBatch', 'orderBy'])
    if (options.orderBy !== undefined && options.orderBy !== 'partition' && options.orderBy !== 'key')
      throw invalid(`orderBy can be 'partition' or 'key', not ${JSON.stringify(options.orderBy)}`)
    if (!(Number.isInteger(this.concurrency) && this.concurrency > 0)) throw invalid('concurrency must be a whole number above 0')
    if ((options.eachRecord === undefined) === (options.eachBatch === undefined))
      throw invalid('run takes either eachRecord or eachBatch')
  }

  run(): Promise<void> {
    const { signal } = this.options
    return this.delivery.exclusively('run()', async () => {
      this.rebalance.beforeRevoke = states => this.letGo(states)
      try {
        while (!this.stopping && !this.failure && !signal?.aborted) {
          await this.delivery.turn()
          await this.startWork()
          if (!this.failure) await this.delivery.sleep(Number.POSITIVE_INFINITY, signal, this.oldest())
        }
      } catch (error) {
        // Closing ends a run like its signal does.
        if (!(error instanceof ClosedError && this.delivery.isClosed)) this.failure ??= { error }
      } finally {
        this.stopping = true
        await Promise.allSettled(this.working.keys())
        this.rebalance.beforeRevoke = undefined
        for (const state of this.touched) this.rewind(state)
      }
      if (this.failure) throw this.failure.error
    })
  }

  /** Ends it: handlers are told, and waited for. */
  async stop(timeoutMs: number): Promise<void> {
    this.stopping = true
    this.delivery.parts.wakeup.notify()
    await this.abortAndWait([...this.aborters.keys()], timeoutMs)
  }

  private async startWork(): Promise<void> {
    const { eachBatch, orderBy } = this.options
    while (this.running < this.concurrency && !this.stopping && !this.failure) {
      const delivered = await this.delivery.take(eachBatch ? Number.POSITIVE_INFINITY : CHUNK, CHUNK_BYTES, this.running > 0)
      if (!delivered) return
      this.touched.add(delivered.state)
      if (orderBy === 'key') this.lanesOf(delivered.state).add(delivered.batch, delivered.version)
      else this.track(delivered.state, this.inOrder(delivered))
    }
  }

  /** One batch of a partition, record by record. */
  private async inOrder({ batch, state, version }: Delivered<K, V>): Promise<void> {
    const { signal } = this.aborterOf(state)
    const current = () => state.live && state.version === version
    state.busy = true
    state.unfinished++
    this.running++
    try {
      let complete = true
      if (this.options.eachBatch) await this.options.eachBatch(batch, { signal })
      else complete = await this.eachOf(batch, state, signal, current)
      if (complete && current()) state.finish({ offset: batch.nextOffset, leaderEpoch: batch.leaderEpoch })
    } finally {
      this.running--
      state.unfinished--
      state.busy = false
    }
  }

  private async eachOf(
    batch: ConsumerBatch<K, V>,
    state: PartitionState,
    signal: AbortSignal,
    current: () => boolean,
  ): Promise<boolean> {
    const { eachRecord } = this.options
    const { segments, nextOffset } = batch
    const place: Place = { segments, segment: 0, index: segments[0]!.from, inHand: true, nextOffset }
    let turn = this.clock.monotonic()
    let count = 0
    try {
      for (; place.segment < segments.length; place.segment++) {
        const { records, from, to } = segments[place.segment]!
        for (place.index = from; place.index < to; ) {
          const record = batch.recordAt(records, place.index++)
          place.inHand = true
          state.partial = place
          const result = eachRecord?.(record, { signal })
          if (isThenable(result)) {
            await result
            turn = this.clock.monotonic()
          } else if ((++count & 31) === 0 && this.clock.monotonic() - turn > 8) {
            await this.delivery.pause()
            turn = this.clock.monotonic()
          }
          // Revoked, or sought by the handler: what follows in this batch is no longer what comes next.
          if (!current()) return false
          place.inHand = false
          if (state.paused || this.stopping || this.failure) {
            state.putBack(place, batch.highWatermark)
            return false
          }
        }
      }
      state.partial = undefined
      state.advance({ offset: nextOffset, leaderEpoch: batch.leaderEpoch })
      return true
    } catch (error) {
      if (current()) state.putBack(place, batch.highWatermark)
      throw error
    }
  }

  private lanesOf(state: PartitionState): KeyLanes<K, V> {
    let lanes = this.lanes.get(state)
    if (!lanes) {
      const { signal } = this.aborterOf(state)
      const { eachRecord } = this.options
      lanes = new KeyLanes<K, V>(state, this.concurrency * WINDOW_PER_SLOT, {
        free: () => this.running < this.concurrency && !this.stopping && !this.failure,
        start: (record, finished) => {
          this.running++
          const work = (async () => {
            try {
              await eachRecord?.(record, { signal })
            } finally {
              this.running--
            }
            finished()
          })()
          this.track(state, work)
        },
      })
      this.lanes.set(state, lanes)
    }
    return lanes
  }

  private track(state: PartitionState, work: Promise<void>): void {
    const settled = work
      .catch((error: unknown) => {
        // Of a partition that goes or is gone, failing is nobody's business any more: the new owner reads it again.
        if (state.live && !this.aborters.get(state)?.signal.aborted) this.failure ??= { error }
      })
      .finally(() => {
        this.working.delete(settled)
        for (const lanes of this.lanes.values()) lanes.pump()
        this.delivery.parts.wakeup.notify()
      })
    this.working.set(settled, { state, since: this.clock.monotonic() })
  }

  private oldest(): number | undefined {
    let oldest: number | undefined
    for (const { since, state } of this.working.values())
      if (state.live && (oldest === undefined || since < oldest)) oldest = since
    return oldest
  }

  private aborterOf(state: PartitionState): AbortController {
    let aborter = this.aborters.get(state)
    if (aborter) return aborter
    aborter = new AbortController()
    // Each handler may listen.
    setMaxListeners(0, aborter.signal)
    this.aborters.set(state, aborter)
    return aborter
  }

  /** Partitions are about to go, or gone: no handler begins any more, those at work are told, and waited for while it makes sense. */
  private async letGo(states: readonly PartitionState[]): Promise<void> {
    const { maxPollIntervalMs } = this.delivery.parts.options
    await this.abortAndWait(states, states.some(state => state.live) ? maxPollIntervalMs : 0)
    for (const state of states) {
      this.aborters.delete(state)
      this.lanes.delete(state)
      this.touched.delete(state)
    }
  }

  private async abortAndWait(states: readonly PartitionState[], timeoutMs: number): Promise<void> {
    const reason = new KafkaError(
      'ERR_ABORTED',
      'the partition was revoked, or the consumer closes: what this handler does will not count',
    )
    for (const state of states) {
      this.lanes.get(state)?.stop()
      state.busy = true
      this.aborters.get(state)?.abort(reason)
    }
    const works = [...this.working].flatMap(([work, { state }]) => (states.includes(state) ? [work] : []))
    if (works.length === 0 || timeoutMs <= 0) return
    const timer = new AbortController()
    await Promise.race([Promise.all(works), this.delivery.parts.client.delay(timeoutMs, timer.signal).catch(() => {})])
    timer.abort()
  }

  /** What was handed out and not finished is to be read again. */
  private rewind(state: PartitionState): void {
    state.busy = false
    const { done, position } = state
    if (state.live && done && position && done.offset < position.offset) state.moveTo(done)
  }
}

/** Records of one partition: one after the other per key, in any order otherwise; done is the lowest one unfinished. */
class KeyLanes<K, V> {
  private readonly state: PartitionState
  private readonly capacity: number
  private readonly slots: { free: () => boolean; start: (record: ConsumerRecord<K, V>, finished: () => void) => void }
  private readonly window: Entry<K, V>[] = []
  /** Not begun, in order. */
  private waiting: Entry<K, V>[] = []
  private readonly busyKeys = new Set<string>()
  private stopped = false

  constructor(state: PartitionState, capacity: number, slots: KeyLanes<K, V>['slots']) {
    this.state = state
    this.capacity = capacity
    this.slots = slots
  }

  add(batch: ConsumerBatch<K, V>, version: number): void {
    for (const { records, from, to } of batch.segments) {
      for (let i = from; i < to; i++) {
        const entry: Entry<K, V> = {
          record: batch.recordAt(records, i),
          // Without a key there is no order to keep.
          key: records.keyAt(i)?.toString('latin1'),
          next: { offset: records.offsetAt(i) + 1n, leaderEpoch: records.encoded.partitionLeaderEpoch },
          version,
          finished: false,
        }
        this.window.push(entry)
        this.waiting.push(entry)
      }
    }
    this.state.unfinished = this.window.length
    this.pump()
  }

  stop(): void {
    this.stopped = true
    this.waiting = []
  }

  pump(): void {
    if (this.waiting.length > 0 && this.waiting[0]!.version !== this.state.version) {
      // Sought meanwhile: none of these comes next.
      this.waiting = []
      this.window.length = 0
    }
    const later: Entry<K, V>[] = []
    for (let i = 0; i < this.waiting.length; i++) {
      if (this.stopped || !this.slots.free()) {
        later.push(...this.waiting.slice(i))
        break
      }
      const entry = this.waiting[i]!
      if (entry.key !== undefined && this.busyKeys.has(entry.key)) {
        later.push(entry)
        continue
      }
      if (entry.key !== undefined) this.busyKeys.add(entry.key)
      this.slots.start(entry.record, () => this.finished(entry))
    }
    this.waiting = later
    this.state.unfinished = this.window.length
    this.state.busy = this.stopped || this.window.length >= this.capacity
  }

  private finished(entry: Entry<K, V>): void {
    entry.finished = true
    if (entry.key !== undefined) this.busyKeys.delete(entry.key)
    if (!this.state.live || entry.version !== this.state.version) return
    let done: Cursor | undefined
    let count = 0
    for (; count < this.window.length && this.window[count]!.finished; count++) done = this.window[count]!.next
    if (!done) return
    this.window.splice(0, count)
    // With nothing unfinished, gaps behind the last record are done too.
    this.state.finish(this.window.length === 0 ? (this.state.position ?? done) : done)
  }
}

interface Entry<K, V> {
  readonly record: ConsumerRecord<K, V>
  readonly key: string | undefined
  readonly next: Cursor
  readonly version: number
  finished: boolean
}
