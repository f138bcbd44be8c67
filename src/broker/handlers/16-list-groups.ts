/** ListGroups. The groups that this node coordinates. v4 filters by state (KIP-518), v5 by type (KIP-848): all are classic here. */
import { ListGroups } from '../../protocol/apis/16-list-groups.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

const TYPE = 'classic'

export const listGroups = handler(ListGroups, ({ statesFilter, typesFilter }, { cluster, node }) => {
  const wants = (filter: readonly string[], value: string) =>
    filter.length === 0 || filter.some(wanted => wanted.toLowerCase() === value.toLowerCase())
  return {
    errorCode: ErrorCode.NONE,
    groups: cluster.groups
      .list()
      .filter(
        group =>
          cluster.coordinatorOf('group', group.id) === node && wants(statesFilter, group.state) && wants(typesFilter, TYPE),
      )
      .map(group => ({ groupId: group.id, protocolType: group.protocolType ?? '', groupState: group.state, groupType: TYPE })),
  }
})
