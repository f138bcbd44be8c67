import {
  api,
  array,
  bool,
  brokerId,
  controller,
  errorCode,
  int32,
  string,
  throttleTimeMs,
  timeoutMs,
  topicName,
} from '../schema.ts'

/** Moves partitions to other brokers, or cancels such a move (KIP-455). */
export const AlterPartitionReassignments = api({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexible: 0,
  route: controller,
  request: {
    /** How long the broker may work on this before it answers with what it has, in milliseconds. */
    timeoutMs: timeoutMs.default(60000),
    /** Whether a partition may end up with another number of replicas. */
    allowReplicationFactorChange: bool.since(1).default(true),
    /** Partitions to move, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName,
      /** Partitions to move. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Brokers that are to hold the partition; null cancels a move under way. */
        replicas: array(brokerId).nullable().default(null),
      }),
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Whether a partition may end up with another number of replicas: as asked. */
    allowReplicationFactorChange: bool.since(1).default(true).ignorable(),
    /** Error of the request as a whole; 0 is success. */
    errorCode,
    /** The broker's own text about that error; null when there is none. */
    errorMessage: string.nullable(),
    /** What became of it, by topic. */
    responses: array({
      /** Name of the topic. */
      name: topicName,
      /** What became of it, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** The broker's own text about the error; null when there is none. */
        errorMessage: string.nullable(),
      }),
    }),
  },
})
