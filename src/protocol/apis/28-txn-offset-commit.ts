import {
  api,
  array,
  coordinator,
  errorCode,
  groupId,
  int16,
  int32,
  int64,
  producerId,
  string,
  throttleTimeMs,
  topicName,
  transactionalId,
  uuid,
} from '../schema.ts'

export const TxnOffsetCommit = api({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 6],
  flexible: 3,
  route: coordinator('group', 'groupId'),
  clientThrottlesSince: 1,
  request: {
    transactionalId: transactionalId,
    groupId: groupId,
    producerId: producerId,
    producerEpoch: int16,
    generationIdOrMemberEpoch: int32.since(3).default(-1),
    memberId: string.since(3),
    groupInstanceId: string.since(3).nullable().default(null),
    topics: array({
      name: topicName.until(5).ignorable(),
      topicId: uuid.since(6).ignorable(),
      partitions: array({
        partitionIndex: int32,
        committedOffset: int64,
        committedLeaderEpoch: int32.since(2).default(-1).ignorable(),
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    topics: array({
      name: topicName.until(5).ignorable(),
      topicId: uuid.since(6).ignorable(),
      partitions: array({
        partitionIndex: int32,
        errorCode: errorCode,
      }),
    }),
  },
})
