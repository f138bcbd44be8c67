import {
  api,
  array,
  bool,
  brokerId,
  errorCode,
  groupId,
  int8,
  int32,
  int64,
  leader,
  string,
  struct,
  throttleTimeMs,
  uuid,
} from '../schema.ts'

export const ShareAcknowledge = api({
  key: 79,
  name: 'ShareAcknowledge',
  versions: [0, 2],
  flexible: 0,
  route: leader('topics[].partitions[].partitionIndex', 'responses[].partitions'),
  request: {
    groupId: groupId.nullable().default(null),
    memberId: string.nullable(),
    shareSessionEpoch: int32,
    isRenewAck: bool.since(2),
    topics: array({
      topicId: uuid.mapKey(),
      partitions: array({
        partitionIndex: int32.mapKey(),
        acknowledgementBatches: array({
          firstOffset: int64,
          lastOffset: int64,
          acknowledgeTypes: array(int8),
        }),
      }),
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable().default(null),
    acquisitionLockTimeoutMs: int32.since(2).ignorable(),
    responses: array({
      topicId: uuid.mapKey(),
      partitions: array({
        partitionIndex: int32,
        errorCode: errorCode,
        errorMessage: string.nullable().default(null),
        currentLeader: struct({
          leaderId: int32,
          leaderEpoch: int32,
        }),
      }),
    }),
    nodeEndpoints: array({
      nodeId: brokerId.mapKey(),
      host: string,
      port: int32,
      rack: string.nullable().default(null),
    }),
  },
})
