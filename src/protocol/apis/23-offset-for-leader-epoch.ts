import { api, array, brokerId, errorCode, int32, int64, leader, throttleTimeMs, topicName } from '../schema.ts'

export const OffsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [0, 4],
  flexible: 4,
  route: leader('topics[].partitions[].partition', 'topics[].partitions'),
  request: {
    replicaId: brokerId.since(3).default(-2).ignorable(),
    topics: array({
      topic: topicName.mapKey(),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.since(2).default(-1).ignorable(),
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(2).ignorable(),
    topics: array({
      topic: topicName.mapKey(),
      partitions: array({
        errorCode: errorCode,
        partition: int32,
        leaderEpoch: int32.since(1).default(-1).ignorable(),
        endOffset: int64.default(-1n),
      }),
    }),
  },
})
