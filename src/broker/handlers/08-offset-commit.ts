/**
 * OffsetCommit. Stores offsets for a current member of the group, or for anybody while the group is empty. v1 brought the
 * generation, v6 leader epochs (KIP-320), v7 static members, v10 topic ids (KIP-848). Retention and timestamps are ignored.
 */
import { OffsetCommit } from '../../protocol/apis/08-offset-commit.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { commitOffsets } from '../groups/offset-commit.ts'
import { handler } from '../handler.ts'

const IDS_SINCE = 10

export const offsetCommit = handler(OffsetCommit, (request, context) => {
  const { cluster, node } = context
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  const fault = cluster.groups.fault(groupId, node, false) || groupFault()
  return {
    topics: commitOffsets(request, context, fault, IDS_SINCE, (...place) =>
      cluster.groups.getOrCreate(groupId).offsets.set(...place),
    ),
  }

  function groupFault(): number {
    const group = cluster.groups.get(groupId)
    if (group) return group.commitFault(memberId, groupInstanceId, generationId)
    // Whoever claims to be a member of a group that does not exist is mistaken.
    return generationId < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  }
})
