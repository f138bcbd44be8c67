/** SyncGroup. Hands the leader's assignment to all members; waits for it. v3 brought static members, v5 the protocol for checking (KIP-559). */
import { SyncGroup } from '../../protocol/apis/14-sync-group.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { syncError } from '../groups/classic-group.ts'
import { handler } from '../handler.ts'

export const syncGroup = handler(SyncGroup, (request, { cluster, node, version }) => {
  const { groupId, protocolType, protocolName } = request
  const fault = cluster.groups.fault(groupId, node, true)
  if (fault !== ErrorCode.NONE) return syncError(fault)
  // From v5 on both have to be there.
  if (version >= 5 && (protocolType === null || protocolName === null)) return syncError(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  const group = cluster.groups.get(groupId)
  if (!group) return syncError(ErrorCode.UNKNOWN_MEMBER_ID)
  return new Promise(resolve =>
    group.sync(
      {
        memberId: request.memberId,
        instanceId: request.groupInstanceId,
        generationId: request.generationId,
        protocolType,
        protocolName,
        assignments: request.assignments.map(({ memberId, assignment }) => ({ memberId, assignment: Buffer.from(assignment) })),
      },
      resolve,
    ),
  )
})
