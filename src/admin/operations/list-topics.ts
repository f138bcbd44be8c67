import { Metadata } from '../../protocol/apis/03-metadata.ts'
import { brokerError } from '../../protocol/error-codes.ts'
import { NO_UUID } from '../../protocol/schema.ts'
import type { CallOptions, Operation } from './operation.ts'

export interface ListTopicsOptions extends CallOptions {
  /** Whether Kafka's own topics, such as `__consumer_offsets`, are listed too. Default false. */
  readonly includeInternal?: boolean | undefined
}

export interface TopicListing {
  readonly name: string
  /** Undefined before 2.8. */
  readonly topicId: string | undefined
  readonly isInternal: boolean
}

export const listTopics: Operation<typeof Metadata, { includeInternal: boolean }, TopicListing[]> = {
  api: Metadata,
  build: () => ({ topics: null }),
  read({ topics, errorCode }, { includeInternal }) {
    if (errorCode !== 0) throw brokerError(errorCode, { api: 'Metadata' })
    return topics.flatMap(({ name, topicId, isInternal }) =>
      name === null || (isInternal && !includeInternal)
        ? []
        : [{ name, topicId: topicId === NO_UUID ? undefined : topicId, isInternal }],
    )
  },
}
