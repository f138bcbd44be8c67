/**
 * DescribeGroups. State, protocol and members of classic groups. An unknown group is described as dead; from v6 on that is
 * GROUP_ID_NOT_FOUND (KIP-1043). What members said and got is told only of a stable group.
 */
import { DescribeGroups } from '../../protocol/apis/15-describe-groups.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { GROUP_OPERATIONS, NOT_ASKED } from '../authorized-operations.ts'
import type { ClassicGroup } from '../groups/classic-group.ts'
import { handler } from '../handler.ts'

const NOT_FOUND_SINCE = 6
const nothing = new Uint8Array(0)

export const describeGroups = handler(DescribeGroups, ({ groups, includeAuthorizedOperations }, { cluster, node, version }) => {
  const authorizedOperations = includeAuthorizedOperations ? GROUP_OPERATIONS : NOT_ASKED
  return {
    groups: groups.map(groupId => {
      const errorCode = cluster.groups.fault(groupId, node, false)
      if (errorCode !== ErrorCode.NONE) return { ...unknown, errorCode, groupId, groupState: '' }
      const group = cluster.groups.get(groupId)
      if (group) return { ...described(group), authorizedOperations }
      return version >= NOT_FOUND_SINCE
        ? { ...unknown, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} not found.`, groupId }
        : { ...unknown, groupId, authorizedOperations }
    }),
  }
})

const unknown = { errorCode: ErrorCode.NONE as number, groupState: 'Dead', protocolType: '', protocolData: '', members: [] }

function described(group: ClassicGroup) {
  const stable = group.state === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    groupId: group.id,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: stable ? (group.protocolName ?? '') : '',
    members: group.list().map(member => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: stable ? member.metadataOf(group.protocolName) : nothing,
      memberAssignment: stable ? member.assignment : nothing,
    })),
  }
}
