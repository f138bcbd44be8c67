/** LeaveGroup. One member until v2; from v3 on several, by member id or by instance id (KIP-345), each with an answer of its own. */
import { LeaveGroup } from '../../protocol/apis/13-leave-group.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

export const leaveGroup = handler(LeaveGroup, ({ groupId, memberId, members }, { cluster, node, version }) => {
  const fault = cluster.groups.fault(groupId, node, true)
  if (fault !== ErrorCode.NONE) return { errorCode: fault, members: [] }
  const group = cluster.groups.get(groupId)
  const leave = (memberId: string, instanceId: string | null) => group?.leave(memberId, instanceId) ?? ErrorCode.UNKNOWN_MEMBER_ID
  if (version < 3) return { errorCode: leave(memberId, null), members: [] }
  return {
    errorCode: ErrorCode.NONE,
    members: members.map(({ memberId, groupInstanceId }) => ({
      memberId,
      groupInstanceId,
      errorCode: leave(memberId, groupInstanceId),
    })),
  }
})
