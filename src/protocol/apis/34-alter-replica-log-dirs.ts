import { anyBroker, api, array, errorCode, int32, string, throttleTimeMs, topicName } from '../schema.ts'

export const AlterReplicaLogDirs = api({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [0, 2],
  flexible: 2,
  route: anyBroker,
  clientThrottlesSince: 1,
  request: {
    dirs: array({
      path: string.mapKey(),
      topics: array({
        name: topicName.mapKey(),
        partitions: array(int32),
      }),
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    results: array({
      topicName: topicName,
      partitions: array({
        partitionIndex: int32,
        errorCode: errorCode,
      }),
    }),
  },
})
