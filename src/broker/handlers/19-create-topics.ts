/**
 * CreateTopics. Any node answers, as KRaft brokers forward it. v1 brought validateOnly and messages, v4 the default of -1 for
 * partitions and replicas, v5 the created topic's settings in the answer, v7 its id.
 */
import { CreateTopics } from '../../protocol/apis/19-create-topics.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { type Decoded, NO_UUID } from '../../protocol/schema.ts'
import type { Cluster } from '../cluster.ts'
import { handler } from '../handler.ts'
import { isTopicName, MOST_PARTITIONS } from '../topic.ts'
import { topicConfigFault } from '../topic-configs.ts'
import { topicConfigEntries } from './32-describe-configs.ts'

type Wanted = Decoded<typeof CreateTopics.request>['topics'][number]

export const createTopics = handler(CreateTopics, ({ topics, validateOnly }, { cluster }) => {
  const names = topics.map(({ name }) => name)
  return {
    topics: topics.map(wanted => {
      const { name } = wanted
      const repeated = names.indexOf(name) !== names.lastIndexOf(name)
      const fault: Fault | undefined = repeated
        ? [ErrorCode.INVALID_REQUEST, `Duplicate topic name ${name}`]
        : faultOf(wanted, cluster)
      if (fault) return { name, topicId: NO_UUID, errorCode: fault[0], errorMessage: fault[1], configs: null }
      const partitions = wanted.assignments.length || orDefault(wanted.numPartitions)
      const replicationFactor = wanted.assignments[0]?.brokerIds.length ?? orDefault(wanted.replicationFactor)
      const configs = new Map(wanted.configs.map(({ name, value }) => [name, value ?? '']))
      const assignments = [...wanted.assignments]
        .sort((a, b) => a.partitionIndex - b.partitionIndex)
        .map(({ brokerIds }) => brokerIds)
      const topic = validateOnly
        ? undefined
        : cluster.createTopic(name, {
            partitions,
            replicationFactor,
            configs,
            assignments: assignments.length > 0 ? assignments : undefined,
          })
      return {
        name,
        topicId: topic?.id ?? NO_UUID,
        errorCode: ErrorCode.NONE,
        errorMessage: null,
        numPartitions: partitions ?? cluster.settings.number('num.partitions'),
        replicationFactor: replicationFactor ?? cluster.settings.number('default.replication.factor'),
        configs: topicConfigEntries(configs, cluster.settings),
      }
    }),
  }
})

type Fault = readonly [code: number, message: string]

/** -1 asks for the broker's default (KIP-464). */
const orDefault = (count: number): number | undefined => (count === -1 ? undefined : count)

function faultOf({ name, numPartitions, replicationFactor, assignments, configs }: Wanted, cluster: Cluster): Fault | undefined {
  if (!isTopicName(name)) return [ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic name ${JSON.stringify(name)} is invalid`]
  if (cluster.topic(name)) return [ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`]
  // Metric names cannot tell a dot from an underscore.
  const collision = cluster.topics().find(topic => topic.name.replaceAll('.', '_') === name.replaceAll('.', '_'))
  if (collision) return [ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic '${name}' collides with existing topic: ${collision.name}`]
  for (const { name, value } of configs) {
    const fault = topicConfigFault(name, value)
    if (fault) return [ErrorCode.INVALID_CONFIG, fault]
  }
  if (assignments.length > 0) {
    if (numPartitions !== -1 || replicationFactor !== -1)
      return [
        ErrorCode.INVALID_REQUEST,
        'A manual partition assignment was specified, but numPartitions or replicationFactor was not set to -1.',
      ]
    const indexes = assignments.map(({ partitionIndex }) => partitionIndex).sort((a, b) => a - b)
    const replicas = assignments[0]!.brokerIds.length
    const valid = assignments.every(
      ({ brokerIds }) =>
        brokerIds.length === replicas &&
        replicas > 0 &&
        new Set(brokerIds).size === replicas &&
        brokerIds.every(id => cluster.nodes.has(id)),
    )
    if (!valid || indexes.some((index, i) => index !== i))
      return [
        ErrorCode.INVALID_REPLICA_ASSIGNMENT,
        'The manual partition assignment is not one of consecutive partitions to known brokers.',
      ]
    return undefined
  }
  if (numPartitions === 0 || numPartitions < -1)
    return [ErrorCode.INVALID_PARTITIONS, 'Number of partitions was set to an invalid non-positive value.']
  if (numPartitions > MOST_PARTITIONS) return [ErrorCode.INVALID_PARTITIONS, `Number of partitions is above ${MOST_PARTITIONS}.`]
  if (replicationFactor === 0 || replicationFactor < -1)
    return [ErrorCode.INVALID_REPLICATION_FACTOR, 'Replication factor must be larger than 0, or -1 to use the default value.']
  if (replicationFactor > cluster.nodes.size)
    return [
      ErrorCode.INVALID_REPLICATION_FACTOR,
      `Unable to replicate the partition ${replicationFactor} time(s): only ${cluster.nodes.size} broker(s) are registered.`,
    ]
  return undefined
}
