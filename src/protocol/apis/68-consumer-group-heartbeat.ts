import { api, array, coordinator, errorCode, groupId, int32, string, struct, throttleTimeMs, topicName, uuid } from '../schema.ts'

const topicPartitions = {
  /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
  topicId: uuid,
  /** Partition numbers. */
  partitions: array(int32),
}

/** Joins, stays in and leaves a group of the next-generation protocol; the broker assigns (KIP-848). */
export const ConsumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    /** Id of the group. */
    groupId,
    /** Id that the member made up for itself (KIP-1082). */
    memberId: string,
    /** Epoch of the member's assignment; 0 joins, -1 leaves, -2 leaves for a moment as a static member (KIP-848). */
    memberEpoch: int32,
    /** Stable name of a static member (KIP-345); null for a dynamic one, and to leave it as it is. */
    instanceId: string.nullable().default(null),
    /** Rack of the member; null leaves it as it is. */
    rackId: string.nullable().default(null),
    /** How long the member may take to give up partitions, in milliseconds; -1 leaves it as it is. */
    rebalanceTimeoutMs: int32.default(-1),
    /** Names of topics the member subscribes to; null leaves them as they are. */
    subscribedTopicNames: array(topicName).nullable().default(null),
    /** Pattern (RE2/J) of topics the member subscribes to; null leaves it as it is. */
    subscribedTopicRegex: string.since(1).nullable().default(null),
    /** Name of the assignor wanted; null leaves the choice to the group. */
    serverAssignor: string.nullable().default(null),
    /** Partitions the member has now; null when unchanged. */
    topicPartitions: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid,
      /** Partition numbers. */
      partitions: array(int32),
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
    errorMessage: string.nullable().default(null),
    /** Id of the member; null on error. */
    memberId: string.nullable().default(null),
    /** Epoch to send with the next heartbeat; -1 or -2 confirm that the member has left, for good or as a static member (KIP-848). */
    memberEpoch: int32,
    /** How often the member has to send heartbeats, in milliseconds. */
    heartbeatIntervalMs: int32,
    /** What the member is to have; null when unchanged. */
    assignment: struct({
      /** All partitions of the target assignment, by topic: what is not listed is to be given up. */
      topicPartitions: array(topicPartitions),
    })
      .nullable()
      .default(null),
  },
})
