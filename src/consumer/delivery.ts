import type { Client } from '../client/client.ts'
import { PartitionMap } from '../client/partition-map.ts'
import { ClosedError, KafkaError } from '../errors.ts'
import type { Serde } from '../serde/index.ts'
import type { Assignment, Cursor, PartitionState } from './assignment.ts'
import { ConsumerBatch, ConsumerRecords } from './batch.ts'
import type { Commits } from './commits.ts'
import type { PollOptions } from './consumer.ts'
import { located } from './fetch-response.ts'
import type { Fetcher } from './fetcher.ts'
import type { Membership } from './group/membership.ts'
import type { ConsumerOptions } from './options.ts'
import type { Positions } from './positions.ts'
import type { Rebalance } from './rebalance.ts'
import { type ConsumerRecord, RecordReader } from './record.ts'
import { RecordIterator } from './record-iterator.ts'
import { invalid } from './subscription.ts'
import type { Wakeup } from './wakeup.ts'

/** Most bytes that one batch brings: what is checked and indexed in one step (D3, "Loop"). */
const BATCH_BYTES = 1 << 20
/** After so long without a pause, pending I/O gets its turn. */
const TURN_MS = 4
/** How many records are handed out one by one between two looks at the clock, if the event loop does not turn before. */
const RECORDS_PER_LOOK = 32

/** A batch with what is needed to move its partition's cursors. */
export interface Delivered<K, V> {
  readonly batch: ConsumerBatch<K, V>
  readonly state: PartitionState
  readonly version: number
}

interface Parts {
  readonly client: Client
  readonly options: ConsumerOptions
  readonly assignment: Assignment
  readonly fetcher: Fetcher
  readonly positions: Positions
  readonly rebalance: Rebalance
  readonly membership: Membership | undefined
  readonly commits: Commits | undefined
  readonly wakeup: Wakeup
}

/** Hands fetched records out, one caller at a time, and moves position and done as it does. */
export class Delivery<K, V> {
  recordsConsumed = 0
  /** Raised by the next call. */
  failure: Error | undefined
  readonly parts: Parts
  private closed = false
  private active: string | undefined
  private idle: (() => void) | undefined
  private readonly readers = new PartitionMap<RecordReader<K, V>>()
  /** Handed out, and done once the next call asks for more. */
  private outstanding: { readonly state: PartitionState; readonly version: number; readonly done: Cursor }[] = []
  private iterator: RecordIterator<K, V> | undefined
  private next = 0
  private turnedAt = Number.NEGATIVE_INFINITY
  private readonly prepares: boolean
  private loopTurned = true
  private credit = 0

  constructor(parts: Parts) {
    this.parts = parts
    const { key, value } = parts.options
    this.prepares = key.prepare !== undefined || value.prepare !== undefined
  }

  get isClosed(): boolean {
    return this.closed
  }

  // ---- the ways to read

  async poll({
    timeoutMs = 0,
    maxRecords = this.parts.options.maxPollRecords,
    signal,
  }: PollOptions): Promise<ConsumerRecords<K, V>> {
    if (!(timeoutMs >= 0)) throw invalid(`timeoutMs must be 0 or more, not ${timeoutMs}`)
    if (!(Number.isInteger(maxRecords) && maxRecords > 0))
      throw invalid(`maxRecords must be a whole number above 0, not ${maxRecords}`)
    return this.exclusively('poll()', async () => {
      const { clock } = this.parts.client.runtime
      const until = clock.monotonic() + timeoutMs
      this.finishOutstanding()
      for (;;) {
        await this.turn()
        const batches = new PartitionMap<ConsumerBatch<K, V>[]>()
        for (let left = maxRecords; left > 0; ) {
          const delivered = await this.take(left, BATCH_BYTES, left < maxRecords)
          if (!delivered) break
          this.handOut(delivered)
          left -= delivered.batch.length
          const list = batches.get(delivered.state)
          if (list) list.push(delivered.batch)
          else batches.set(delivered.state, [delivered.batch])
        }
        if (batches.size > 0) return new ConsumerRecords(batches)
        if (signal?.aborted) throw new KafkaError('ERR_ABORTED', 'poll() was aborted by its signal', { cause: signal.reason })
        const left = until - clock.monotonic()
        if (left <= 0) {
          await this.pause()
          return new ConsumerRecords(batches)
        }
        await this.sleep(left, signal)
      }
    })
  }

  records(): RecordIterator<K, V> {
    return new RecordIterator(this)
  }

  batches(): AsyncIterableIterator<ConsumerBatch<K, V>> {
    const next = async (): Promise<IteratorResult<ConsumerBatch<K, V>>> => {
      const delivered = await this.nextBatch('batches()', Number.POSITIVE_INFINITY)
      if (!delivered) return { done: true, value: undefined }
      this.handOut(delivered)
      return { done: false, value: delivered.batch }
    }
    return {
      next,
      return: async () => ({ done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this
      },
    }
  }

  /** Waits for the next batch; undefined when the consumer is closed. Everything handed out before is done. */
  nextBatch(caller: string, maxRecords: number, enough?: () => boolean): Promise<Delivered<K, V> | undefined> {
    if (this.closed) return Promise.resolve(undefined)
    return this.exclusively(caller, async () => {
      this.finishOutstanding()
      try {
        for (;;) {
          await this.turn()
          if (enough?.()) return undefined
          const delivered = await this.take(maxRecords, BATCH_BYTES, false)
          if (delivered) return delivered
          await this.sleep(Number.POSITIVE_INFINITY)
        }
      } catch (error) {
        if (this.closed && error instanceof ClosedError) return undefined
        throw error
      }
    })
  }

  /** For RecordIterator: `resume` gives what is left of its batch, once the turn was made. */
  async nextRecord(iterator: RecordIterator<K, V>): Promise<ConsumerRecord<K, V> | undefined> {
    let record: ConsumerRecord<K, V> | undefined
    const delivered = await this.nextBatch(
      'for await',
      Number.POSITIVE_INFINITY,
      () => (record = iterator.resume()) !== undefined,
    )
    return record ?? (delivered && iterator.begin(delivered.batch, delivered.state))
  }

  /** Marks it as handed out, to be done at the next call. */
  handOut({ batch, state, version }: Delivered<K, V>): void {
    this.outstanding.push({ state, version, done: { offset: batch.nextOffset, leaderEpoch: batch.leaderEpoch } })
  }
  addOutstanding(state: PartitionState, done: Cursor): void {
    this.outstanding.push({ state, version: state.version, done })
  }
  adopt(iterator: RecordIterator<K, V> | undefined): void {
    if (this.iterator !== iterator) this.iterator?.putBack()
    this.iterator = iterator
  }

  /**
   * News, or too long a turn: the next record has to wait for a full turn. The clock is read once per turn of the event
   * loop, and every so many records within one.
   */
  get mustTurn(): boolean {
    if (this.parts.wakeup.pending) return true
    if (!this.loopTurned && this.credit-- > 0) return false
    const { clock } = this.parts.client.runtime
    this.credit = RECORDS_PER_LOOK
    if (this.loopTurned) {
      this.loopTurned = false
      clock.soon(() => {
        this.loopTurned = true
      })
    }
    return clock.monotonic() - this.turnedAt > TURN_MS
  }

  /** Runs one call at a time: two at once would tear the order of records. */
  async exclusively<T>(caller: string, work: () => Promise<T>): Promise<T> {
    if (this.closed) throw new ClosedError('the consumer')
    if (this.active) {
      throw new KafkaError(
        'ERR_ILLEGAL_STATE',
        `${caller} was called while ${this.active} is waiting: read in one place at a time, or use run({ concurrency })`,
      )
    }
    this.active = caller
    const member = this.parts.membership?.member
    try {
      if (this.iterator && caller !== 'for await') this.adopt(undefined)
      return await work()
    } finally {
      this.active = undefined
      if (member) member.polled(this.parts.client.runtime.clock.monotonic())
      this.idle?.()
    }
  }

  /** No call is waiting any more. */
  async settled(timeoutMs: number): Promise<void> {
    if (!this.active) return
    const timer = new AbortController()
    await Promise.race([
      new Promise<void>(resolve => {
        this.idle = resolve
      }),
      this.parts.client.delay(timeoutMs, timer.signal).catch(() => {}),
    ])
    timer.abort()
  }

  close(): void {
    this.closed = true
    this.parts.wakeup.notify()
  }

  // ---- the steps of a turn

  /** Everything that has to happen before records are taken: assignment, positions, automatic commits, failures. */
  async turn(): Promise<void> {
    const { clock } = this.parts.client.runtime
    if (this.closed) throw new ClosedError('the consumer')
    if (clock.monotonic() - this.turnedAt > TURN_MS) await this.pause()
    this.parts.wakeup.clear()
    const change = this.parts.rebalance.step()
    if (change) await change
    if (this.closed) throw new ClosedError('the consumer')
    this.parts.positions.wake()
    this.parts.commits?.tick(clock.monotonic())
    if (this.failure) {
      const { failure } = this
      this.failure = undefined
      throw failure
    }
    this.parts.fetcher.wake()
  }

  /**
   * Sleeps until there is news, at most `ms`. Meanwhile the member counts as polling, unless a handler is at work `since`
   * some moment: then the poll interval runs from there.
   */
  async sleep(ms: number, signal?: AbortSignal, since?: number): Promise<void> {
    const { client, membership, commits, wakeup } = this.parts
    const { clock } = client.runtime
    const member = membership?.member
    const due = (commits?.dueAt ?? Number.POSITIVE_INFINITY) - clock.monotonic()
    if (member) {
      member.polling = since === undefined
      if (since !== undefined) {
        member.polled(since)
        membership?.pump()
      }
    }
    try {
      await wakeup.wait(Math.min(ms, Math.max(due, 1)), signal)
    } finally {
      if (member) {
        member.polling = false
        member.polled(clock.monotonic())
        membership?.pump()
      }
    }
  }

  /** Lets pending I/O have its turn. */
  pause(): Promise<void> {
    const { clock } = this.parts.client.runtime
    return new Promise(resolve => {
      clock.soon(() => {
        this.turnedAt = clock.monotonic()
        resolve()
      })
    })
  }

  /**
   * The next records of whichever partition is first to have some; the next call begins with another one. Throws what is
   * wrong at a partition's position, unless `quietly`: then records that were found already go first.
   */
  async take(maxRecords: number, maxBytes: number, quietly: boolean): Promise<Delivered<K, V> | undefined> {
    const all = this.parts.assignment.all()
    for (let i = 0; i < all.length; i++) {
      const at = (this.next + i) % all.length
      const state = all[at]!
      if (state.paused || state.busy || state.lookup !== undefined) {
        if (state.error && !quietly && !state.paused) this.raise(state)
        continue
      }
      const batch = this.takeFrom(state, maxRecords, maxBytes)
      if (batch) {
        this.next = at + 1
        const delivered = { batch, state, version: state.version }
        if (!this.prepares) return delivered
        await this.prepare(batch)
        // Revoked or sought meanwhile: these are no longer the next records.
        if (state.live && state.version === delivered.version) return delivered
        return this.take(maxRecords, maxBytes, quietly)
      }
      if (state.error && state.queue.length === 0 && !quietly) this.raise(state)
    }
    return undefined
  }

  private takeFrom(state: PartitionState, maxRecords: number, maxBytes: number): ConsumerBatch<K, V> | undefined {
    for (let data = state.queue[0]; data; data = state.queue[0]) {
      const { frame } = data
      // Before it is drained: its last batch would otherwise be reused while the user reads it.
      frame.lend()
      const { position } = state
      const taken = data.take(maxRecords, maxBytes, position?.offset)
      if (taken.records === 0) frame.release()
      if (!position || taken.nextOffset > position.offset) {
        const cursor = {
          offset: taken.nextOffset,
          leaderEpoch: taken.leaderEpoch >= 0 ? taken.leaderEpoch : (position?.leaderEpoch ?? -1),
        }
        state.advance(cursor)
        // Only control records, aborted ones, or a gap: there is nothing that somebody has to be done with.
        if (taken.records === 0 && state.unfinished === 0) state.finish(cursor)
      }
      if (data.error && taken.records === 0) {
        state.error = located(data.error, state)
        data.drop()
      }
      if (data.isEmpty) state.queue.shift()
      if (taken.records > 0) {
        this.parts.fetcher.wake()
        this.recordsConsumed += taken.records
        return new ConsumerBatch(this.reader(state), taken.segments, taken.nextOffset, {
          highWatermark: data.highWatermark,
          epoch: state.epoch,
          isCurrent: () => state.live,
          release: () => frame.release(),
        })
      }
      if (state.error || !data.isEmpty) return undefined
    }
    return undefined
  }

  private raise(state: PartitionState): never {
    const error = state.error ?? new Error('unreachable')
    state.error = undefined
    // What failed is tried again, at a decent pace: the caller may have mended it, or seeks past it.
    if (state.lookup === undefined) state.refetch()
    state.retryAt = this.parts.client.runtime.clock.monotonic() + this.parts.client.retryBackoffMs(++state.refusals)
    throw error
  }

  private async prepare(batch: ConsumerBatch<K, V>): Promise<void> {
    const { key, value } = this.parts.options
    await key.prepare?.(batch.bytesOf('key'))
    await value.prepare?.(batch.bytesOf('value'))
  }

  private reader({ topic, partition }: PartitionState): RecordReader<K, V> {
    let reader = this.readers.get(topic, partition)
    if (!reader) {
      const { key, value } = this.parts.options
      reader = new RecordReader(topic, partition, key as Serde<K>, value as Serde<V>)
      this.readers.set(topic, partition, reader)
    }
    return reader
  }

  private finishOutstanding(): void {
    if (this.outstanding.length === 0) return
    for (const { state, version, done } of this.outstanding) if (state.live && state.version === version) state.finish(done)
    this.outstanding.length = 0
  }
}
