/**
 * OffsetCommit. Stores offsets for a current member of the group, or for anybody while the group is empty. v1 brought the
 * generation, v6 leader epochs (KIP-320), v7 static members, v10 topic ids (KIP-848). Retention and timestamps are ignored.
 */
import { OffsetCommit } from '../../protocol/apis/08-offset-commit.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

export const offsetCommit = handler(OffsetCommit, (request, { cluster, node, version }) => {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  const fault = cluster.groups.fault(groupId, node, false) || groupFault()
  const maxMetadata = cluster.settings.number('offset.metadata.max.bytes')
  return {
    topics: request.topics.map(({ name, topicId, partitions }) => {
      const topic = cluster.topicOf({ name, topicId })
      return {
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
          const answer = (errorCode: number) => ({ partitionIndex, errorCode })
          if (!topic) return answer(version >= 10 ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
          if (!topic.partitions[partitionIndex]) return answer(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
          if (fault !== ErrorCode.NONE) return answer(fault)
          const metadata = committedMetadata ?? ''
          if (metadata.length > maxMetadata) return answer(ErrorCode.OFFSET_METADATA_TOO_LARGE)
          cluster.groups.getOrCreate(groupId).offsets.set(topic.name, partitionIndex, {
            offset: committedOffset,
            leaderEpoch: committedLeaderEpoch,
            metadata,
            committedAtMs: cluster.runtime.clock.now(),
          })
          return answer(ErrorCode.NONE)
        }),
      }
    }),
  }

  function groupFault(): number {
    const group = cluster.groups.get(groupId)
    if (group) return group.commitFault(memberId, groupInstanceId, generationId)
    // Whoever claims to be a member of a group that does not exist is mistaken.
    return generationId < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  }
})
