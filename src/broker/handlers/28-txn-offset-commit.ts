/**
 * TxnOffsetCommit. Offsets that become the group's when their transaction commits. v3 brought the member and its generation, so
 * that a member thrown out is fenced (KIP-447), v5 the implicit AddOffsetsToTxn (KIP-890), v6 topic ids.
 */
import { TxnOffsetCommit } from '../../protocol/apis/28-txn-offset-commit.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

const IMPLICIT_SINCE = 5
const IDS_SINCE = 6

export const txnOffsetCommit = handler(TxnOffsetCommit, (request, { cluster, node, version }) => {
  const { transactionalId, groupId, producerId, producerEpoch, generationIdOrMemberEpoch: generationId } = request
  const fault = cluster.groups.fault(groupId, node, true) || groupFault() || transactionFault()
  const maxMetadata = cluster.settings.number('offset.metadata.max.bytes')
  return {
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, topicId, partitions }) => {
      const topic = cluster.topicOf({ name, topicId })
      return {
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
          const answer = (errorCode: number) => ({ partitionIndex, errorCode })
          if (!topic) return answer(version >= IDS_SINCE ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
          if (!topic.partitions[partitionIndex]) return answer(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
          if (fault !== ErrorCode.NONE) return answer(fault)
          const metadata = committedMetadata ?? ''
          if (metadata.length > maxMetadata) return answer(ErrorCode.OFFSET_METADATA_TOO_LARGE)
          cluster.groups.getOrCreate(groupId).offsets.setLater(producerId, topic.name, partitionIndex, {
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
    if (group) return group.transactionalCommitFault(request.memberId, request.groupInstanceId, generationId)
    return generationId < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  }

  function transactionFault(): number {
    const claimed = { producerId, producerEpoch }
    if (version >= IMPLICIT_SINCE) return cluster.transactions.add(transactionalId, claimed, { groups: [groupId] })
    return cluster.transactions.includes(transactionalId, claimed, groupId) ? ErrorCode.NONE : ErrorCode.INVALID_TXN_STATE
  }
})
