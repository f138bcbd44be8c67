import {
  api,
  array,
  bool,
  brokerId,
  controller,
  errorCode,
  int8,
  int16,
  int32,
  string,
  throttleTimeMs,
  timeoutMs,
  topicName,
  uuid,
} from '../schema.ts'

export const CreateTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [0, 7],
  flexible: 5,
  route: controller,
  clientThrottlesSince: 3,
  request: {
    topics: array({
      name: topicName.mapKey(),
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array({
        partitionIndex: int32.mapKey(),
        brokerIds: array(brokerId),
      }),
      configs: array({
        name: string.mapKey(),
        value: string.nullable(),
      }),
    }),
    timeoutMs: timeoutMs.default(60000),
    validateOnly: bool.since(1),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(2).ignorable(),
    topics: array({
      name: topicName.mapKey(),
      topicId: uuid.since(7).ignorable(),
      errorCode: errorCode,
      errorMessage: string.since(1).nullable().ignorable(),
      topicConfigErrorCode: int16.since(5).tag(0).ignorable(),
      numPartitions: int32.since(5).default(-1).ignorable(),
      replicationFactor: int16.since(5).default(-1).ignorable(),
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: bool,
        configSource: int8.default(-1).ignorable(),
        isSensitive: bool,
      })
        .since(5)
        .nullable()
        .ignorable(),
    }),
  },
})
