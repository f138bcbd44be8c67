import type { RecordHeader } from '../serde/index.ts'

/** What a partitioner may look at. */
export interface PartitionedTopic {
  readonly topic: string
  readonly partitionCount: number
  /** Partitions that have a leader at the moment. */
  readonly available: readonly number[]
}
export interface PartitionedRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

/** Chooses the partition of a record: from 0 to `partitionCount` - 1. Must be quick and synchronous. */
export type Partitioner = (record: PartitionedRecord, topic: PartitionedTopic) => number

/** The 32-bit MurmurHash2 (public domain, Austin Appleby) with the seed that Kafka's Java client uses, as a signed int32. */
export function murmur2(bytes: Uint8Array): number {
  const M = 0x5bd1e995
  const length = bytes.length
  let hash = 0x9747b28c ^ length
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    hash = Math.imul(hash, M) ^ Math.imul(k, M)
  }
  const rest = length - whole
  if (rest > 0) {
    if (rest === 3) hash ^= bytes[whole + 2]! << 16
    if (rest >= 2) hash ^= bytes[whole + 1]! << 8
    hash = Math.imul(hash ^ bytes[whole]!, M)
  }
  hash ^= hash >>> 13
  hash = Math.imul(hash, M)
  return hash ^ (hash >>> 15)
}

/** The partition of a key, the same as the Java client's: an empty key is hashed like any other. */
export const partitionOfKey = (key: Uint8Array, partitionCount: number): number => (murmur2(key) & 0x7fffffff) % partitionCount

/** The partition count and load that the sticky partitioner chooses by. */
export interface PartitionLoad {
  readonly partitionCount: number
  /** Partitions that have a leader, and whose broker takes records. */
  readonly available: readonly number[]
  /** Batches waiting per available partition, in the same order; undefined: choose evenly. */
  readonly queued: readonly number[] | undefined
}

/**
 * Records without a key (KIP-480, KIP-794): all go to one partition until about a batch's worth of bytes is there,
 * then to another, chosen at random and the less often the more it has waiting. So batches fill up, and slow
 * brokers get fewer of them.
 */
export class StickyPartitioner {
  private readonly stickyBytes: number
  private readonly random: () => number
  private readonly load: () => PartitionLoad
  private current = -1
  private produced = 0

  constructor(options: { stickyBytes: number; random: () => number; load: () => PartitionLoad }) {
    this.stickyBytes = options.stickyBytes
    this.random = options.random
    this.load = options.load
  }

  /** The partition for the next record. */
  partition(): number {
    if (this.current < 0) this.current = choosePartition(this.load(), this.random)
    return this.current
  }

  /**
   * Notes what was appended. A switch waits for the batch at hand to be full, so that the one left behind does not
   * linger half empty; a partition never gets more than twice its share for that.
   */
  appended(bytes: number, batchFull: boolean): void {
    this.produced += bytes
    if (this.produced >= this.stickyBytes * 2 || (this.produced >= this.stickyBytes && batchFull)) this.leave()
  }

  /** Chooses anew at the next record unless the partition is among these, which have a leader. */
  keepTo(available: readonly number[]): void {
    if (this.current >= 0 && available.length > 0 && !available.includes(this.current)) this.leave()
  }

  private leave(): void {
    this.current = -1
    this.produced = 0
  }
}

/** One partition at random: evenly, or by the inverse of the queues (KIP-794). */
export function choosePartition({ partitionCount, available, queued }: PartitionLoad, random: () => number): number {
  if (available.length === 0) return Math.floor(random() * partitionCount)
  if (queued === undefined) return available[Math.floor(random() * available.length)]!
  let longest = 0
  for (const length of queued) if (length > longest) longest = length
  let total = 0
  for (const length of queued) total += longest + 1 - length
  let at = Math.floor(random() * total)
  for (let i = 0; i < available.length; i++) {
    at -= longest + 1 - queued[i]!
    if (at < 0) return available[i]!
  }
  return available[available.length - 1]!
}
