import { anyBroker, api, array, brokerId, errorCode, int32, int64, string, topicName, uint16, uuid } from '../schema.ts'

const replicaState = {
  replicaId: brokerId,
  replicaDirectoryId: uuid.since(2),
  logEndOffset: int64,
  lastFetchTimestamp: int64.since(1).default(-1n).ignorable(),
  lastCaughtUpTimestamp: int64.since(1).default(-1n).ignorable(),
}

export const DescribeQuorum = api({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexible: 0,
  route: anyBroker,
  request: {
    topics: array({
      topicName: topicName,
      partitions: array({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    errorCode: errorCode,
    errorMessage: string.since(2).nullable().ignorable(),
    topics: array({
      topicName: topicName,
      partitions: array({
        partitionIndex: int32,
        errorCode: errorCode,
        errorMessage: string.since(2).nullable().ignorable(),
        leaderId: brokerId,
        leaderEpoch: int32,
        highWatermark: int64,
        currentVoters: array(replicaState),
        observers: array(replicaState),
      }),
    }),
    nodes: array({
      nodeId: brokerId.mapKey(),
      listeners: array({
        name: string.mapKey(),
        host: string,
        port: uint16,
      }),
    }).since(2),
  },
})
