/** `__consumer_offsets`: consumer groups of the new protocol (KIP-848). */
import { array, bytes, int8, int32, int64, message, string, struct, uuid } from '../schema.ts'

const topicPartitions = {
  /** Id of the topic. */
  topicId: uuid,
  /** Partition numbers. */
  partitions: array(int32),
  /** Epoch in which each of `partitions` came to the member: offsets committed under an older one are refused. */
  assignmentEpochs: array(int32).nullable().tag(0),
}

/** A consumer group (KIP-848, record type 3). */
export const ConsumerGroupMetadataKey = message({
  name: 'ConsumerGroupMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
  },
})

/** Epoch of a consumer group. */
export const ConsumerGroupMetadataValue = message({
  name: 'ConsumerGroupMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Epoch of the group. */
    epoch: int32,
    /** Hash over the topics that the group subscribes to; it changes when they do. */
    metadataHash: int64.tag(0),
  },
})

/** Topics of a consumer group (record type 4), unused since 4.0. */
export const ConsumerGroupPartitionMetadataKey = message({
  name: 'ConsumerGroupPartitionMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
  },
})

/** What the group saw of its topics. */
export const ConsumerGroupPartitionMetadataValue = message({
  name: 'ConsumerGroupPartitionMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** The topics. */
    topics: array({
      /** Id of the topic. */
      topicId: uuid,
      /** Name of the topic. */
      topicName: string,
      /** How many partitions the topic has. */
      numPartitions: int32,
      /** Racks of each partition's replicas; unused since 4.0. */
      partitionMetadata: array({
        /** Partition number. */
        partition: int32,
        /** Racks that hold a replica. */
        racks: array(string),
      }),
    }),
  },
})

/** A member of a consumer group (record type 5). */
export const ConsumerGroupMemberMetadataKey = message({
  name: 'ConsumerGroupMemberMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the member. */
    memberId: string,
  },
})

/** What a member says of itself. */
export const ConsumerGroupMemberMetadataValue = message({
  name: 'ConsumerGroupMemberMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Id of a static member; null for a dynamic one (KIP-345). */
    instanceId: string.nullable(),
    /** Rack of the member; null when unknown. */
    rackId: string.nullable(),
    /** What the client calls itself. */
    clientId: string,
    /** Address it connected from. */
    clientHost: string,
    /** Topics that it subscribes to by name. */
    subscribedTopicNames: array(string),
    /** Expression that it subscribes by, RE2; null for none. */
    subscribedTopicRegex: string.nullable(),
    /** How long it may take to give up partitions, in milliseconds; -1 unknown. */
    rebalanceTimeoutMs: int32.default(-1),
    /** Assignor that it asks for; null leaves that to the group. */
    serverAssignor: string.nullable(),
    /** Set while the member speaks the classic protocol. */
    classicMemberMetadata: struct({
      /** How long it may stay silent, in milliseconds. */
      sessionTimeoutMs: int32,
      /** Assignment protocols that it offers. */
      supportedProtocols: array({
        /** Name of the protocol. */
        name: string,
        /** Subscription under that protocol, see ConsumerProtocolSubscription. */
        metadata: bytes,
      }),
    })
      .nullable()
      .tag(0),
  },
})

/** The target assignment of a consumer group (record type 6). */
export const ConsumerGroupTargetAssignmentMetadataKey = message({
  name: 'ConsumerGroupTargetAssignmentMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
  },
})

/** Epoch of the target assignment. */
export const ConsumerGroupTargetAssignmentMetadataValue = message({
  name: 'ConsumerGroupTargetAssignmentMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Epoch of the assignment. */
    assignmentEpoch: int32,
    /** When it was computed, in milliseconds since the epoch; 0 or -1 unknown. */
    assignmentTimestamp: int64.tag(0).ignorable(),
  },
})

/** The target assignment of a member (record type 7). */
export const ConsumerGroupTargetAssignmentMemberKey = message({
  name: 'ConsumerGroupTargetAssignmentMemberKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the member. */
    memberId: string,
  },
})

/** What the member is to have. */
export const ConsumerGroupTargetAssignmentMemberValue = message({
  name: 'ConsumerGroupTargetAssignmentMemberValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** The partitions, by topic. */
    topicPartitions: array({
      /** Id of the topic. */
      topicId: uuid,
      /** Partition numbers. */
      partitions: array(int32),
    }),
  },
})

/** The current assignment of a member (record type 8). */
export const ConsumerGroupCurrentMemberAssignmentKey = message({
  name: 'ConsumerGroupCurrentMemberAssignmentKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the member. */
    memberId: string,
  },
})

/** What the member has, and has to give up. */
export const ConsumerGroupCurrentMemberAssignmentValue = message({
  name: 'ConsumerGroupCurrentMemberAssignmentValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Epoch that the member is at. */
    memberEpoch: int32,
    /** Epoch that it was at before: it may still use that if the answer got lost. */
    previousMemberEpoch: int32,
    /** Number of the member's state, see the coordinator's MemberState. */
    state: int8,
    /** Partitions that the member has. */
    assignedPartitions: array(topicPartitions),
    /** Partitions that it still has to give up. */
    partitionsPendingRevocation: array(topicPartitions),
  },
})

/** A subscription by expression (record type 16). */
export const ConsumerGroupRegularExpressionKey = message({
  name: 'ConsumerGroupRegularExpressionKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** The expression, RE2. */
    regularExpression: string,
  },
})

/** What the expression was found to match. */
export const ConsumerGroupRegularExpressionValue = message({
  name: 'ConsumerGroupRegularExpressionValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Names of the topics that match. */
    topics: array(string),
    /** Version of the cluster metadata that it was matched against. */
    version: int64,
    /** When it was matched, in milliseconds since the epoch. */
    timestamp: int64,
  },
})
