import { anyBroker, api, array, errorCode, int32, string, uuid } from '../schema.ts'

export const DeleteShareGroupState = api({
  key: 86,
  name: 'DeleteShareGroupState',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
      }),
    }),
  },
  response: {
    results: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        errorCode: errorCode,
        errorMessage: string.nullable().default(null),
      }),
    }),
  },
})
