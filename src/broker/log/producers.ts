import { ErrorCode } from '../../protocol/error-codes.ts'

/** What the producer state needs to know of a batch. */
export interface ProducedBatch {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  /** Number of records: the last sequence is base + count - 1, modulo 2^31. */
  readonly count: number
  readonly isTransactional: boolean
}

/** A batch that is in the log, kept so that a repeated one is recognised. */
export interface KnownBatch {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly timestampMs: bigint
}

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: bigint
  /** Offset of the abort marker. */
  readonly lastOffset: bigint
}

export type SequenceVerdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly batch: KnownBatch }
  | { readonly kind: 'error'; readonly code: number; readonly message: string }

/** How many batches per producer a broker remembers: hence at most five requests in flight (KAFKA-5494). */
const REMEMBERED = 5
const SEQUENCES = 2 ** 31

export interface ProducerState {
  readonly producerId: bigint
  epoch: number
  coordinatorEpoch: number
  readonly batches: KnownBatch[]
  /** First offset of the transaction under way here. */
  transactionStart: bigint | undefined
}

export const lastSequence = (baseSequence: number, count: number): number => (baseSequence + Math.max(count, 1) - 1) % SEQUENCES

/** Idempotence and transactions of one partition (KIP-98, KIP-360): who wrote what, and which transactions are open or aborted. */
export class Producers {
  private readonly states = new Map<bigint, ProducerState>()
  private readonly abortedList: AbortedTransaction[] = []

  /** Decides about a batch of a client. Nothing changes before `appended`. */
  judge(batch: ProducedBatch): SequenceVerdict {
    const state = this.states.get(batch.producerId)
    if (!state) return { kind: 'append' }
    const last = lastSequence(batch.baseSequence, batch.count)
    const known =
      state.epoch === batch.producerEpoch &&
      state.batches.find(({ firstSequence, lastSequence }) => firstSequence === batch.baseSequence && lastSequence === last)
    if (known) return { kind: 'duplicate', batch: known }
    const who = `producer ${batch.producerId}`
    if (batch.producerEpoch < state.epoch)
      return failure(
        ErrorCode.INVALID_PRODUCER_EPOCH,
        `${who} has epoch ${state.epoch} here, the batch has the older ${batch.producerEpoch}`,
      )
    if (batch.producerEpoch > state.epoch) {
      if (batch.baseSequence !== 0)
        return failure(
          ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
          `${who} begins epoch ${batch.producerEpoch} with sequence ${batch.baseSequence} instead of 0`,
        )
    } else {
      const previous = state.batches.at(-1)
      const expected = previous ? (previous.lastSequence + 1) % SEQUENCES : 0
      if (batch.baseSequence !== expected)
        return failure(
          ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
          `${who} sent sequence ${batch.baseSequence} where ${expected} had to follow`,
        )
    }
    if (state.transactionStart !== undefined && !batch.isTransactional)
      return failure(ErrorCode.INVALID_TXN_STATE, `${who} wrote outside of the transaction it has open here`)
    return { kind: 'append' }
  }

  /** Notes a data batch that is now in the log. */
  appended(batch: ProducedBatch, baseOffset: bigint, lastOffset: bigint, timestampMs: bigint): void {
    const state = this.stateOf(batch.producerId)
    if (batch.producerEpoch !== state.epoch) state.batches.length = 0
    state.epoch = batch.producerEpoch
    if (batch.isTransactional) state.transactionStart ??= baseOffset
    if (batch.baseSequence < 0) return
    state.batches.push({
      firstSequence: batch.baseSequence,
      lastSequence: lastSequence(batch.baseSequence, batch.count),
      baseOffset,
      lastOffset,
      timestampMs,
    })
    if (state.batches.length > REMEMBERED) state.batches.shift()
  }

  /** Notes a commit or abort marker that is now in the log. */
  ended(producerId: bigint, producerEpoch: number, coordinatorEpoch: number, committed: boolean, markerOffset: bigint): void {
    const state = this.stateOf(producerId)
    const firstOffset = state.transactionStart
    if (producerEpoch > state.epoch) state.batches.length = 0
    state.epoch = Math.max(state.epoch, producerEpoch)
    state.coordinatorEpoch = coordinatorEpoch
    state.transactionStart = undefined
    if (!committed && firstOffset !== undefined) this.abortedList.push({ producerId, firstOffset, lastOffset: markerOffset })
  }

  /** First offset of the oldest open transaction: nothing from there on is stable. */
  get firstUnstable(): bigint | undefined {
    let first: bigint | undefined
    for (const { transactionStart } of this.states.values()) {
      if (transactionStart !== undefined && (first === undefined || transactionStart < first)) first = transactionStart
    }
    return first
  }

  /** Aborted transactions that have a record in [from, to). */
  aborted(from: bigint, to: bigint): AbortedTransaction[] {
    return this.abortedList.filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < to)
  }

  /** All producers that wrote here. */
  list(): Iterable<ProducerState> {
    return this.states.values()
  }

  get size(): number {
    return this.states.size
  }

  /** Forgets all that happened from `offset` on, for a truncated log. Sequences that were known only from there are unknown again. */
  truncateTo(offset: bigint): void {
    for (const state of this.states.values()) {
      while (state.batches.length > 0 && state.batches.at(-1)!.lastOffset >= offset) state.batches.pop()
      if (state.batches.length === 0) this.states.delete(state.producerId)
    }
    for (let i = this.abortedList.length - 1; i >= 0; i--)
      if (this.abortedList[i]!.lastOffset >= offset) this.abortedList.splice(i, 1)
  }

  /** Forgets a producer, as retention does: its next sequence is accepted whatever it is. */
  forget(producerId: bigint): void {
    this.states.delete(producerId)
  }

  private stateOf(producerId: bigint): ProducerState {
    let state = this.states.get(producerId)
    if (!state) {
      state = { producerId, epoch: -1, coordinatorEpoch: -1, batches: [], transactionStart: undefined }
      this.states.set(producerId, state)
    }
    return state
  }
}

const failure = (code: number, message: string): SequenceVerdict => ({ kind: 'error', code, message })
