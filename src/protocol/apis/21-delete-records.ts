import { api, array, errorCode, int32, int64, leader, throttleTimeMs, timeoutMs, topicName } from '../schema.ts'

export const DeleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexible: 2,
  route: leader('topics[].partitions[].partitionIndex', 'topics[].partitions'),
  clientThrottlesSince: 1,
  request: {
    topics: array({
      name: topicName,
      partitions: array({
        partitionIndex: int32,
        offset: int64,
      }),
    }),
    timeoutMs: timeoutMs,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    topics: array({
      name: topicName.mapKey(),
      partitions: array({
        partitionIndex: int32.mapKey(),
        lowWatermark: int64,
        errorCode: errorCode,
      }),
    }),
  },
})
