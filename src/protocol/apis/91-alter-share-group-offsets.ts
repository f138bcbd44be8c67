import { api, array, coordinator, errorCode, groupId, int32, int64, string, throttleTimeMs, topicName, uuid } from '../schema.ts'

export const AlterShareGroupOffsets = api({
  key: 91,
  name: 'AlterShareGroupOffsets',
  versions: [0, 0],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    groupId: groupId,
    topics: array({
      topicName: topicName.mapKey(),
      partitions: array({
        partitionIndex: int32,
        startOffset: int64,
      }),
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable().default(null),
    responses: array({
      topicName: topicName.mapKey(),
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: errorCode,
        errorMessage: string.nullable().default(null),
      }),
    }),
  },
})
