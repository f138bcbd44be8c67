/** Heartbeat. Keeps a member in its group; REBALANCE_IN_PROGRESS asks it to join again. v3 brought static members (KIP-345). */
import { Heartbeat } from '../../protocol/apis/12-heartbeat.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

export const heartbeat = handler(Heartbeat, ({ groupId, memberId, groupInstanceId, generationId }, { cluster, node }) => ({
  errorCode:
    cluster.groups.fault(groupId, node, true) ||
    (cluster.groups.get(groupId)?.heartbeat(memberId, groupInstanceId, generationId) ?? ErrorCode.UNKNOWN_MEMBER_ID),
}))
