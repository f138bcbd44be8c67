import { BrokerError, ConnectionError, KafkaError, TimeoutError } from '../errors.ts'
import { Produce } from '../protocol/apis/00-produce.ts'
import type { JobRunner } from '../protocol/compression/index.ts'
import { brokerError, errorRow } from '../protocol/error-codes.ts'
import type { Codec } from '../protocol/records/index.ts'
import { NO_UUID } from '../protocol/schema.ts'
import type { Clock, Timer } from '../runtime/runtime.ts'
import type { Accumulator } from './accumulator.ts'
import type { Cluster } from './cluster.ts'
import { type Idempotence, Identification } from './identification.ts'
import { sequenceAfter } from './identity.ts'
import type { Outbox, OutboxHost } from './outbox.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { Placement } from './placement.ts'
import {
  type BuiltRequest,
  buildProduceRequest,
  type EncodedProducerBatch,
  type PartitionAnswer,
  type ProduceResponse,
  readProduceResponse,
} from './produce-request.ts'
import type { ProducerBatch } from './producer-batch.ts'
import { type Verdict, verdictOn } from './verdict.ts'

export interface SenderOptions {
  readonly acks: 'all' | 0 | 1
  readonly idempotence: Idempotence
  readonly lingerMs: number
  readonly maxInFlightRequests: number
  readonly maxRequestSize: number
  readonly deliveryTimeoutMs: number
  readonly partitionerAvailabilityTimeoutMs: number
  readonly codec: Codec
  readonly offload: JobRunner | undefined
  /** Hears of failed records that nobody waits for. */
  readonly lost: (error: Error, topic: string, partition: number, records: number) => void
}

/** Versions of Produce: record batches of format 2 (KIP-98), zstd (KIP-110), topics by their ids (KIP-516). */
const FIRST_WITH_BATCHES = 3
const FIRST_WITH_ZSTD = 7
const FIRST_WITH_TOPIC_IDS = 13

/** Batches to brokers, and answers back to batches: retries, leaders, the producer's identity, the delivery timeout. */
export class Sender implements OutboxHost {
  readonly clock: Clock
  readonly lingerMs: number
  readonly maxInFlightRequests: number
  readonly maxRequestSize: number
  private readonly cluster: Cluster
  private readonly accumulator: Accumulator
  private readonly options: SenderOptions
  private readonly identification: Identification
  private readonly placement: Placement
  private expiryTimer: Timer | undefined
  private hurry = false

  constructor(cluster: Cluster, accumulator: Accumulator, options: SenderOptions) {
    this.cluster = cluster
    this.accumulator = accumulator
    this.options = options
    this.clock = cluster.runtime.clock
    this.lingerMs = options.lingerMs
    this.maxInFlightRequests = options.maxInFlightRequests
    this.maxRequestSize = options.maxRequestSize
    this.identification = new Identification(cluster, options.idempotence)
    this.placement = new Placement(cluster, this)
  }

  /** A partition has a new batch, or one that is due. */
  appended(queue: PartitionQueue, due: boolean): void {
    let outbox = this.placement.of(queue)
    if (!outbox) outbox = this.placement.place(queue)
    else outbox.queues.add(queue)
    this.armExpiry()
    if (!outbox) return
    if (due || this.lingerMs === 0) outbox.wake()
    else outbox.lingers()
  }

  /** Whatever waits leaves now, if it may: a flush, or a full buffer. */
  wakeAll(): void {
    this.placement.wakeAll()
  }

  /** No more lingering, since nothing more will come. */
  close(): void {
    this.hurry = true
    this.wakeAll()
  }

  /** Fails what is left. Answers that still come are for nobody. */
  stop(errorOf: (batch: ProducerBatch) => Error): void {
    this.placement.stop()
    this.expiryTimer?.cancel()
    for (const queue of [...this.placement.queues])
      for (const batch of [...queue.batches]) this.fail(queue, batch, errorOf(batch))
  }

  /** For the adaptive partitioner: whether the broker of a partition took something lately, or has nothing to take. */
  takesRecords(topic: string, partition: number): boolean {
    const { partitionerAvailabilityTimeoutMs } = this.options
    if (partitionerAvailabilityTimeoutMs === 0) return true
    const leader = this.cluster.metadata.leaderOf(topic, partition)
    const since = leader && this.placement.outboxOf(leader.nodeId)?.stalledSince
    return since === undefined || this.clock.monotonic() - since <= partitionerAvailabilityTimeoutMs
  }

  // ---- for the outboxes

  hurries(generation: number): boolean {
    return this.hurry || this.accumulator.flushes.isFlushed(generation) || this.accumulator.isExhausted
  }

  take(queue: PartitionQueue, nodeId: number, version: number): ProducerBatch {
    // Older batches have no room for a number; one not sent must not be counted.
    return queue.take(nodeId, version < FIRST_WITH_BATCHES ? undefined : this.identification.identities)
  }

  encode(batch: ProducerBatch, version: number): Uint8Array | Promise<Uint8Array> {
    const { offload } = this.options
    if (version >= FIRST_WITH_BATCHES) return batch.encode(offload)
    return batch.encodeMessageSet(version < 2 ? 0 : 1, offload)
  }

  unencodable(queue: PartitionQueue, batch: ProducerBatch, error: unknown): void {
    this.finish(queue, batch, asError(error))
  }

  failed(error: unknown): void {
    this.cluster.logger.error({ err: error }, 'the producer met an error of its own: please report it')
  }

  async prepare(outbox: Outbox): Promise<number | undefined> {
    const { nodeId } = outbox
    try {
      const version = await this.cluster.versionOf(nodeId, Produce, { lane: 'produce' })
      // Asked of each broker: those of one cluster may be of different releases.
      if (version < FIRST_WITH_BATCHES) this.identification.lacking(nodeId)
      else if (!this.identification.isReady) await this.identification.obtain(nodeId)
      return version
    } catch (error) {
      this.unreachable(outbox, asError(error))
      return undefined
    }
  }

  transmit(outbox: Outbox, batches: readonly EncodedProducerBatch[], version: number): void {
    const { acks, codec } = this.options
    const { cluster } = this
    for (const { batch } of batches) batch.attempts++
    const built = buildProduceRequest(batches, {
      acks: acks === 'all' ? -1 : acks,
      timeoutMs: cluster.options.requestTimeoutMs,
      topicId: topic => cluster.metadata.topic(topic)?.topicId ?? NO_UUID,
    })
    let sentWhole = false
    const frame = (_: unknown, whole: boolean) => void (sentWhole = whole)
    const options =
      version < FIRST_WITH_BATCHES
        ? // The bytes fit exactly these versions.
          { lane: 'produce' as const, minVersion: version < 2 ? 0 : 2, maxVersion: version < 2 ? 1 : 2 }
        : {
            lane: 'produce' as const,
            minVersion: codec === 'zstd' ? FIRST_WITH_ZSTD : FIRST_WITH_BATCHES,
            ...(built.hasIds ? {} : { maxVersion: FIRST_WITH_TOPIC_IDS - 1 }),
          }
    const unanswered = (error: unknown) => this.unanswered(outbox, batches, asError(error))
    const settled =
      acks === 0
        ? cluster
            .sendOneWay(outbox.nodeId, Produce, built.request, options)
            .then(() => this.unacknowledged(outbox, batches), unanswered)
        : cluster
            .sendTo(outbox.nodeId, Produce, built.request, { ...options, frame })
            .then(response => this.answered(outbox, batches, built, response, sentWhole), unanswered)
    settled.catch((error: unknown) => this.failed(error))
  }

  // ---- answers

  private answered(
    outbox: Outbox,
    batches: readonly EncodedProducerBatch[],
    built: BuiltRequest,
    response: ProduceResponse,
    sentWhole: boolean,
  ): void {
    outbox.inFlight--
    outbox.failures = 0
    const answers = readProduceResponse(built, response)
    let stale: string | undefined
    for (const { queue, batch } of batches) {
      const answer = answers.get(batch)
      const verdict = answer && verdictOn(answer.errorCode, { records: batch.count, numbered: batch.sequence !== undefined })
      if (!answer || !verdict) {
        batch.outcomeUnknown = true
        this.retry(
          queue,
          batch,
          new BrokerError(
            `broker ${outbox.nodeId} left ${place(queue)} out of its answer: it is asked again`,
            { error: 'UNKNOWN_SERVER_ERROR', errorCode: -1, api: 'Produce' },
            { retriable: true },
          ),
        )
      } else if (verdict === 'stored') {
        this.stored(queue, batch, answer)
        // After a second attempt the socket of the first may still have it.
        if (sentWhole && batch.attempts === 1) batch.recycle()
      } else {
        if (verdict === 'relocate') stale = `${errorRow(answer.errorCode).name} of ${place(queue)}`
        this.refused(outbox, queue, batch, answer, verdict, response)
      }
    }
    if (stale) this.placement.refresh(stale)
    outbox.wake()
  }

  private stored(
    queue: PartitionQueue,
    batch: ProducerBatch,
    { baseOffset, logAppendTimeMs }: Pick<PartitionAnswer, 'baseOffset' | 'logAppendTimeMs'>,
  ): void {
    const { topic, partition, generation } = batch
    if (!batch.settled) {
      batch.acknowledge({
        topic,
        partition,
        baseOffset,
        logAppendTimeMs: logAppendTimeMs < 0n ? undefined : Number(logAppendTimeMs),
      })
      this.accumulator.flushes.settled(generation)
    }
    queue.complete(batch, { stored: true })
    this.leave(queue, batch)
  }

  private refused(
    outbox: Outbox,
    queue: PartitionQueue,
    batch: ProducerBatch,
    answer: PartitionAnswer,
    verdict: Exclude<Verdict, 'stored'>,
    response: ProduceResponse,
  ): void {
    const { topic, partition } = batch
    const where = { api: 'Produce', topic, partition }
    const error = brokerError(answer.errorCode, { ...where, message: answer.errorMessage })
    switch (verdict) {
      case 'fail': {
        const reasons = new Map(
          answer.recordErrors.map(({ batchIndex, batchIndexErrorMessage }) => [batchIndex, batchIndexErrorMessage]),
        )
        // KIP-467: which records are at fault. The others of the batch were not stored either.
        const companion = 'another record of its batch was refused'
        this.finish(queue, batch, error, delta =>
          reasons.size === 0
            ? error
            : brokerError(answer.errorCode, {
                ...where,
                message: reasons.has(delta) ? (reasons.get(delta) ?? answer.errorMessage) : companion,
              }),
        )
        return
      }
      case 'split':
        this.split(queue, batch, error)
        return
      case 'relocate': {
        batch.outcomeUnknown ||= error.error === 'NETWORK_EXCEPTION'
        const { leaderId, leaderEpoch } = answer.currentLeader
        // KIP-951: the answer may say who leads now.
        if (leaderId >= 0) this.cluster.metadata.hint(topic, partition, { leaderId, leaderEpoch }, response.nodeEndpoints)
        const leader = this.cluster.metadata.leaderOf(topic, partition)
        this.retry(queue, batch, error, { atOnce: leader !== undefined && leader.nodeId !== outbox.nodeId })
        return
      }
      case 'retry':
        // The leader may have stored it, and may keep it.
        batch.outcomeUnknown ||= error.error === 'REQUEST_TIMED_OUT' || error.error === 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'
        this.retry(queue, batch, error)
        return
      case 'next-epoch':
      case 'new-id':
        this.retry(queue, batch, error, { renumber: verdict })
        return
      default:
        verdict satisfies never
    }
  }

  /** No answer came, or the request never left. */
  private unanswered(outbox: Outbox, batches: readonly EncodedProducerBatch[], error: Error): void {
    outbox.inFlight--
    const lost = error instanceof ConnectionError || error instanceof TimeoutError
    const sent = lost ? error.outcome === 'unknown' : !KafkaError.is(error) || error.code === 'ERR_PROTOCOL'
    for (const { queue, batch } of batches) {
      if (sent) batch.outcomeUnknown = true
      if (sent || (KafkaError.is(error) && error.retriable) || batch.outcomeUnknown) this.retry(queue, batch, error)
      else this.finish(queue, batch, error)
    }
    if (lost) this.placement.refresh(error.message)
    outbox.wake()
  }

  /** acks 0: it left, which is all that will ever be known. */
  private unacknowledged(outbox: Outbox, batches: readonly EncodedProducerBatch[]): void {
    outbox.inFlight--
    outbox.failures = 0
    for (const { queue, batch } of batches) this.stored(queue, batch, { baseOffset: -1n, logAppendTimeMs: -1n })
    outbox.wake()
  }

  private retry(
    queue: PartitionQueue,
    batch: ProducerBatch,
    error: Error,
    { atOnce = false, renumber }: { atOnce?: boolean; renumber?: 'next-epoch' | 'new-id' } = {},
  ): void {
    batch.lastFailure = error
    if (!batch.settled && batch.attempts > this.cluster.options.retries) return this.finish(queue, batch, error)
    const { topic, partition, attempts } = batch
    this.cluster.logger.debug({ topic, partition, attempts, err: error }, 'a batch has to be sent again')
    let delayMs = 0
    if (!queue.isRecovering) {
      queue.failures++
      if (!atOnce) delayMs = this.cluster.retryBackoffMs(queue.failures)
    }
    const retryAt = delayMs > 0 ? this.clock.monotonic() + delayMs : 0
    this.cluster.retrying({ api: 'Produce', attempts, delayMs, error })
    queue.retry(batch, { retryAt, ...(renumber && { renumber }) })
    if (batch.settled) return this.leave(queue, batch)
    this.resume(queue)
  }

  /** The batch failed for good. */
  private finish(
    queue: PartitionQueue,
    batch: ProducerBatch,
    error: Error,
    errorAt: (delta: number) => Error = () => error,
  ): void {
    this.report(batch, error, errorAt)
    queue.complete(batch, { stored: false })
    this.leave(queue, batch)
  }

  /** Fails a batch whether or not it is in flight; its memory is held until its answer is there. */
  private fail(queue: PartitionQueue, batch: ProducerBatch, error: Error): void {
    this.report(batch, error, () => error)
    if (queue.drop(batch)) this.leave(queue, batch)
  }

  private report(batch: ProducerBatch, error: Error, errorAt: (delta: number) => Error): void {
    if (batch.settled) return
    batch.fail(errorAt)
    this.accumulator.flushes.settled(batch.generation)
    if (batch.unawaited > 0) this.options.lost(error, batch.topic, batch.partition, batch.unawaited)
  }

  private leave(queue: PartitionQueue, batch: ProducerBatch): void {
    this.resume(queue)
    this.accumulator.released(batch)
  }

  /** After an answer the partition may go on: anew if its sequence was given up, elsewhere if its leader moved. */
  private resume(queue: PartitionQueue): void {
    const left = queue.takeRenumbering()
    if (left) {
      this.cluster.logger.info(
        { topic: queue.topic, partition: queue.partition },
        'the broker lost the sequence of this producer: numbering its batches anew',
      )
      this.identification.identities?.leave(left.from, { keepId: left.keepId })
    }
    if (queue.batches.length === 0) this.placement.remove(queue)
    else if (queue.waiting > 0) this.placement.place(queue)?.wake()
  }

  private split(queue: PartitionQueue, batch: ProducerBatch, error: Error): void {
    this.cluster.logger.info(
      { topic: batch.topic, partition: batch.partition, records: batch.count, bytes: batch.sizeBytes },
      'a batch is too large for its topic and is split',
    )
    batch.split(this.options.offload, sequenceAfter).then(
      halves => {
        // Timed out meanwhile.
        if (batch.settled) return this.finish(queue, batch, error)
        queue.replace(batch, halves)
        this.accumulator.replaced(batch, halves)
        this.resume(queue)
      },
      (cause: unknown) => this.finish(queue, batch, asError(cause)),
    )
  }

  // ---- trouble before sending

  /** The broker could not be connected to: nothing was sent. */
  private unreachable(outbox: Outbox, error: Error): void {
    outbox.pause(this.cluster.retryBackoffMs(++outbox.failures))
    for (const queue of [...outbox.queues]) {
      for (const batch of queue.batches) batch.lastFailure ??= error
      if (!(KafkaError.is(error) && error.retriable)) this.failWaiting(queue, error)
    }
    this.placement.refresh(error.message)
  }

  /** Fails what was never sent, or surely not stored; the rest has until its delivery timeout. */
  private failWaiting(queue: PartitionQueue, error: Error): void {
    for (const batch of [...queue.batches]) if (!batch.outcomeUnknown && !queue.isInFlight(batch)) this.fail(queue, batch, error)
  }

  // ---- delivery timeout

  private armExpiry(): void {
    if (this.expiryTimer || this.placement.isEmpty) return
    let oldest = Number.POSITIVE_INFINITY
    for (const queue of this.placement.queues) {
      const batch = queue.batches.find(each => !each.settled)
      if (batch && batch.createdAt < oldest) oldest = batch.createdAt
    }
    if (oldest === Number.POSITIVE_INFINITY) return
    const wait = Math.ceil(oldest + this.options.deliveryTimeoutMs - this.clock.monotonic())
    this.expiryTimer = this.clock.setTimer(Math.max(0, wait), () => {
      this.expiryTimer = undefined
      this.expire(this.clock.monotonic())
      this.armExpiry()
    })
    // The batches' own requests and timers keep the process alive.
    this.expiryTimer.unref()
  }

  private expire(now: number): void {
    const { deliveryTimeoutMs } = this.options
    for (const queue of [...this.placement.queues])
      for (const batch of queue.expired(now - deliveryTimeoutMs)) {
        const { lastFailure: cause } = batch
        const hint = `${cause ? cause.message : 'the broker did not answer in time'}; deliveryTimeoutMs bounds all attempts together`
        const outcome = batch.attempts === 0 ? 'not-sent' : 'unknown'
        this.fail(
          queue,
          batch,
          new TimeoutError(`delivering ${batch.count} records to ${place(queue)}`, deliveryTimeoutMs, { outcome, hint, cause }),
        )
      }
  }
}

const place = ({ topic, partition }: PartitionQueue): string => `${topic}-${partition}`
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
