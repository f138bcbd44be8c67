import { api, array, coordinator, errorCode, groupId, int32, int64, string, throttleTimeMs, topicName, uuid } from '../schema.ts'

export const OffsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [0, 10],
  flexible: 8,
  route: coordinator('group', 'groupId'),
  clientThrottlesSince: 4,
  request: {
    groupId: groupId,
    generationIdOrMemberEpoch: int32.since(1).default(-1).ignorable(),
    memberId: string.since(1).ignorable(),
    groupInstanceId: string.since(7).nullable().default(null),
    retentionTimeMs: int64.since(2).until(4).default(-1n).ignorable(),
    topics: array({
      name: topicName.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.since(6).default(-1).ignorable(),
        commitTimestamp: int64.since(1).until(1).default(-1n),
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(3).ignorable(),
    topics: array({
      name: topicName.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: array({
        partitionIndex: int32,
        errorCode: errorCode,
      }),
    }),
  },
})
