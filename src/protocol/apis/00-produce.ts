import {
  api,
  array,
  brokerId,
  errorCode,
  int16,
  int32,
  int64,
  leader,
  records,
  string,
  struct,
  throttleTimeMs,
  timeoutMs,
  topicName,
  transactionalId,
  uuid,
} from '../schema.ts'

export const Produce = api({
  key: 0,
  name: 'Produce',
  versions: [0, 13],
  flexible: 9,
  route: leader('topicData[].partitionData[].index', 'responses[].partitionResponses'),
  clientThrottlesSince: 6,
  request: {
    transactionalId: transactionalId.since(3).nullable().default(null),
    acks: int16,
    timeoutMs: timeoutMs,
    topicData: array({
      name: topicName.until(12).ignorable().mapKey(),
      topicId: uuid.since(13).ignorable().mapKey(),
      partitionData: array({
        index: int32,
        records: records.nullable().default(null),
      }),
    }),
  },
  response: {
    responses: array({
      name: topicName.until(12).ignorable().mapKey(),
      topicId: uuid.since(13).ignorable().mapKey(),
      partitionResponses: array({
        index: int32,
        errorCode: errorCode,
        baseOffset: int64,
        logAppendTimeMs: int64.since(2).default(-1n).ignorable(),
        logStartOffset: int64.since(5).default(-1n).ignorable(),
        recordErrors: array({
          batchIndex: int32,
          batchIndexErrorMessage: string.nullable().default(null),
        })
          .since(8)
          .ignorable(),
        errorMessage: string.since(8).nullable().default(null).ignorable(),
        currentLeader: struct({
          leaderId: brokerId.default(-1),
          leaderEpoch: int32.default(-1),
        })
          .since(10)
          .tag(0),
      }),
    }),
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    nodeEndpoints: array({
      nodeId: brokerId.mapKey(),
      host: string,
      port: int32,
      rack: string.nullable().default(null),
    })
      .since(10)
      .tag(0),
  },
})
