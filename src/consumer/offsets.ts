import type { Client } from '../client/client.ts'
import { PartitionMap, type TopicPartition } from '../client/partition-map.ts'
import { KafkaError, TimeoutError } from '../errors.ts'
import { OffsetCommit } from '../protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../protocol/apis/09-offset-fetch.ts'
import { brokerError, ErrorCode, errorRow } from '../protocol/error-codes.ts'
import { type Api, NO_UUID } from '../protocol/schema.ts'
import type { Deadline } from '../util/deadline.ts'
import { invalid } from './subscription.ts'

/** An offset to commit or seek: that of the next record to read. */
export interface OffsetToCommit {
  readonly offset: bigint | number
  /** Epoch of the leader that appended the record before it, by which a truncated log is noticed (KIP-320). */
  readonly leaderEpoch?: number | null
  /** Free text kept with the offset. */
  readonly metadata?: string | null
}
/** A PartitionMap, or pairs of partition and offset. */
export type OffsetsInput = Iterable<readonly [TopicPartition, bigint | number | OffsetToCommit]>

export interface CommittedOffset {
  readonly offset: bigint
  /** null when it was committed without one. */
  readonly leaderEpoch: number | null
  readonly metadata: string
}
/** The identity under which offsets are committed: generation -1 and no member id outside a group. */
export interface GroupMetadata {
  readonly groupId: string
  readonly generationId: number
  readonly memberId: string
  readonly groupInstanceId: string | null
}
export interface CheckedOffset {
  readonly offset: bigint
  readonly leaderEpoch: number
  readonly metadata: string
}

/** Validates what a user gave. Throws ERR_INVALID_ARGUMENT. */
export function checkedOffset(input: bigint | number | OffsetToCommit): CheckedOffset {
  const given = typeof input === 'object' && input !== null ? input : { offset: input }
  const { offset } = given
  if (typeof offset === 'number' ? !Number.isSafeInteger(offset) || offset < 0 : typeof offset !== 'bigint' || offset < 0n)
    throw invalid(`${String(offset)} is no offset: use a bigint or a safe integer, 0 or more`)
  return { offset: BigInt(offset), leaderEpoch: given.leaderEpoch ?? -1, metadata: given.metadata ?? '' }
}

interface StoreOptions {
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
}

/** The offsets a group has committed, kept by its coordinator. */
export class OffsetStore {
  private readonly client: Client
  private readonly groupId: string
  private readonly requireStable: boolean

  constructor(client: Client, groupId: string, requireStable: boolean) {
    this.client = client
    this.groupId = groupId
    this.requireStable = requireStable
  }

  /** Retries what may pass until the deadline; rejects with what the group or the broker objects to. */
  async commit(offsets: PartitionMap<CheckedOffset>, member: GroupMetadata, options: StoreOptions): Promise<void> {
    if (offsets.size === 0) return
    const { metadata } = this.client
    await this.untilDone(OffsetCommit, 'committing offsets', options, async (nodeId, timeoutMs) => {
      let withIds = true
      const ids = new Map<string, string>()
      const topics = [...offsets.topicNames()].map(name => {
        const topicId = metadata.topic(name)?.topicId ?? NO_UUID
        if (topicId === NO_UUID) withIds = false
        ids.set(topicId, name)
        return {
          name,
          topicId,
          partitions: [] as {
            partitionIndex: number
            committedOffset: bigint
            committedLeaderEpoch: number
            committedMetadata: string
          }[],
        }
      })
      const byName = new Map(topics.map(topic => [topic.name, topic]))
      for (const [{ topic, partition }, { offset, leaderEpoch, metadata: text }] of offsets)
        byName.get(topic)?.partitions.push({
          partitionIndex: partition,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch,
          committedMetadata: text,
        })
      const response = await this.client.sendTo(
        nodeId,
        OffsetCommit,
        {
          groupId: this.groupId,
          generationIdOrMemberEpoch: member.generationId,
          memberId: member.memberId,
          groupInstanceId: member.groupInstanceId,
          topics,
        },
        { lane: 'other', timeoutMs, maxVersion: withIds ? undefined : 9, signal: options.signal },
      )
      for (const topic of response.topics) {
        for (const { partitionIndex: partition, errorCode } of topic.partitions) {
          if (errorCode !== ErrorCode.NONE)
            throw commitError(errorCode, { topic: topic.name || (ids.get(topic.topicId) ?? topic.topicId), partition })
        }
      }
    })
  }

  /** What is committed; null where nothing is, also for a topic that does not exist. What the broker left out is missing. */
  async fetch(partitions: Iterable<TopicPartition>, options: StoreOptions): Promise<PartitionMap<CommittedOffset | null>> {
    const wanted = [...partitions]
    const result = new PartitionMap<CommittedOffset | null>()
    if (wanted.length === 0) return result
    await this.untilDone(OffsetFetch, 'fetching committed offsets', options, async (nodeId, timeoutMs) => {
      const byName = new Map<string, number[]>()
      for (const { topic, partition } of wanted) byName.set(topic, [...(byName.get(topic) ?? []), partition])
      const topics = [...byName].map(([name, partitionIndexes]) => ({ name, partitionIndexes }))
      // v10 names topics by id only, and would hide offsets of a topic that was deleted: names say all that is needed here.
      const version = Math.min(9, await this.client.versionOf(nodeId, OffsetFetch, { lane: 'other', timeoutMs }))
      const { groupId, requireStable } = this
      const response = await this.client.sendTo(
        nodeId,
        OffsetFetch,
        version >= 8
          ? { groups: [{ groupId, topics }], requireStable }
          : { groupId, topics, ...(version >= 7 ? { requireStable } : {}) },
        { lane: 'other', timeoutMs, version, signal: options.signal },
      )
      const group = version >= 8 ? response.groups.find(entry => entry.groupId === groupId) : response
      if (!group)
        throw brokerError(ErrorCode.UNKNOWN_SERVER_ERROR, { api: 'OffsetFetch', message: 'the group is missing in the answer' })
      if (group.errorCode !== ErrorCode.NONE) throw brokerError(group.errorCode, { api: 'OffsetFetch' })
      for (const { name, partitions: answered } of group.topics) {
        for (const { partitionIndex, errorCode, committedOffset, committedLeaderEpoch, metadata } of answered) {
          if (errorCode !== ErrorCode.NONE && errorCode !== ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
            throw brokerError(errorCode, { api: 'OffsetFetch', topic: name, partition: partitionIndex })
          const leaderEpoch = committedLeaderEpoch < 0 ? null : committedLeaderEpoch
          result.set(
            name,
            partitionIndex,
            committedOffset < 0n ? null : { offset: committedOffset, leaderEpoch, metadata: metadata ?? '' },
          )
        }
      }
    })
    return result
  }

  private async untilDone(
    api: Api,
    operation: string,
    { deadline, signal }: StoreOptions,
    attempt: (nodeId: number, timeoutMs: number) => Promise<void>,
  ): Promise<void> {
    const { client, groupId } = this
    for (let attempts = 1; ; attempts++) {
      try {
        const nodeId = await client.coordinator('group', groupId, deadline, signal)
        return await attempt(nodeId, Math.max(1, Math.min(deadline.remainingMs, client.options.requestTimeoutMs)))
      } catch (error) {
        if (!KafkaError.is(error) || !error.retriable || error.code === 'ERR_REBALANCE_IN_PROGRESS') throw error
        const row = 'errorCode' in error && typeof error.errorCode === 'number' ? errorRow(error.errorCode) : undefined
        if (row?.action !== 'retry' && row?.action !== 'refresh-metadata') client.forgetCoordinator('group', groupId)
        const pause = client.retryBackoffMs(attempts)
        if (deadline.remainingMs <= pause)
          throw error.code === 'ERR_TIMEOUT'
            ? error
            : new TimeoutError(operation, deadline.timeoutMs, { cause: error, hint: error.message })
        client.retrying({ api: api.name, attempts, delayMs: pause, error })
        await client.delay(pause, signal)
      }
    }
  }
}

/** For a partition that an answer left out: taken for one without a commit, it would be read by the reset policy. */
export const leftOut = ({ topic, partition }: TopicPartition): Error =>
  brokerError(ErrorCode.UNKNOWN_SERVER_ERROR, {
    api: 'OffsetFetch',
    topic,
    partition,
    message: 'the partition is missing in the answer',
  })

function commitError(errorCode: number, where: { topic: string; partition: number }): Error {
  const cause = brokerError(errorCode, { api: 'OffsetCommit', ...where })
  switch (errorCode) {
    case ErrorCode.REBALANCE_IN_PROGRESS:
      return new KafkaError(
        'ERR_REBALANCE_IN_PROGRESS',
        'offsets were not committed, the group is rebalancing: commit in onRevoked, or again after the next poll()',
        { cause, retriable: true },
      )
    case ErrorCode.UNKNOWN_MEMBER_ID:
    case ErrorCode.ILLEGAL_GENERATION:
    case ErrorCode.STALE_MEMBER_EPOCH:
      return new KafkaError(
        'ERR_COMMIT_FAILED',
        'offsets were not committed, the group went on without this member and its partitions may be with another by now: ' +
          'poll more often than maxPollIntervalMs, with smaller maxPollRecords, and let the event loop run',
        { cause },
      )
    default:
      return cause
  }
}
