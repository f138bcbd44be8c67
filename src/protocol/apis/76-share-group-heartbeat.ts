import { api, array, coordinator, errorCode, groupId, int32, string, struct, throttleTimeMs, topicName, uuid } from '../schema.ts'

const topicPartitions = {
  /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
  topicId: uuid,
  /** Partition numbers. */
  partitions: array(int32),
}

/** Joins, stays in and leaves a share group (KIP-932). */
export const ShareGroupHeartbeat = api({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: [1, 1],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    /** Id of the group. */
    groupId,
    /** Id that the member made up for itself. */
    memberId: string,
    /** Epoch of the member; 0 joins, -1 leaves. */
    memberEpoch: int32,
    /** Rack of the member; null leaves it as it is. */
    rackId: string.nullable().default(null),
    /** Names of topics the member subscribes to; null leaves them as they are. */
    subscribedTopicNames: array(topicName).nullable().default(null),
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
    /** Epoch to send with the next heartbeat; -1 confirms that the member has left. */
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
