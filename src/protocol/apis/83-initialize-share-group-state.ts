import { anyBroker, api, array, errorCode, int32, int64, string, uuid } from '../schema.ts'

export const InitializeShareGroupState = api({
  key: 83,
  name: 'InitializeShareGroupState',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    groupId: string,
    topics: array({
      topicId: uuid,
      partitions: array({
        partition: int32,
        stateEpoch: int32,
        startOffset: int64,
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
