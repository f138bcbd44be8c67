import type { Timer } from '../runtime/runtime.ts'
import type { Cluster } from './cluster.ts'
import { Outbox, type OutboxHost } from './outbox.ts'
import type { PartitionQueue } from './partition-queue.ts'

/** Which outbox the batches of a partition wait in: that of its leader, wherever this moves. */
export class Placement {
  private readonly cluster: Cluster
  private readonly host: OutboxHost
  private readonly outboxes = new Map<number, Outbox>()
  /** Queues that hold batches; without an outbox while their partition has no leader. */
  private readonly places = new Map<PartitionQueue, Outbox | undefined>()
  private timer: Timer | undefined
  private readonly stopListening: () => void

  constructor(cluster: Cluster, host: OutboxHost) {
    this.cluster = cluster
    this.host = host
    this.stopListening = cluster.metadata.onChange(() => this.relocate())
  }

  /** Queues that hold batches. */
  get queues(): Iterable<PartitionQueue> {
    return this.places.keys()
  }

  get isEmpty(): boolean {
    return this.places.size === 0
  }

  /** Where a queue waits at present. */
  of(queue: PartitionQueue): Outbox | undefined {
    return this.places.get(queue)
  }

  outboxOf(nodeId: number): Outbox | undefined {
    return this.outboxes.get(nodeId)
  }

  /** A queue with batches to send goes to its leader's outbox. Undefined while it has none. */
  place(queue: PartitionQueue): Outbox | undefined {
    const leader = this.cluster.metadata.leaderOf(queue.topic, queue.partition)
    const before = this.places.get(queue)
    if (before && before.nodeId === leader?.nodeId) {
      before.queues.add(queue)
      return before
    }
    before?.queues.delete(queue)
    const outbox = leader && this.outbox(leader.nodeId)
    this.places.set(queue, outbox)
    outbox?.queues.add(queue)
    if (!outbox) this.findLeaders()
    return outbox
  }

  /** A queue without batches. */
  remove(queue: PartitionQueue): void {
    this.places.get(queue)?.queues.delete(queue)
    this.places.delete(queue)
  }

  wakeAll(): void {
    for (const outbox of this.outboxes.values()) outbox.wake()
  }

  /** Metadata is asked for; at most one request is under way at a time. */
  refresh(reason: string): void {
    this.cluster.metadata
      .refresh(reason)
      .catch((error: unknown) => this.cluster.logger.debug({ err: error }, 'a metadata refresh failed'))
  }

  stop(): void {
    this.stopListening()
    this.timer?.cancel()
    for (const outbox of this.outboxes.values()) outbox.stop()
  }

  private outbox(nodeId: number): Outbox {
    let outbox = this.outboxes.get(nodeId)
    if (!outbox) {
      outbox = new Outbox(nodeId, this.host)
      this.outboxes.set(nodeId, outbox)
    }
    return outbox
  }

  /** The metadata changed: partitions follow their leaders. */
  private relocate(): void {
    for (const [queue, before] of this.places)
      if (queue.waiting > 0 && this.place(queue) !== before) this.places.get(queue)?.wake()
    for (const [nodeId, outbox] of this.outboxes) {
      if (outbox.queues.size > 0 || outbox.inFlight > 0) continue
      outbox.stop()
      this.outboxes.delete(nodeId)
    }
  }

  /** Asks until each partition with batches has a leader. */
  private findLeaders(): void {
    if (this.timer) return
    this.refresh('a partition with records to send has no leader')
    this.timer = this.cluster.runtime.clock.setTimer(Math.ceil(this.cluster.retryBackoffMs(3)), () => {
      this.timer = undefined
      for (const outbox of this.places.values()) if (!outbox) return this.findLeaders()
    })
  }
}
