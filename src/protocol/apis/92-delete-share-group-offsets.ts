import { api, array, coordinator, errorCode, groupId, string, throttleTimeMs, topicName, uuid } from '../schema.ts'

export const DeleteShareGroupOffsets = api({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: [0, 0],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    groupId: groupId,
    topics: array({
      topicName: topicName,
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable().default(null),
    responses: array({
      topicName: topicName,
      topicId: uuid,
      errorCode: errorCode,
      errorMessage: string.nullable().default(null),
    }),
  },
})
