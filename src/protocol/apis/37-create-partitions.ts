import {
  api,
  array,
  bool,
  brokerId,
  controller,
  errorCode,
  int32,
  string,
  throttleTimeMs,
  timeoutMs,
  topicName,
} from '../schema.ts'

export const CreatePartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexible: 2,
  route: controller,
  clientThrottlesSince: 1,
  request: {
    topics: array({
      name: topicName.mapKey(),
      count: int32,
      assignments: array({
        brokerIds: array(brokerId),
      }).nullable(),
    }),
    timeoutMs: timeoutMs,
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    results: array({
      name: topicName,
      errorCode: errorCode,
      errorMessage: string.nullable().default(null),
    }),
  },
})
