import { api, array, coordinator, errorCode, groupId, int32, string, struct, throttleTimeMs, topicName, uuid } from '../schema.ts'

const topicPartitions = {
  topicId: uuid,
  partitions: array(int32),
}

export const ShareGroupHeartbeat = api({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: [0, 1],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    groupId: groupId,
    memberId: string,
    memberEpoch: int32,
    rackId: string.nullable().default(null),
    subscribedTopicNames: array(topicName).nullable().default(null),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable().default(null),
    memberId: string.nullable().default(null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    assignment: struct({
      topicPartitions: array(topicPartitions),
    })
      .nullable()
      .default(null),
  },
})
