import { anyBroker, api, array, bool, brokerId, errorCode, int32, string, throttleTimeMs, topicName, uuid } from '../schema.ts'

/** Describes brokers, topics and partition leaders: what a client routes by. */
export const Metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexible: 9,
  route: anyBroker,
  clientThrottlesSince: 6,
  request: {
    /** Topics to describe; null asks for all (in v0 an empty array does). */
    topics: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(10).ignorable(),
      /** Name of the topic; null when asked for by id. */
      name: topicName.nullableSince(10),
    }).nullableSince(1),
    /** Whether a topic that does not exist may be created, if the broker is set up so. */
    allowAutoTopicCreation: bool.since(4).default(true),
    /** Whether to say what the caller may do with the cluster. */
    includeClusterAuthorizedOperations: bool.since(8).until(10),
    /** Whether to say what the caller may do with each topic. */
    includeTopicAuthorizedOperations: bool.since(8),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(3).ignorable(),
    /** The brokers that are alive. */
    brokers: array({
      /** Id of the broker. */
      nodeId: brokerId.mapKey(),
      /** Host name or address to connect to. */
      host: string,
      /** TCP port to connect to. */
      port: int32,
      /** Rack or availability zone of the broker; null when it has none. */
      rack: string.since(1).nullable().default(null).ignorable(),
    }),
    /** Id of the cluster; null for unknown. */
    clusterId: string.since(2).nullable().default(null).ignorable(),
    /** Broker that acts as controller; -1 for unknown. */
    controllerId: brokerId.since(1).default(-1).ignorable(),
    /** What is known of each topic. */
    topics: array({
      /** Error code; 0 is success. */
      errorCode,
      /** Name of the topic; null when an unknown id was asked for. */
      name: topicName.nullableSince(12).mapKey(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(10).ignorable(),
      /** Whether the topic belongs to Kafka itself, as __consumer_offsets does. */
      isInternal: bool.since(1).ignorable(),
      /** The partitions, in no particular order. */
      partitions: array({
        /** Error code; 0 is success. */
        errorCode,
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Broker that leads the partition; -1 when nobody does or it is not known. */
        leaderId: brokerId,
        /** Term of the partition's leader; it grows by one at each election. -1 for unknown. */
        leaderEpoch: int32.since(7).default(-1).ignorable(),
        /** Brokers that hold a replica; the first is the preferred leader. */
        replicaNodes: array(brokerId),
        /** Brokers whose replica is in sync. */
        isrNodes: array(brokerId),
        /** Brokers whose replica is offline. */
        offlineReplicas: array(brokerId).since(5).ignorable(),
      }),
      /** Bit set of what the caller may do with the topic; -2147483648 when not asked for. */
      topicAuthorizedOperations: int32.since(8).default(-2147483648),
    }),
    /** Bit set of what the caller may do with the cluster; -2147483648 when not asked for. */
    clusterAuthorizedOperations: int32.since(8).until(10).default(-2147483648),
    /** Error code; 0 is success. */
    errorCode: errorCode.since(13).ignorable(),
  },
})
