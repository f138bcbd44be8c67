import type { Clock, Timer } from '../runtime/runtime.ts'
import { Drain } from '../util/drain.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { EncodedProducerBatch } from './produce-request.ts'
import type { ProducerBatch } from './producer-batch.ts'

/** What an outbox needs to know and to have done. */
export interface OutboxHost {
  readonly clock: Clock
  readonly lingerMs: number
  readonly maxInFlightRequests: number
  readonly maxRequestSize: number
  /** Whether a batch of this generation must not linger. */
  hurries(generation: number): boolean
  /** Makes sure that the broker can be sent to: the version of Produce it takes. Undefined: not now, and `outbox.pause` says until when. */
  prepare(outbox: Outbox): Promise<number | undefined>
  take(queue: PartitionQueue, nodeId: number, version: number): ProducerBatch
  encode(batch: ProducerBatch, version: number): Uint8Array | Promise<Uint8Array>
  transmit(outbox: Outbox, batches: readonly EncodedProducerBatch[], version: number): void
  /** A batch whose compression failed. */
  unencodable(queue: PartitionQueue, batch: ProducerBatch, error: unknown): void
  failed(error: unknown): void
}

/** What waits for one broker: collects batches that are due into requests, and keeps a few of these in flight. */
export class Outbox {
  readonly nodeId: number
  /** Partitions led by this broker that have batches waiting; who was served last comes last. */
  readonly queues = new Set<PartitionQueue>()
  inFlight = 0
  /** Failed attempts to reach the broker, in a row. */
  failures = 0
  /** Since when something was due that could not be sent. */
  stalledSince: number | undefined
  private readonly host: OutboxHost
  private readonly drain: Drain
  private retryAt = 0
  private timer: Timer | undefined
  private timerAt = Number.POSITIVE_INFINITY

  constructor(nodeId: number, host: OutboxHost) {
    this.nodeId = nodeId
    this.host = host
    this.drain = new Drain(
      () => this.work(),
      error => host.failed(error),
    )
  }

  /** Looks again at what can be sent, after the calls of this turn. */
  wake(): void {
    this.drain.wake()
  }

  /** Nothing is sent for so long. */
  pause(ms: number): void {
    this.retryAt = this.host.clock.monotonic() + ms
  }

  /** A batch was begun: it is due when it has lingered. */
  lingers(): void {
    this.wakeAt(this.host.clock.monotonic() + this.host.lingerMs)
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = undefined
    this.queues.clear()
  }

  private async work(): Promise<void> {
    const { host } = this
    while (this.queues.size > 0) {
      const now = host.clock.monotonic()
      if (!this.anyDue(now)) return
      this.stalledSince ??= now
      if (this.inFlight >= host.maxInFlightRequests) return
      if (this.retryAt > now) return this.wakeAt(this.retryAt)
      const version = await host.prepare(this)
      if (version === undefined) {
        if (this.queues.size > 0) this.wakeAt(Math.max(this.retryAt, host.clock.monotonic() + 1))
        return
      }
      const batches = await this.collect(host.clock.monotonic(), version)
      if (batches.length === 0) continue
      this.stalledSince = undefined
      this.inFlight++
      host.transmit(this, batches, version)
    }
  }

  /** Whether anything should be sent now; arms the timer for what will be. */
  private anyDue(now: number): boolean {
    let next = Number.POSITIVE_INFINITY
    for (const queue of this.queues) {
      const at = this.dueAt(queue, now)
      if (at <= now) return true
      if (at < next) next = at
    }
    if (next < Number.POSITIVE_INFINITY) this.wakeAt(next)
    return false
  }

  /** When the next batch of a partition should leave; never while it waits for an answer, which wakes us. */
  private dueAt(queue: PartitionQueue, now: number): number {
    const batch = queue.next(this.nodeId)
    if (!batch) return Number.POSITIVE_INFINITY
    if (queue.retryAt > now) return queue.retryAt
    if (batch.closed || batch.attempts > 0 || this.host.hurries(batch.generation)) return now
    return batch.createdAt + this.host.lingerMs
  }

  /** One batch per partition, as many as a request may hold: once a request leaves, it takes along what is not yet due. */
  private async collect(now: number, version: number): Promise<readonly EncodedProducerBatch[]> {
    const { host } = this
    const taken: { queue: PartitionQueue; batch: ProducerBatch }[] = []
    let bytes = 0
    for (const queue of [...this.queues]) {
      const batch = queue.next(this.nodeId)
      if (!batch || queue.retryAt > now) continue
      if (taken.length > 0 && bytes + batch.sizeBytes > host.maxRequestSize) break
      bytes += batch.sizeBytes
      taken.push({ queue, batch: host.take(queue, this.nodeId, version) })
      this.queues.delete(queue)
      if (queue.waiting > 0) this.queues.add(queue)
    }
    const encoded: EncodedProducerBatch[] = []
    const compressing: Promise<void>[] = []
    for (const { queue, batch } of taken) {
      const keep = (bytes: Uint8Array) => void encoded.push({ queue, batch, bytes })
      const fail = (error: unknown) => host.unencodable(queue, batch, error)
      try {
        const bytes = host.encode(batch, version)
        if (bytes instanceof Uint8Array) keep(bytes)
        else compressing.push(bytes.then(keep).catch(fail))
      } catch (error) {
        fail(error)
      }
    }
    if (compressing.length > 0) await Promise.all(compressing)
    return encoded
  }

  private wakeAt(time: number): void {
    if (time >= this.timerAt && this.timer) return
    this.timer?.cancel()
    this.timerAt = time
    this.timer = this.host.clock.setTimer(Math.max(0, Math.ceil(time - this.host.clock.monotonic())), () => {
      this.timer = undefined
      this.wake()
    })
  }
}
