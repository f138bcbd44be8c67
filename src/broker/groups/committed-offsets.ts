export interface CommittedOffset {
  readonly offset: bigint
  /** -1 when the client did not say. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly committedAtMs: number
}

/** What a group has committed, by topic and partition. */
export class CommittedOffsets {
  private readonly topics = new Map<string, Map<number, CommittedOffset>>()
  /** By producer id: what waits for the end of its transaction. */
  private readonly pending = new Map<
    bigint,
    { readonly topic: string; readonly partition: number; readonly committed: CommittedOffset }[]
  >()

  get size(): number {
    return this.topics.size
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.topics.get(topic)?.get(partition)
  }

  set(topic: string, partition: number, committed: CommittedOffset): void {
    const partitions = this.topics.get(topic)
    if (partitions) partitions.set(partition, committed)
    else this.topics.set(topic, new Map([[partition, committed]]))
  }

  /** Keeps an offset until the producer's transaction ends. */
  setLater(producerId: bigint, topic: string, partition: number, committed: CommittedOffset): void {
    const entry = { topic, partition, committed }
    const entries = this.pending.get(producerId)
    if (entries) entries.push(entry)
    else this.pending.set(producerId, [entry])
  }

  /** The transaction ended: what it holds here becomes valid, or is forgotten. */
  settle(producerId: bigint, commit: boolean): void {
    const entries = this.pending.get(producerId) ?? []
    this.pending.delete(producerId)
    if (commit) for (const { topic, partition, committed } of entries) this.set(topic, partition, committed)
  }

  /** Whether an open transaction is about to change the offset (KIP-447). */
  isUnstable(topic: string, partition: number): boolean {
    for (const entries of this.pending.values())
      if (entries.some(entry => entry.topic === topic && entry.partition === partition)) return true
    return false
  }

  delete(topic: string, partition: number): boolean {
    const partitions = this.topics.get(topic)
    const deleted = partitions?.delete(partition) ?? false
    if (partitions?.size === 0) this.topics.delete(topic)
    return deleted
  }

  /** A deleted topic takes its offsets with it: one of the same name starts without. */
  forgetTopic(topic: string): void {
    this.topics.delete(topic)
    for (const [producerId, entries] of this.pending)
      this.pending.set(
        producerId,
        entries.filter(entry => entry.topic !== topic),
      )
  }

  /** All partitions with an offset, by topic. */
  *all(): Generator<{ readonly topic: string; readonly partitions: readonly number[] }> {
    for (const [topic, partitions] of this.topics) yield { topic, partitions: [...partitions.keys()] }
  }
}
