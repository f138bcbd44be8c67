import { type InspectOptions, inspect } from 'node:util'

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/**
 * A map keyed by partition, with value equality: two `{ topic, partition }` objects that name the same partition are the
 * same key, which a JavaScript `Map` of objects would not see. Iterates in order of insertion, topic by topic.
 *
 *     for (const [{ topic, partition }, end] of await consumer.endOffsets(partitions)) …
 */
export class PartitionMap<V> implements Iterable<[TopicPartition, V]> {
  private readonly topics = new Map<string, Map<number, V>>()
  private count = 0

  /** A map of the given entries; a later entry replaces an earlier one of the same partition. */
  static from<V>(entries: Iterable<readonly [TopicPartition, V]>): PartitionMap<V> {
    const map = new PartitionMap<V>()
    for (const [key, value] of entries) map.set(key, value)
    return map
  }

  get size(): number {
    return this.count
  }

  get(topic: string, partition: number): V | undefined
  get(key: TopicPartition): V | undefined
  get(key: TopicPartition | string, partition = -1): V | undefined {
    return typeof key === 'string' ? this.topics.get(key)?.get(partition) : this.topics.get(key.topic)?.get(key.partition)
  }

  has(topic: string, partition: number): boolean
  has(key: TopicPartition): boolean
  has(key: TopicPartition | string, partition = -1): boolean {
    const [topic, index] = typeof key === 'string' ? [key, partition] : [key.topic, key.partition]
    return this.topics.get(topic)?.has(index) ?? false
  }

  set(topic: string, partition: number, value: V): this
  set(key: TopicPartition, value: V): this
  set(...args: [string, number, V] | [TopicPartition, V]): this {
    if (args.length === 3) this.put(args[0], args[1], args[2])
    else this.put(args[0].topic, args[0].partition, args[1])
    return this
  }

  private put(topic: string, partition: number, value: V): void {
    let partitions = this.topics.get(topic)
    if (!partitions) this.topics.set(topic, (partitions = new Map()))
    const before = partitions.size
    partitions.set(partition, value)
    this.count += partitions.size - before
  }

  /** Whether there was such a partition. */
  delete(topic: string, partition: number): boolean
  delete(key: TopicPartition): boolean
  delete(key: TopicPartition | string, partition = -1): boolean {
    const [topic, index] = typeof key === 'string' ? [key, partition] : [key.topic, key.partition]
    const partitions = this.topics.get(topic)
    if (!partitions?.delete(index)) return false
    this.count--
    if (partitions.size === 0) this.topics.delete(topic)
    return true
  }

  clear(): void {
    this.topics.clear()
    this.count = 0
  }

  *entries(): IterableIterator<[TopicPartition, V]> {
    for (const [topic, partitions] of this.topics) {
      for (const [partition, value] of partitions) yield [{ topic, partition }, value]
    }
  }

  *keys(): IterableIterator<TopicPartition> {
    for (const [topic, partitions] of this.topics) {
      for (const partition of partitions.keys()) yield { topic, partition }
    }
  }

  *values(): IterableIterator<V> {
    for (const partitions of this.topics.values()) yield* partitions.values()
  }

  /** Names of the topics that have at least one partition here. */
  topicNames(): IterableIterator<string> {
    return this.topics.keys()
  }

  [Symbol.iterator](): IterableIterator<[TopicPartition, V]> {
    return this.entries()
  }

  forEach(visit: (value: V, key: TopicPartition) => void): void {
    for (const [key, value] of this.entries()) visit(value, key)
  }

  /** A new map with each value replaced. */
  map<W>(change: (value: V, key: TopicPartition) => W): PartitionMap<W> {
    const result = new PartitionMap<W>()
    for (const [key, value] of this.entries()) result.set(key, change(value, key))
    return result
  }

  /** `{ topic, partition, value }` objects; bigint values as decimal strings, since JSON has no bigint. */
  toJSON(): { topic: string; partition: number; value: unknown }[] {
    return Array.from(this.entries(), ([key, value]) => ({ ...key, value: typeof value === 'bigint' ? value.toString() : value }))
  }
  [inspect.custom](_: number, options: InspectOptions): string {
    const entries = Array.from(this.entries(), ([{ topic, partition }, value]) => [`${topic}-${partition}`, value] as const)
    return `Partition${inspect(new Map(entries), options)}`
  }
}
