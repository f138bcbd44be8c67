import { api, array, coordinator, errorCode, groupId, int32, throttleTimeMs, topicName } from '../schema.ts'

export const OffsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  route: coordinator('group', 'groupId'),
  request: {
    groupId: groupId,
    topics: array({
      name: topicName.mapKey(),
      partitions: array({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    errorCode: errorCode,
    throttleTimeMs: throttleTimeMs.ignorable(),
    topics: array({
      name: topicName.mapKey(),
      partitions: array({
        partitionIndex: int32.mapKey(),
        errorCode: errorCode,
      }),
    }),
  },
})
