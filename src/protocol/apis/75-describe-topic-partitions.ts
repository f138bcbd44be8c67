import { anyBroker, api, array, bool, brokerId, errorCode, int32, struct, throttleTimeMs, topicName, uuid } from '../schema.ts'

export const DescribeTopicPartitions = api({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    topics: array({
      name: topicName,
    }),
    responsePartitionLimit: int32.default(2000),
    cursor: struct({
      topicName: topicName,
      partitionIndex: int32,
    })
      .nullable()
      .default(null),
  },
  response: {
    throttleTimeMs: throttleTimeMs.ignorable(),
    topics: array({
      errorCode: errorCode,
      name: topicName.nullable().mapKey(),
      topicId: uuid.ignorable(),
      isInternal: bool.ignorable(),
      partitions: array({
        errorCode: errorCode,
        partitionIndex: int32,
        leaderId: brokerId,
        leaderEpoch: int32.default(-1).ignorable(),
        replicaNodes: array(brokerId),
        isrNodes: array(brokerId),
        eligibleLeaderReplicas: array(brokerId).nullable().default(null),
        lastKnownElr: array(brokerId).nullable().default(null),
        offlineReplicas: array(brokerId).ignorable(),
      }),
      topicAuthorizedOperations: int32.default(-2147483648),
    }),
    nextCursor: struct({
      topicName: topicName,
      partitionIndex: int32,
    })
      .nullable()
      .default(null),
  },
})
