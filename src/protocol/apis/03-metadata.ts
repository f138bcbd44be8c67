import { anyBroker, api, array, bool, brokerId, errorCode, int32, string, throttleTimeMs, topicName, uuid } from '../schema.ts'

export const Metadata = api({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexible: 9,
  route: anyBroker,
  clientThrottlesSince: 6,
  request: {
    topics: array({
      topicId: uuid.since(10).ignorable(),
      name: topicName.nullableSince(10),
    }).nullableSince(1),
    allowAutoTopicCreation: bool.since(4).default(true),
    includeClusterAuthorizedOperations: bool.since(8).until(10),
    includeTopicAuthorizedOperations: bool.since(8),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(3).ignorable(),
    brokers: array({
      nodeId: brokerId.mapKey(),
      host: string,
      port: int32,
      rack: string.since(1).nullable().default(null).ignorable(),
    }),
    clusterId: string.since(2).nullable().default(null).ignorable(),
    controllerId: brokerId.since(1).default(-1).ignorable(),
    topics: array({
      errorCode: errorCode,
      name: topicName.nullableSince(12).mapKey(),
      topicId: uuid.since(10).ignorable(),
      isInternal: bool.since(1).ignorable(),
      partitions: array({
        errorCode: errorCode,
        partitionIndex: int32,
        leaderId: brokerId,
        leaderEpoch: int32.since(7).default(-1).ignorable(),
        replicaNodes: array(brokerId),
        isrNodes: array(brokerId),
        offlineReplicas: array(brokerId).since(5).ignorable(),
      }),
      topicAuthorizedOperations: int32.since(8).default(-2147483648),
    }),
    clusterAuthorizedOperations: int32.since(8).until(10).default(-2147483648),
    errorCode: errorCode.since(13).ignorable(),
  },
})
