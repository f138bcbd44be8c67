import { api, array, errorCode, int32, int64, leader, producerId, string, throttleTimeMs, topicName } from '../schema.ts'

export const DescribeProducers = api({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexible: 0,
  route: leader('topics[].partitionIndexes[]', 'topics[].partitions'),
  request: {
    topics: array({
      name: topicName.mapKey(),
      partitionIndexes: array(int32),
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    topics: array({
      name: topicName,
      partitions: array({
        partitionIndex: int32,
        errorCode: errorCode,
        errorMessage: string.nullable().default(null),
        activeProducers: array({
          producerId: producerId,
          producerEpoch: int32,
          lastSequence: int32.default(-1),
          lastTimestamp: int64.default(-1n),
          coordinatorEpoch: int32,
          currentTxnStartOffset: int64.default(-1n),
        }),
      }),
    }),
  },
})
