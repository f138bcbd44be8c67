import {
  api,
  array,
  bool,
  coordinator,
  errorCode,
  groupId,
  int32,
  int64,
  string,
  throttleTimeMs,
  topicName,
  uuid,
} from '../schema.ts'

export const OffsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [0, 10],
  flexible: 6,
  route: coordinator('group', ['groupId', 'groups[].groupId'], 'groups'),
  clientThrottlesSince: 4,
  request: {
    groupId: groupId.until(7),
    topics: array({
      name: topicName,
      partitionIndexes: array(int32),
    })
      .until(7)
      .nullableSince(2),
    groups: array({
      groupId: groupId,
      memberId: string.since(9).nullable().default(null).ignorable(),
      memberEpoch: int32.since(9).default(-1).ignorable(),
      topics: array({
        name: topicName.until(9).ignorable(),
        topicId: uuid.since(10).ignorable(),
        partitionIndexes: array(int32),
      }).nullable(),
    }).since(8),
    requireStable: bool.since(7),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(3).ignorable(),
    topics: array({
      name: topicName,
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.since(5).default(-1).ignorable(),
        metadata: string.nullable(),
        errorCode: errorCode,
      }),
    }).until(7),
    errorCode: errorCode.since(2).until(7).ignorable(),
    groups: array({
      groupId: groupId,
      topics: array({
        name: topicName.until(9).ignorable(),
        topicId: uuid.since(10).ignorable(),
        partitions: array({
          partitionIndex: int32,
          committedOffset: int64,
          committedLeaderEpoch: int32.default(-1).ignorable(),
          metadata: string.nullable(),
          errorCode: errorCode,
        }),
      }),
      errorCode: errorCode,
    }).since(8),
  },
})
