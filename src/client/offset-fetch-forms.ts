import { NO_UUID } from '../protocol/schema.ts'
import type { Body } from './merge.ts'
import type { Operation, Router } from './router.ts'

/** First version whose answer has an error code of the whole group. */
const HAS_GROUP_ERROR = 2
/** Last version that asks for one group only (KIP-709). */
const LAST_OF_ONE_GROUP = 7

/** OffsetFetch of one group in the form of brokers before 3.0; the answer in the newer form, which callers always see. */
export async function offsetFetchOfOneGroup(
  router: Router,
  operation: Operation,
  nodeId: number,
  group: Body,
  request: Body,
): Promise<Body> {
  const { groupId, topics } = group
  const maxVersion = Math.min(operation.maxVersion, LAST_OF_ONE_GROUP)
  // Asking for all topics needs v2 as well.
  const minVersion = Math.max(operation.minVersion ?? 0, topics === null ? HAS_GROUP_ERROR : 0)
  const answer = await router.once(
    { ...operation, minVersion, maxVersion },
    { groupId, topics, requireStable: request.requireStable ?? false },
    nodeId,
  )
  return {
    groupId,
    topics: ((answer?.topics ?? []) as Body[]).map(topic => ({
      name: topic.name,
      topicId: NO_UUID,
      partitions: topic.partitions,
    })),
    errorCode: answer?.errorCode,
  }
}
