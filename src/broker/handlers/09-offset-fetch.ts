/**
 * OffsetFetch. Gives what a group has committed, -1 where it has nothing. v2 brought "all topics" and an error for the whole
 * answer, v5 leader epochs, v7 requireStable: an error while an open transaction is about to change the offset (KIP-447), v8 many groups at once, v9 the member that
 * asks (KIP-848), v10 topic ids.
 */
import { OffsetFetch } from '../../protocol/apis/09-offset-fetch.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { NO_UUID } from '../../protocol/schema.ts'
import type { Cluster } from '../cluster.ts'
import { handler } from '../handler.ts'

const MANY_SINCE = 8
const IDS_SINCE = 10

interface Wanted {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}

export const offsetFetch = handler(OffsetFetch, ({ groupId, topics, groups, requireStable }, { cluster, node, version }) => {
  if (version >= MANY_SINCE) {
    return {
      groups: groups.map(({ groupId, topics }) => {
        const errorCode = cluster.groups.fault(groupId, node, false)
        return {
          groupId,
          errorCode,
          topics: errorCode === ErrorCode.NONE ? offsetsOf(groupId, topics, requireStable, cluster, version) : [],
        }
      }),
    }
  }
  const fault = cluster.groups.fault(groupId, node, false)
  const wanted = topics?.map(({ name, partitionIndexes }) => ({ name, topicId: NO_UUID, partitionIndexes })) ?? null
  if (fault === ErrorCode.NONE)
    return { topics: offsetsOf(groupId, wanted, requireStable, cluster, version), errorCode: ErrorCode.NONE }
  // Only the partitions could carry an error then.
  if (version < 2)
    return {
      topics: (wanted ?? []).map(topic => ({ ...topic, partitions: topic.partitionIndexes.map(index => nothing(index, fault)) })),
    }
  return { topics: [], errorCode: fault }
})

function offsetsOf(groupId: string, topics: readonly Wanted[] | null, requireStable: boolean, cluster: Cluster, version: number) {
  const offsets = cluster.groups.get(groupId)?.offsets
  const wanted =
    topics ??
    [...(offsets?.all() ?? [])].map(({ topic, partitions }) => ({
      name: topic,
      topicId: version >= IDS_SINCE ? (cluster.topic(topic)?.id ?? NO_UUID) : NO_UUID,
      partitionIndexes: partitions,
    }))
  return wanted.map(({ name, topicId, partitionIndexes }) => {
    const topic = version >= IDS_SINCE ? cluster.topicById(topicId)?.name : name
    return {
      name,
      topicId,
      partitions: partitionIndexes.map(partitionIndex => {
        if (topic === undefined) return nothing(partitionIndex, ErrorCode.UNKNOWN_TOPIC_ID)
        if (requireStable && offsets?.isUnstable(topic, partitionIndex))
          return nothing(partitionIndex, ErrorCode.UNSTABLE_OFFSET_COMMIT)
        const committed = offsets?.get(topic, partitionIndex)
        if (!committed) return nothing(partitionIndex, ErrorCode.NONE)
        return {
          partitionIndex,
          committedOffset: committed.offset,
          committedLeaderEpoch: committed.leaderEpoch,
          metadata: committed.metadata,
          errorCode: ErrorCode.NONE,
        }
      }),
    }
  })
}

const nothing = (partitionIndex: number, errorCode: number) => ({
  partitionIndex,
  committedOffset: -1n,
  committedLeaderEpoch: -1,
  metadata: '',
  errorCode,
})
