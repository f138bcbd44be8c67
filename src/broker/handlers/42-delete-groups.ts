/** DeleteGroups. Deletes groups without members, and their offsets (KIP-229). */
import { DeleteGroups } from '../../protocol/apis/42-delete-groups.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

export const deleteGroups = handler(DeleteGroups, ({ groupsNames }, { cluster, node }) => ({
  throttleTimeMs: 0,
  results: groupsNames.map(groupId => {
    const fault = cluster.groups.fault(groupId, node, false)
    if (fault !== ErrorCode.NONE) return { groupId, errorCode: fault }
    const group = cluster.groups.get(groupId)
    if (!group) return { groupId, errorCode: ErrorCode.GROUP_ID_NOT_FOUND, errorMessage: `Group ${groupId} not found.` }
    if (group.hasMembers) return { groupId, errorCode: ErrorCode.NON_EMPTY_GROUP, errorMessage: `Group ${groupId} is not empty.` }
    cluster.groups.delete(groupId)
    return { groupId, errorCode: ErrorCode.NONE }
  }),
}))
