import { Metadata } from '../../protocol/apis/03-metadata.ts'
import { brokerError, ErrorCode } from '../../protocol/error-codes.ts'
import { NO_UUID } from '../../protocol/schema.ts'
import type { Operation } from './operation.ts'
import { checkDistinct, collect } from './results.ts'

export interface PartitionDescription {
  readonly partition: number
  /** -1 while there is no leader. */
  readonly leaderId: number
  /** -1 before 2.1. */
  readonly leaderEpoch: number
  /** Node ids, the preferred leader first. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
}

export interface TopicDescription {
  readonly name: string
  /** Undefined before 2.8. */
  readonly topicId: string | undefined
  readonly isInternal: boolean
  /** In their order. */
  readonly partitions: readonly PartitionDescription[]
}

/** Brokers before 0.11 would create what they are asked about: those are asked for everything they have instead. */
export const FIRST_WITHOUT_CREATION = 4

export const describeTopics: Operation<typeof Metadata, readonly string[], Map<string, TopicDescription>> = {
  api: Metadata,
  versions: () => ({ minVersion: FIRST_WITHOUT_CREATION }),
  build(names) {
    checkDistinct('topics', names)
    return { topics: names.map(name => ({ name })), allowAutoTopicCreation: false }
  },
  read({ topics, errorCode }, names) {
    if (errorCode !== 0) throw brokerError(errorCode, { api: 'Metadata' })
    const unknown = { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, topicId: NO_UUID, isInternal: false, partitions: [] }
    const byName = new Map<string, Omit<(typeof topics)[number], 'name' | 'topicAuthorizedOperations'>>(
      names.map(name => [name, unknown]),
    )
    for (const topic of topics) if (topic.name !== null) byName.set(topic.name, topic)
    return collect(
      'topics',
      'Metadata',
      names,
      byName,
      ({ topicId, isInternal, partitions }, name): TopicDescription => ({
        name,
        topicId: topicId === NO_UUID ? undefined : topicId,
        isInternal,
        partitions: partitions
          .map(
            ({ partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas }): PartitionDescription => ({
              partition: partitionIndex,
              leaderId,
              leaderEpoch,
              replicas: replicaNodes,
              isr: isrNodes,
              offlineReplicas,
            }),
          )
          .sort((a, b) => a.partition - b.partition),
      }),
    )
  },
}
