import { anyBroker, api, array, bool, brokerId, errorCode, int32, struct, throttleTimeMs, topicName, uuid } from '../schema.ts'

/** Describes topics page by page, with eligible leader replicas (KIP-966). */
export const DescribeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Topics to describe, in order of their names. */
    topics: array({
      /** Name of the topic. */
      name: topicName,
    }),
    /** How many partitions one answer may have. */
    responsePartitionLimit: int32.default(2000),
    /** Where to go on from; null for the beginning. */
    cursor: struct({
      /** Name of the topic. */
      topicName,
      /** Partition to go on from. */
      partitionIndex: int32,
    })
      .nullable()
      .default(null),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.ignorable(),
    /** What is known of each topic. */
    topics: array({
      /** Error code; 0 is success. */
      errorCode,
      /** Name of the topic; null for unknown. */
      name: topicName.nullable().mapKey(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.ignorable(),
      /** Whether the topic belongs to Kafka itself, as __consumer_offsets does. */
      isInternal: bool.ignorable(),
      /** Partitions by rising number, as many as responsePartitionLimit allows: nextCursor says where the rest begins. */
      partitions: array({
        /** Error code; 0 is success. */
        errorCode,
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Broker that leads the partition; -1 when nobody does or it is not known. */
        leaderId: brokerId,
        /** Term of the partition's leader; it grows by one at each election. -1 for unknown. */
        leaderEpoch: int32.default(-1).ignorable(),
        /** Brokers that hold a replica; the first is the preferred leader. */
        replicaNodes: array(brokerId),
        /** Brokers whose replica is in sync. */
        isrNodes: array(brokerId),
        /** Brokers that are safe to elect though out of sync; null for none (KIP-966). */
        eligibleLeaderReplicas: array(brokerId).nullable().default(null),
        /** The last such set that was known; null for none. */
        lastKnownElr: array(brokerId).nullable().default(null),
        /** Brokers whose replica is offline. */
        offlineReplicas: array(brokerId).ignorable(),
      }),
      /** Bit set of what the caller may do with the topic; -2147483648 when not asked for. */
      topicAuthorizedOperations: int32.default(-2147483648),
    }),
    /** Where the next request has to go on; null when this was all. */
    nextCursor: struct({
      /** Name of the topic. */
      topicName,
      /** Partition to go on from. */
      partitionIndex: int32,
    })
      .nullable()
      .default(null),
  },
})
