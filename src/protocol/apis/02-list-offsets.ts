import { api, array, brokerId, errorCode, int8, int32, int64, leader, throttleTimeMs, timeoutMs, topicName } from '../schema.ts'

export const ListOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [0, 11],
  flexible: 6,
  route: leader('topics[].partitions[].partitionIndex', 'topics[].partitions'),
  clientThrottlesSince: 3,
  request: {
    replicaId: brokerId,
    isolationLevel: int8.since(2),
    topics: array({
      name: topicName,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: int32.since(4).default(-1).ignorable(),
        timestamp: int64,
        maxNumOffsets: int32.until(0).default(1),
      }),
    }),
    timeoutMs: timeoutMs.since(10).ignorable(),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(2).ignorable(),
    topics: array({
      name: topicName,
      partitions: array({
        partitionIndex: int32,
        errorCode: errorCode,
        oldStyleOffsets: array(int64).until(0),
        timestamp: int64.since(1).default(-1n),
        offset: int64.since(1).default(-1n),
        leaderEpoch: int32.since(4).default(-1),
      }),
    }),
  },
})
