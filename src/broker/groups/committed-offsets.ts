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

  delete(topic: string, partition: number): boolean {
    const partitions = this.topics.get(topic)
    const deleted = partitions?.delete(partition) ?? false
    if (partitions?.size === 0) this.topics.delete(topic)
    return deleted
  }

  /** A deleted topic takes its offsets with it: one of the same name starts without. */
  forgetTopic(topic: string): void {
    this.topics.delete(topic)
  }

  /** All partitions with an offset, by topic. */
  *all(): Generator<{ readonly topic: string; readonly partitions: readonly number[] }> {
    for (const [topic, partitions] of this.topics) yield { topic, partitions: [...partitions.keys()] }
  }
}
