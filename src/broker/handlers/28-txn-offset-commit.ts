/**
 * TxnOffsetCommit. Offsets that become the group's when their transaction commits. v3 brought the member and its generation, so
 * that a member thrown out is fenced (KIP-447), v5 the implicit AddOffsetsToTxn (KIP-890), v6 topic ids.
 */
import { TxnOffsetCommit } from '../../protocol/apis/28-txn-offset-commit.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { commitOffsets } from '../groups/offset-commit.ts'
import { handler } from '../handler.ts'

const IMPLICIT_SINCE = 5
const IDS_SINCE = 6

export const txnOffsetCommit = handler(TxnOffsetCommit, (request, context) => {
  const { cluster, node, version } = context
  const { transactionalId, groupId, producerId, producerEpoch, generationIdOrMemberEpoch: generationId } = request
  const fault = cluster.groups.fault(groupId, node, true) || groupFault() || transactionFault()
  return {
    throttleTimeMs: 0,
    topics: commitOffsets(request, context, fault, IDS_SINCE, (...place) =>
      cluster.groups.getOrCreate(groupId).offsets.setLater(producerId, ...place),
    ),
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
