/**
 * Metadata. Lists brokers, and topics by name, by id (v10, KIP-516) or all of them; creates unknown ones where both sides
 * allow it. v0 takes an empty list for "all", v1 null. Any node answers for the whole cluster.
 */
import { Metadata } from '../../protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { NO_UUID } from '../../protocol/schema.ts'
import { CLUSTER_OPERATIONS, NOT_ASKED, TOPIC_OPERATIONS } from '../authorized-operations.ts'
import type { Cluster } from '../cluster.ts'
import { handler } from '../handler.ts'
import { isTopicName, type Partition, type Topic } from '../topic.ts'

export const metadata = handler(Metadata, (request, { cluster, version }) => {
  const { topics, allowAutoTopicCreation, includeTopicAuthorizedOperations, includeClusterAuthorizedOperations } = request
  const operations = includeTopicAuthorizedOperations ? TOPIC_OPERATIONS : NOT_ASKED
  const all = topics === null || (version === 0 && topics.length === 0)
  // Before v4 a client could not say that it did not want topics created.
  const mayCreate = allowAutoTopicCreation && cluster.settings.flag('auto.create.topics.enable')
  return {
    brokers: cluster.liveNodes().map(node => node.endpoint),
    clusterId: cluster.clusterId,
    controllerId: cluster.controllerId,
    topics: all
      ? cluster.topics().map(topic => described(topic, cluster, operations))
      : topics.map(({ name, topicId }) => {
          if (topicId !== NO_UUID) {
            const topic = cluster.topicById(topicId)
            return topic
              ? described(topic, cluster, operations)
              : failed(version >= 12 ? null : '', topicId, ErrorCode.UNKNOWN_TOPIC_ID)
          }
          const topic = name === null ? undefined : cluster.topic(name)
          if (topic) return described(topic, cluster, operations)
          if (name === null || !isTopicName(name)) return failed(name ?? '', NO_UUID, ErrorCode.INVALID_TOPIC_EXCEPTION)
          if (!mayCreate) return failed(name, NO_UUID, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
          return described(cluster.createTopic(name), cluster, operations)
        }),
    clusterAuthorizedOperations: includeClusterAuthorizedOperations ? CLUSTER_OPERATIONS : NOT_ASKED,
  }
})

const failed = (name: string | null, topicId: string, errorCode: number) => ({
  errorCode,
  name,
  topicId,
  isInternal: false,
  partitions: [],
  topicAuthorizedOperations: NOT_ASKED,
})

const described = (topic: Topic, cluster: Cluster, topicAuthorizedOperations: number) => ({
  errorCode: ErrorCode.NONE,
  name: topic.name,
  topicId: topic.id,
  isInternal: topic.isInternal,
  partitions: topic.partitions.map(partition => partitionOf(partition, cluster)),
  topicAuthorizedOperations,
})

function partitionOf(partition: Partition, cluster: Cluster) {
  const isrNodes = cluster.inSyncReplicas(partition)
  return {
    errorCode: partition.leaderId < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
    partitionIndex: partition.index,
    leaderId: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes,
    offlineReplicas: partition.replicas.filter(replica => !isrNodes.includes(replica)),
  }
}
