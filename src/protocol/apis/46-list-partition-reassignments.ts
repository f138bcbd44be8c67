import { api, array, brokerId, controller, errorCode, int32, string, throttleTimeMs, timeoutMs, topicName } from '../schema.ts'

/** Lists the moves that are under way (KIP-455). */
export const ListPartitionReassignments = api({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexible: 0,
  route: controller,
  request: {
    /** How long the broker may work on this before it answers with what it has, in milliseconds. */
    timeoutMs: timeoutMs.default(60000),
    /** Topics to look at; null for all. */
    topics: array({
      /** Name of the topic. */
      name: topicName,
      /** Partition numbers. */
      partitionIndexes: array(int32),
    })
      .nullable()
      .default(null),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable(),
    /** Moves under way, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName,
      /** Moves under way, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Brokers that hold the partition now. */
        replicas: array(brokerId),
        /** Brokers that are to get a replica. */
        addingReplicas: array(brokerId),
        /** Brokers that are to lose theirs. */
        removingReplicas: array(brokerId),
      }),
    }),
  },
})
