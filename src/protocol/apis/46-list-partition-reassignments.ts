import { api, array, brokerId, controller, errorCode, int32, string, throttleTimeMs, timeoutMs, topicName } from '../schema.ts'

export const ListPartitionReassignments = api({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexible: 0,
  route: controller,
  request: {
    timeoutMs: timeoutMs.default(60000),
    topics: array({
      name: topicName,
      partitionIndexes: array(int32),
    })
      .nullable()
      .default(null),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable(),
    topics: array({
      name: topicName,
      partitions: array({
        partitionIndex: int32,
        replicas: array(brokerId),
        addingReplicas: array(brokerId),
        removingReplicas: array(brokerId),
      }),
    }),
  },
})
