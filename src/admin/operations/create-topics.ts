import { KafkaError } from '../../errors.ts'
import { CreateTopics } from '../../protocol/apis/19-create-topics.ts'
import { NO_UUID } from '../../protocol/schema.ts'
import { checkNames } from '../../util/options.ts'
import type { CallOptions, Operation } from './operation.ts'
import { checkDistinct, collect } from './results.ts'

export interface NewTopic {
  readonly name: string
  /** Default: the broker's `num.partitions`. */
  readonly partitions?: number | undefined
  /** Default: the broker's `default.replication.factor`. */
  readonly replicationFactor?: number | undefined
  /** Node ids of the replicas of each partition (index = partition), the preferred leader first; instead of the two numbers. */
  readonly assignments?: readonly (readonly number[])[] | undefined
  /** By Kafka's names, such as `retention.ms`. */
  readonly configs?: Readonly<Record<string, string | null>> | undefined
}

const FIELDS = ['name', 'partitions', 'replicationFactor', 'assignments', 'configs'] as const satisfies (keyof NewTopic)[]

export interface CreateTopicsOptions extends CallOptions {
  /** Only check whether they could be created. Default false. */
  readonly validateOnly?: boolean | undefined
}

/** What was created. Brokers before 2.4 do not say how: the numbers are -1 and the configs empty there. */
export interface CreatedTopic {
  readonly name: string
  /** Undefined before 2.8, and with `validateOnly`. */
  readonly topicId: string | undefined
  readonly partitions: number
  readonly replicationFactor: number
  readonly configs: ReadonlyMap<string, string | null>
}

export const createTopics: Operation<
  typeof CreateTopics,
  { topics: readonly NewTopic[]; validateOnly: boolean },
  Map<string, CreatedTopic>
> = {
  api: CreateTopics,
  versions: ({ topics, validateOnly }) => {
    // KIP-464: from version 4 on the broker has defaults.
    const usesDefaults = topics.some(
      ({ partitions, replicationFactor, assignments }) =>
        !assignments && (partitions === undefined || replicationFactor === undefined),
    )
    return { minVersion: usesDefaults ? 4 : validateOnly ? 1 : 0 }
  },
  build({ topics, validateOnly }, timeoutMs) {
    for (const topic of topics) checkNames('a new topic', topic, FIELDS)
    checkDistinct(
      'topics',
      topics.map(({ name }) => name),
    )
    return {
      topics: topics.map(({ name, partitions, replicationFactor, assignments, configs }) => {
        if (assignments && (partitions !== undefined || replicationFactor !== undefined))
          throw new KafkaError(
            'ERR_INVALID_ARGUMENT',
            `${name} has assignments, which say how many partitions and replicas there are: leave partitions and replicationFactor out`,
          )
        return {
          name,
          numPartitions: partitions ?? -1,
          replicationFactor: replicationFactor ?? -1,
          assignments: (assignments ?? []).map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
          configs: Object.entries(configs ?? {}).map(([key, value]) => ({ name: key, value })),
        }
      }),
      timeoutMs,
      validateOnly,
    }
  },
  read: (answer, { topics }) =>
    collect(
      'topics',
      'CreateTopics',
      topics.map(({ name }) => name),
      new Map(answer.topics.map(topic => [topic.name, topic])),
      ({ name, topicId, numPartitions, replicationFactor, configs }): CreatedTopic => ({
        name,
        topicId: topicId === NO_UUID ? undefined : topicId,
        partitions: numPartitions,
        replicationFactor,
        configs: new Map(configs?.map(config => [config.name, config.value])),
      }),
    ),
}
