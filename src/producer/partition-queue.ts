import { type Identities, type ProducerIdentity, sequenceAfter } from './identity.ts'
import type { ProducerBatch } from './producer-batch.ts'

/** How many of a producer's batches a broker remembers, to tell what it has already (KAFKA-5494). */
const REMEMBERED_BATCHES = 5

/**
 * The batches of one partition, oldest first, and where each stands. No I/O, no clock.
 *
 *     batches   | in flight … | waiting … | open |
 *                             ^ unsent
 *
 * Order is kept by one rule: when a batch has to be sent again, the partition waits until everything in flight is
 * answered, and then sends all that is left from the front, under the same sequence numbers (the broker drops what it
 * has already). Where the broker says that the numbers themselves cannot be continued, they are given up first.
 */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly batches: ProducerBatch[] = []
  /** Index of the first batch that is not in flight. */
  private unsent = 0
  /** Batches whose answer is awaited. */
  inFlight = 0
  /** The broker that the batches in flight went to. */
  private inFlightNode = -1
  /** Something has to be sent again, as soon as nothing is in flight. */
  private recovering = false
  private renumber: 'no' | 'next-epoch' | 'new-id' = 'no'
  /** Nothing is sent before this time of the monotonic clock. */
  retryAt = 0
  /** Failed attempts since the last success. */
  failures = 0
  /** The identity that the sequence numbers belong to. */
  private identity: ProducerIdentity | undefined
  private nextSequence = 0
  private nextOrdinal = 0
  /** The broker has stored something under this identity. */
  private proven = false
  /** How large the last batch became: the next one starts with as much room. */
  lastSize = 0

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  /** The batch that takes more records, if any. */
  get open(): ProducerBatch | undefined {
    const last = this.batches[this.batches.length - 1]
    return last && !last.closed ? last : undefined
  }

  /** Whether a batch failed already since everything was last sent: its wait counts for those that fail with it. */
  get isRecovering(): boolean {
    return this.recovering
  }

  /** Batches that wait to be sent. */
  get waiting(): number {
    return this.batches.length - this.unsent
  }

  push(batch: ProducerBatch): void {
    this.batches.push(batch)
  }

  /** The batch takes no more records: it is full, or leaves. */
  close(batch: ProducerBatch): void {
    if (!batch.closed) this.lastSize = batch.sizeBytes
    batch.closed = true
  }

  /** The batch that may be sent next to this broker, or why none may. */
  next(nodeId: number): ProducerBatch | undefined {
    if (this.recovering || this.unsent >= this.batches.length) return undefined
    // Two brokers at once could store batches in either order.
    if (this.inFlight > 0 && this.inFlightNode !== nodeId) return undefined
    const batch = this.batches[this.unsent]!
    const oldest = this.batches[0]!
    if (!this.identity || batch === oldest) return batch
    // A broker without any state of a producer takes whatever sequence comes first: the second batch, if the first got lost.
    if (!this.proven) return undefined
    // If the oldest was stored although no answer came, it has to be remembered until its repetition is recognised.
    const ordinal = batch.sequence ? batch.ordinal : this.nextOrdinal
    if (oldest.sequence && ordinal - oldest.ordinal >= REMEMBERED_BATCHES) return undefined
    return batch
  }

  /** Takes the batch that `next` named: it is in flight now, under a sequence number if there are identities. */
  take(nodeId: number, identities: Identities | undefined): ProducerBatch {
    const batch = this.batches[this.unsent]!
    this.close(batch)
    if (identities && !batch.sequence) {
      // Only with nothing numbered before it; else the epoch of those has to be finished first.
      if (this.unsent === 0 && this.identity !== identities.current) {
        this.identity = identities.current
        this.nextSequence = 0
        this.proven = false
      }
      if (this.identity) {
        batch.sequence = { identity: this.identity, base: this.nextSequence }
        batch.ordinal = this.nextOrdinal++
        this.nextSequence = sequenceAfter(this.nextSequence, batch.count)
      }
    }
    this.unsent++
    this.inFlight++
    this.inFlightNode = nodeId
    return batch
  }

  /** The answer is final, good or bad: the batch leaves the queue. */
  complete(batch: ProducerBatch, { stored }: { stored: boolean }): void {
    this.inFlight--
    const index = this.batches.indexOf(batch)
    // The last one numbered, and surely not stored: its numbers are free again. Otherwise a gap is left, which the broker reports.
    const last = index === this.unsent - 1 && !this.batches[this.unsent]?.sequence
    if (!stored && last && !batch.outcomeUnknown && batch.sequence && batch.sequence.identity === this.identity)
      this.nextSequence = batch.sequence.base
    this.remove(index)
    if (stored) {
      this.failures = 0
      this.proven ||= batch.sequence?.identity === this.identity
    }
    this.recover()
  }

  /** The batch has to be sent again, not before `retryAt`. */
  retry(
    batch: ProducerBatch,
    { retryAt, renumber = 'no' }: { retryAt: number; renumber?: 'no' | 'next-epoch' | 'new-id' },
  ): void {
    this.inFlight--
    this.recovering = true
    this.retryAt = Math.max(this.retryAt, retryAt)
    // Only the oldest tells of a gap; those behind it are out of order because of it.
    if (batch === this.batches[0]) this.renumber = renumber
    // Timed out while in flight: nobody waits for it any more.
    if (batch.settled) this.remove(this.batches.indexOf(batch))
    this.recover()
  }

  /** The halves take the place of a batch that was too large. */
  replace(batch: ProducerBatch, halves: readonly ProducerBatch[]): void {
    this.inFlight--
    const index = this.batches.indexOf(batch)
    this.batches.splice(index, 1, ...halves)
    this.unsent += halves.length - 1
    // None of what was numbered can have been stored behind it.
    for (const each of this.batches) if (each.sequence) each.ordinal = this.nextOrdinal++
    this.recovering = true
    this.recover()
  }

  /** Batches whose time is over although their callers still wait. */
  expired(createdBefore: number): ProducerBatch[] {
    const late: ProducerBatch[] = []
    for (const batch of this.batches) {
      if (batch.createdAt > createdBefore) break
      if (!batch.settled) late.push(batch)
    }
    return late
  }

  /** Whether its answer is awaited; also while the partition recovers, until the last answer is there. */
  isInFlight(batch: ProducerBatch): boolean {
    return this.batches.indexOf(batch) < this.unsent
  }

  /** A batch that is not in flight leaves the queue. False if it is in flight: its answer is still of interest. */
  drop(batch: ProducerBatch): boolean {
    if (this.isInFlight(batch)) return false
    this.remove(this.batches.indexOf(batch))
    return true
  }

  private remove(index: number): void {
    this.batches.splice(index, 1)
    if (index < this.unsent) this.unsent--
  }

  /** Once everything is answered: back to the front. */
  private recover(): void {
    if (!this.recovering || this.inFlight > 0) return
    this.recovering = false
    this.unsent = 0
  }

  /** Set when the broker cannot continue the sequence: the identity to leave. The caller leaves it, then sends on. */
  takeRenumbering(): { from: ProducerIdentity; keepId: boolean } | undefined {
    if (this.renumber === 'no' || this.recovering || this.inFlight > 0) return undefined
    const keepId = this.renumber === 'next-epoch'
    this.renumber = 'no'
    const from = this.identity
    if (!from) return undefined
    this.identity = undefined
    for (const batch of this.batches) batch.sequence = undefined
    return { from, keepId }
  }
}
