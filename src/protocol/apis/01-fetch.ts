import {
  api,
  array,
  brokerId,
  errorCode,
  int8,
  int32,
  int64,
  leader,
  producerId,
  records,
  string,
  struct,
  throttleTimeMs,
  topicName,
  uuid,
} from '../schema.ts'

export const Fetch = api({
  key: 1,
  name: 'Fetch',
  versions: [0, 18],
  flexible: 12,
  route: leader('topics[].partitions[].partition', 'responses[].partitions'),
  clientThrottlesSince: 8,
  request: {
    clusterId: string.since(12).nullable().default(null).tag(0).ignorable(),
    replicaId: brokerId.until(14).default(-1),
    replicaState: struct({
      replicaId: brokerId.default(-1),
      replicaEpoch: int64.default(-1n),
    })
      .since(15)
      .tag(1),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.since(3).default(0x7fffffff).ignorable(),
    isolationLevel: int8.since(4).ignorable(),
    sessionId: int32.since(7).ignorable(),
    sessionEpoch: int32.since(7).default(-1).ignorable(),
    topics: array({
      topic: topicName.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.since(9).default(-1).ignorable(),
        fetchOffset: int64,
        lastFetchedEpoch: int32.since(12).default(-1),
        logStartOffset: int64.since(5).default(-1n).ignorable(),
        partitionMaxBytes: int32,
        replicaDirectoryId: uuid.since(17).tag(0).ignorable(),
        highWatermark: int64.since(18).default(9223372036854775807n).tag(1).ignorable(),
      }),
    }),
    forgottenTopicsData: array({
      topic: topicName.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array(int32),
    }).since(7),
    rackId: string.since(11).ignorable(),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    errorCode: errorCode.since(7).ignorable(),
    sessionId: int32.since(7),
    responses: array({
      topic: topicName.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array({
        partitionIndex: int32,
        errorCode: errorCode,
        highWatermark: int64,
        lastStableOffset: int64.since(4).default(-1n).ignorable(),
        logStartOffset: int64.since(5).default(-1n).ignorable(),
        divergingEpoch: struct({
          epoch: int32.default(-1),
          endOffset: int64.default(-1n),
        })
          .since(12)
          .tag(0),
        currentLeader: struct({
          leaderId: brokerId.default(-1),
          leaderEpoch: int32.default(-1),
        })
          .since(12)
          .tag(1),
        snapshotId: struct({
          endOffset: int64.default(-1n),
          epoch: int32.default(-1),
        })
          .since(12)
          .tag(2),
        abortedTransactions: array({
          producerId: producerId,
          firstOffset: int64,
        })
          .since(4)
          .nullable()
          .ignorable(),
        preferredReadReplica: brokerId.since(11).default(-1),
        records: records.nullable().default(null),
      }),
    }),
    nodeEndpoints: array({
      nodeId: brokerId.mapKey(),
      host: string,
      port: int32,
      rack: string.nullable().default(null),
    })
      .since(16)
      .tag(0),
  },
})
