import { api, array, errorCode, int32, int64, leader, producerId, string, throttleTimeMs, topicName } from '../schema.ts'

/** Describes the producers that a partition remembers (KIP-664). */
export const DescribeProducers = api({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexible: 0,
  route: leader('topics[].partitionIndexes[]', 'topics[].partitions'),
  request: {
    /** What to describe, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName.mapKey(),
      /** Partition numbers. */
      partitionIndexes: array(int32),
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Producers, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName,
      /** Producers, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** The broker's own text about the error; null when there is none. */
        errorMessage: string.nullable().default(null),
        /** Producers that the partition still remembers. */
        activeProducers: array({
          /** Id that the producer got from InitProducerId. */
          producerId,
          /** Epoch it last wrote with. */
          producerEpoch: int32,
          /** Sequence number it last wrote. */
          lastSequence: int32.default(-1),
          /** Timestamp it last wrote, in milliseconds since the epoch. */
          lastTimestamp: int64.default(-1n),
          /** Epoch of the transaction coordinator that wrote the marker. */
          coordinatorEpoch: int32,
          /** Where its open transaction began; -1 for none. */
          currentTxnStartOffset: int64.default(-1n),
        }),
      }),
    }),
  },
})
