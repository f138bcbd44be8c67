/** CreatePartitions. Raises the number of a topic's partitions to `count` (KIP-195). */
import { CreatePartitions } from '../../protocol/apis/37-create-partitions.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/schema.ts'
import type { Cluster } from '../cluster.ts'
import { handler } from '../handler.ts'
import { MOST_PARTITIONS } from '../topic.ts'

type Wanted = Decoded<typeof CreatePartitions.request>['topics'][number]

export const createPartitions = handler(CreatePartitions, ({ topics, validateOnly }, { cluster }) => ({
  throttleTimeMs: 0,
  results: topics.map(wanted => {
    const fault = faultOf(wanted, cluster)
    if (fault) return { name: wanted.name, errorCode: fault[0], errorMessage: fault[1] }
    const topic = cluster.topic(wanted.name)
    if (topic && !validateOnly) {
      const more = wanted.count - topic.partitions.length
      const replicas = topic.partitions[0]?.replicas.length ?? 1
      cluster.addPartitions(topic, wanted.assignments?.map(({ brokerIds }) => brokerIds) ?? cluster.assign(more, replicas))
    }
    return { name: wanted.name, errorCode: ErrorCode.NONE }
  }),
}))

function faultOf({ name, count, assignments }: Wanted, cluster: Cluster): readonly [code: number, message: string] | undefined {
  const topic = cluster.topic(name)
  if (!topic) return [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.']
  const current = topic.partitions.length
  if (count <= current)
    return [
      ErrorCode.INVALID_PARTITIONS,
      `Topic currently has ${current} partitions, which is not less than the requested ${count}.`,
    ]
  if (count > MOST_PARTITIONS) return [ErrorCode.INVALID_PARTITIONS, `Number of partitions is above ${MOST_PARTITIONS}.`]
  if (assignments && assignments.length !== count - current)
    return [
      ErrorCode.INVALID_REPLICA_ASSIGNMENT,
      `${count - current} new partitions need as many assignments, not ${assignments.length}.`,
    ]
  if (assignments?.some(({ brokerIds }) => brokerIds.length === 0 || brokerIds.some(id => !cluster.nodes.has(id))))
    return [ErrorCode.INVALID_REPLICA_ASSIGNMENT, 'An assignment names no broker, or an unknown one.']
  return undefined
}
