import {
  api,
  array,
  bool,
  coordinator,
  errorCode,
  groupId,
  int8,
  int16,
  int32,
  int64,
  string,
  struct,
  throttleTimeMs,
  topicName,
  uint16,
} from '../schema.ts'

const keyValue = {
  key: string,
  value: string,
}

const topicInfo = {
  name: topicName,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array(keyValue),
}

const taskIds = {
  subtopologyId: string,
  partitions: array(int32),
}

const endpoint = {
  host: string,
  port: uint16,
}

const taskOffset = {
  subtopologyId: string,
  partition: int32,
  offset: int64,
}

const status = {
  statusCode: int8,
  statusDetail: string,
}

const topicPartition = {
  topic: topicName,
  partitions: array(int32),
}

export const StreamsGroupHeartbeat = api({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: [0, 1],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    groupId: groupId,
    memberId: string,
    memberEpoch: int32,
    endpointInformationEpoch: int32,
    instanceId: string.nullable().default(null),
    rackId: string.nullable().default(null),
    rebalanceTimeoutMs: int32.default(-1),
    topology: struct({
      epoch: int32,
      subtopologies: array({
        subtopologyId: string,
        sourceTopics: array(topicName),
        sourceTopicRegex: array(string),
        stateChangelogTopics: array(topicInfo),
        repartitionSinkTopics: array(topicName),
        repartitionSourceTopics: array(topicInfo),
        copartitionGroups: array({
          sourceTopics: array(int16),
          sourceTopicRegex: array(int16),
          repartitionSourceTopics: array(int16),
        }),
      }),
    })
      .nullable()
      .default(null),
    activeTasks: array(taskIds).nullable().default(null),
    standbyTasks: array(taskIds).nullable().default(null),
    warmupTasks: array(taskIds).nullable().default(null),
    processId: string.nullable().default(null),
    userEndpoint: struct(endpoint).nullable().default(null),
    clientTags: array(keyValue).nullable().default(null),
    taskOffsets: array(taskOffset).nullable().default(null),
    taskEndOffsets: array(taskOffset).nullable().default(null),
    shutdownApplication: bool,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable().default(null),
    memberId: string,
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    acceptableRecoveryLagLegacy: int32.until(0),
    taskOffsetIntervalMs: int32,
    acceptableRecoveryLag: int64.since(1).default(-1n).ignorable(),
    status: array(status).nullable(),
    activeTasks: array(taskIds).nullable().default(null),
    standbyTasks: array(taskIds).nullable().default(null),
    warmupTasks: array(taskIds).nullable().default(null),
    topologyDescriptionRequired: bool.since(1),
    endpointInformationEpoch: int32,
    partitionsByUserEndpoint: array({
      userEndpoint: struct(endpoint),
      activePartitions: array(topicPartition),
      standbyPartitions: array(topicPartition),
    })
      .nullable()
      .default(null),
  },
})
