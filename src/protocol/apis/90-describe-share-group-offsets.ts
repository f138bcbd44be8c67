import { api, array, coordinator, errorCode, groupId, int32, int64, string, throttleTimeMs, topicName, uuid } from '../schema.ts'

export const DescribeShareGroupOffsets = api({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: [0, 1],
  flexible: 0,
  route: coordinator('group', 'groups[].groupId', 'groups'),
  request: {
    groups: array({
      groupId: groupId,
      topics: array({
        topicName: topicName,
        partitions: array(int32),
      }).nullable(),
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    groups: array({
      groupId: groupId,
      topics: array({
        topicName: topicName,
        topicId: uuid,
        partitions: array({
          partitionIndex: int32,
          startOffset: int64,
          leaderEpoch: int32,
          lag: int64.since(1).default(-1n).ignorable(),
          errorCode: errorCode,
          errorMessage: string.nullable().default(null),
        }),
      }),
      errorCode: errorCode,
      errorMessage: string.nullable().default(null),
    }),
  },
})
