import { api, array, errorCode, int32, int64, leader, throttleTimeMs, timeoutMs, topicName } from '../schema.ts'

/** Deletes the oldest records of partitions, up to an offset. */
export const DeleteRecords = api({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexible: 2,
  route: leader('topics[].partitions[].partitionIndex', 'topics[].partitions'),
  clientThrottlesSince: 1,
  request: {
    /** What to delete, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName,
      /** What to delete, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Everything before this offset goes; -1 stands for the high watermark. */
        offset: int64,
      }),
    }),
    /** How long the broker may work on this before it answers with what it has, in milliseconds. */
    timeoutMs,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What became of it, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName.mapKey(),
      /** What became of it, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32.mapKey(),
        /** First offset that is left; -1 on error. */
        lowWatermark: int64,
        /** Error code; 0 is success. */
        errorCode,
      }),
    }),
  },
})
