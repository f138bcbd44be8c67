import type { Client } from '../client/client.ts'
import { PartitionMap, type TopicPartition } from '../client/partition-map.ts'
import { KafkaError, TimeoutError } from '../errors.ts'
import { ListOffsets } from '../protocol/apis/02-list-offsets.ts'
import { brokerError, ErrorCode, errorRow } from '../protocol/error-codes.ts'
import { Deadline } from '../util/deadline.ts'

/** Special timestamps of ListOffsets. */
export const EARLIEST = -2n
export const LATEST = -1n

/** The first record at or after a time. */
export interface OffsetAtTime {
  readonly offset: bigint
  /** The record's own timestamp, in milliseconds. */
  readonly timestamp: number
  /** Epoch of the leader that appended it; null when unknown. */
  readonly leaderEpoch: number | null
}
export interface ListedOffset {
  /** -1 where no record is that late. */
  readonly offset: bigint
  readonly timestamp: bigint
  readonly leaderEpoch: number
}
interface LookupOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Asks leaders for offsets by time (ListOffsets), whatever is assigned; nothing moves. */
export class OffsetLookup {
  private readonly client: Client
  private readonly isolationLevel: 0 | 1

  constructor(client: Client, isolationLevel: 0 | 1) {
    this.client = client
    this.isolationLevel = isolationLevel
  }

  /** All of them, retried until the deadline. Rejects with the first error that retrying will not mend, or TimeoutError. */
  async list(times: PartitionMap<bigint>, { timeoutMs, signal }: LookupOptions): Promise<PartitionMap<ListedOffset>> {
    const deadline = new Deadline(this.client.runtime.clock, timeoutMs)
    const found = new PartitionMap<ListedOffset>()
    let missing = times
    let cause: Error | undefined
    for (let attempts = 1; missing.size > 0; attempts++) {
      const round = await this.attempt(missing, deadline, signal)
      for (const [key, offset] of round.found) found.set(key, offset)
      for (const error of round.failed.values()) {
        if (!(KafkaError.is(error) && error.retriable)) throw error
        cause = error
      }
      missing = PartitionMap.from([...missing].filter(([key]) => !found.has(key)))
      if (missing.size === 0) break
      if (deadline.passed)
        throw new TimeoutError('looking up offsets', timeoutMs, { cause, hint: cause?.message ?? 'no leader answered' })
      const delayMs = Math.min(deadline.remainingMs, this.client.retryBackoffMs(attempts))
      if (cause) this.client.retrying({ api: 'ListOffsets', attempts, delayMs, error: cause })
      await this.client.delay(delayMs, signal)
    }
    return found
  }

  /** One round: what was found, and for the rest why not. Rejects only when the signal fires or the client is closed. */
  async attempt(
    times: PartitionMap<bigint>,
    deadline: Deadline,
    signal?: AbortSignal,
  ): Promise<{ readonly found: PartitionMap<ListedOffset>; readonly failed: PartitionMap<Error> }> {
    const found = new PartitionMap<ListedOffset>()
    const failed = new PartitionMap<Error>()
    const { metadata } = this.client
    const unknown = await metadata.locate([...new Set([...times.keys()].map(({ topic }) => topic))], {
      timeoutMs: deadline.remainingMs,
      ...(signal ? { signal } : {}),
    })
    const byLeader = new Map<number, { key: TopicPartition; timestamp: bigint; leaderEpoch: number }[]>()
    for (const [key, timestamp] of times) {
      const leader = metadata.leaderOf(key.topic, key.partition)
      const error = unknown.get(key.topic)
      if (error) failed.set(key, error)
      else if (!leader) failed.set(key, brokerError(this.reasonWithout(key), { api: 'ListOffsets', ...key }))
      else
        byLeader.set(leader.nodeId, [...(byLeader.get(leader.nodeId) ?? []), { key, timestamp, leaderEpoch: leader.leaderEpoch }])
    }
    await Promise.all(
      [...byLeader].map(async ([nodeId, queries]) => {
        try {
          await this.ask(nodeId, queries, deadline, found, failed, signal)
        } catch (error) {
          for (const { key } of queries) failed.set(key, error as Error)
        }
      }),
    )
    if (signal?.aborted) throw signal.reason
    if ([...failed.values()].some(error => KafkaError.is(error) && error.retriable))
      await metadata.refresh('looking up offsets failed').catch(() => {})
    return { found, failed }
  }

  private reasonWithout({ topic, partition }: TopicPartition): number {
    const known = this.client.metadata.topic(topic)
    return known && partition < known.partitions.length ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }

  private async ask(
    nodeId: number,
    queries: readonly { key: TopicPartition; timestamp: bigint; leaderEpoch: number }[],
    deadline: Deadline,
    found: PartitionMap<ListedOffset>,
    failed: PartitionMap<Error>,
    signal?: AbortSignal,
  ): Promise<void> {
    const topics = new Map<string, { partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint }[]>()
    for (const { key, timestamp, leaderEpoch } of queries) {
      let partitions = topics.get(key.topic)
      if (!partitions) topics.set(key.topic, (partitions = []))
      partitions.push({ partitionIndex: key.partition, currentLeaderEpoch: leaderEpoch, timestamp })
    }
    const timeoutMs = Math.max(1, Math.floor(Math.min(deadline.remainingMs, this.client.options.requestTimeoutMs)))
    const response = await this.client.sendTo(
      nodeId,
      ListOffsets,
      {
        replicaId: -1,
        // Before v2 there were no transactions.
        isolationLevel: this.isolationLevel,
        topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
        timeoutMs,
      },
      { lane: 'other', timeoutMs, signal },
    )
    for (const { name, partitions } of response.topics) {
      for (const { partitionIndex: partition, errorCode, offset, oldStyleOffsets, timestamp, leaderEpoch } of partitions) {
        if (errorCode === ErrorCode.NONE)
          found.set(name, partition, { offset: oldStyleOffsets[0] ?? offset, timestamp, leaderEpoch })
        // A log too old for timestamps has no record that late, as far as anyone can tell.
        else if (errorRow(errorCode).name === 'UNSUPPORTED_FOR_MESSAGE_FORMAT')
          found.set(name, partition, { offset: -1n, timestamp: -1n, leaderEpoch: -1 })
        else failed.set(name, partition, brokerError(errorCode, { api: 'ListOffsets', topic: name, partition }))
      }
    }
    for (const { key } of queries) {
      if (!found.has(key) && !failed.has(key))
        failed.set(key, brokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, { api: 'ListOffsets', ...key }))
    }
  }
}
