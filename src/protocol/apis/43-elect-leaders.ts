import { api, array, controller, errorCode, int8, int32, string, throttleTimeMs, timeoutMs, topicName } from '../schema.ts'

/** Elects the preferred leader, or any leader, of partitions (KIP-460). */
export const ElectLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexible: 2,
  route: controller,
  request: {
    /** 0 elects the preferred leader, 1 anyone, even out of sync (KIP-460). */
    electionType: int8.since(1),
    /** Partitions to hold elections for; null for all. */
    topicPartitions: array({
      /** Name of the topic. */
      topic: topicName.mapKey(),
      /** Partition numbers. */
      partitions: array(int32),
    }).nullable(),
    /** How long the broker may work on this before it answers with what it has, in milliseconds. */
    timeoutMs: timeoutMs.default(60000),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode: errorCode.since(1),
    /** What became of it, by topic. */
    replicaElectionResults: array({
      /** Name of the topic. */
      topic: topicName,
      /** What became of it, by partition. */
      partitionResult: array({
        /** Partition number, from 0. */
        partitionId: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** The broker's own text about the error; null when there is none. */
        errorMessage: string.nullable(),
      }),
    }),
  },
})
