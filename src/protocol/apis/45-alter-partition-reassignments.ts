import {
  api,
  array,
  bool,
  brokerId,
  controller,
  errorCode,
  int32,
  string,
  throttleTimeMs,
  timeoutMs,
  topicName,
} from '../schema.ts'

export const AlterPartitionReassignments = api({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexible: 0,
  route: controller,
  request: {
    timeoutMs: timeoutMs.default(60000),
    allowReplicationFactorChange: bool.since(1).default(true),
    topics: array({
      name: topicName,
      partitions: array({
        partitionIndex: int32,
        replicas: array(brokerId).nullable().default(null),
      }),
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    allowReplicationFactorChange: bool.since(1).default(true).ignorable(),
    errorCode: errorCode,
    errorMessage: string.nullable(),
    responses: array({
      name: topicName,
      partitions: array({
        partitionIndex: int32,
        errorCode: errorCode,
        errorMessage: string.nullable(),
      }),
    }),
  },
})
