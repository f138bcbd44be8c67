import { api, array, controller, errorCode, int8, int32, string, throttleTimeMs, timeoutMs, topicName } from '../schema.ts'

export const ElectLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexible: 2,
  route: controller,
  request: {
    electionType: int8.since(1),
    topicPartitions: array({
      topic: topicName.mapKey(),
      partitions: array(int32),
    }).nullable(),
    timeoutMs: timeoutMs.default(60000),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode.since(1),
    replicaElectionResults: array({
      topic: topicName,
      partitionResult: array({
        partitionId: int32,
        errorCode: errorCode,
        errorMessage: string.nullable(),
      }),
    }),
  },
})
