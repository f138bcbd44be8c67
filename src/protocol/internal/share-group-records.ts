/** `__consumer_offsets`: share groups (KIP-932). */
import { array, int8, int32, int64, message, string, uuid } from '../schema.ts'

const topicPartitions = {
  /** Id of the topic. */
  topicId: uuid,
  /** Partition numbers. */
  partitions: array(int32),
}

const topicPartitionsInfo = {
  /** Id of the topic. */
  topicId: uuid,
  /** Name of the topic. */
  topicName: string,
  /** Partition numbers. */
  partitions: array(int32),
}

const topicInfo = {
  /** Id of the topic. */
  topicId: uuid,
  /** Name of the topic. */
  topicName: string,
}

/** A member of a share group (KIP-932, record type 10). */
export const ShareGroupMemberMetadataKey = message({
  name: 'ShareGroupMemberMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the member. */
    memberId: string,
  },
})

/** What a member says of itself. */
export const ShareGroupMemberMetadataValue = message({
  name: 'ShareGroupMemberMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Rack of the member; null when unknown. */
    rackId: string.nullable(),
    /** What the client calls itself. */
    clientId: string,
    /** Address it connected from. */
    clientHost: string,
    /** Topics that it subscribes to by name. */
    subscribedTopicNames: array(string),
  },
})

/** A share group (record type 11). */
export const ShareGroupMetadataKey = message({
  name: 'ShareGroupMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
  },
})

/** Epoch of a share group. */
export const ShareGroupMetadataValue = message({
  name: 'ShareGroupMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Epoch of the group. */
    epoch: int32,
    /** Hash over the topics that the group subscribes to; it changes when they do. */
    metadataHash: int64,
  },
})

/** The target assignment of a share group (record type 12). */
export const ShareGroupTargetAssignmentMetadataKey = message({
  name: 'ShareGroupTargetAssignmentMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
  },
})

/** Epoch of the target assignment. */
export const ShareGroupTargetAssignmentMetadataValue = message({
  name: 'ShareGroupTargetAssignmentMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Epoch of the assignment. */
    assignmentEpoch: int32,
    /** When it was computed, in milliseconds since the epoch; 0 or -1 unknown. */
    assignmentTimestamp: int64.tag(0).ignorable(),
  },
})

/** The target assignment of a member (record type 13). */
export const ShareGroupTargetAssignmentMemberKey = message({
  name: 'ShareGroupTargetAssignmentMemberKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the member. */
    memberId: string,
  },
})

/** What the member is to have. */
export const ShareGroupTargetAssignmentMemberValue = message({
  name: 'ShareGroupTargetAssignmentMemberValue',
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

/** The current assignment of a member (record type 14). */
export const ShareGroupCurrentMemberAssignmentKey = message({
  name: 'ShareGroupCurrentMemberAssignmentKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the member. */
    memberId: string,
  },
})

/** What the member has. */
export const ShareGroupCurrentMemberAssignmentValue = message({
  name: 'ShareGroupCurrentMemberAssignmentValue',
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
  },
})

/** The topics of a share group (record type 15). */
export const ShareGroupStatePartitionMetadataKey = message({
  name: 'ShareGroupStatePartitionMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
  },
})

/** Which topics have their share state set up. */
export const ShareGroupStatePartitionMetadataValue = message({
  name: 'ShareGroupStatePartitionMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Topics whose share state is being set up. */
    initializingTopics: array(topicPartitionsInfo),
    /** Topics whose share state is set up. */
    initializedTopics: array(topicPartitionsInfo),
    /** Topics whose share state is being deleted. */
    deletingTopics: array(topicInfo),
  },
})
