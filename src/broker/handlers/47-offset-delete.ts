/** OffsetDelete. Deletes committed offsets of topics that no member of the group is subscribed to (KIP-496). */
import { OffsetDelete } from '../../protocol/apis/47-offset-delete.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { decodeSubscription } from '../../protocol/group/index.ts'
import type { ClassicGroup } from '../groups/classic-group.ts'
import { handler } from '../handler.ts'

export const offsetDelete = handler(OffsetDelete, ({ groupId, topics }, { cluster, node }) => {
  const group = cluster.groups.get(groupId)
  const refuse = (errorCode: number) => ({ errorCode, throttleTimeMs: 0, topics: [] })
  const fault = cluster.groups.fault(groupId, node, false)
  if (fault !== ErrorCode.NONE) return refuse(fault)
  if (!group) return refuse(ErrorCode.GROUP_ID_NOT_FOUND)
  if (group.hasMembers && group.protocolType !== 'consumer') return refuse(ErrorCode.NON_EMPTY_GROUP)
  const subscribed = subscriptions(group)
  return {
    errorCode: ErrorCode.NONE,
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => {
        if (subscribed.has(name)) return { partitionIndex, errorCode: ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC }
        if (!cluster.partition(name, partitionIndex)) return { partitionIndex, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }
        group.offsets.delete(name, partitionIndex)
        return { partitionIndex, errorCode: ErrorCode.NONE }
      }),
    })),
  }
})

/** Topics that the members said they subscribe to. */
function subscriptions(group: ClassicGroup): ReadonlySet<string> {
  return new Set(
    group.list().flatMap(member => {
      const [protocol] = member.terms.protocols
      return protocol ? decodeSubscription(Buffer.from(protocol.metadata)).topics : []
    }),
  )
}
