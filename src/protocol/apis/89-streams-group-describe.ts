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

const endpoint = {
  host: string,
  port: uint16,
}

const taskOffset = {
  subtopologyId: string,
  partition: int32,
  offset: int64,
}

const taskIds = {
  subtopologyId: string,
  partitions: array(int32),
}

const assignment = {
  activeTasks: array(taskIds),
  standbyTasks: array(taskIds),
  warmupTasks: array(taskIds),
}

const topologyDescriptionNode = {
  name: string.since(1),
  nodeType: int8.since(1),
  sourceTopics: array(topicName).since(1),
  sinkTopic: topicName.since(1).nullable().default(null),
  stores: array(string).since(1),
  successors: array(string).since(1),
}

const topologyDescriptionSubtopology = {
  subtopologyId: string.since(1),
  nodes: array(topologyDescriptionNode).since(1),
}

const topologyDescriptionGlobalStore = {
  source: struct(topologyDescriptionNode).since(1),
  processor: struct(topologyDescriptionNode).since(1),
}

const topologyDescription = {
  subtopologies: array(topologyDescriptionSubtopology).since(1),
  globalStores: array(topologyDescriptionGlobalStore).since(1),
}

export const StreamsGroupDescribe = api({
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: [0, 1],
  flexible: 0,
  route: coordinator('group', 'groupIds[]', 'groups'),
  request: {
    groupIds: array(groupId),
    includeAuthorizedOperations: bool,
    includeTopologyDescription: bool.since(1),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    groups: array({
      errorCode: errorCode,
      errorMessage: string.nullable().default(null),
      groupId: groupId,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      topology: struct({
        epoch: int32,
        subtopologies: array({
          subtopologyId: string,
          sourceTopics: array(topicName),
          repartitionSinkTopics: array(topicName),
          stateChangelogTopics: array(topicInfo),
          repartitionSourceTopics: array(topicInfo),
        })
          .nullable()
          .default(null),
      })
        .nullable()
        .default(null),
      members: array({
        memberId: string,
        memberEpoch: int32,
        instanceId: string.nullable().default(null),
        rackId: string.nullable().default(null),
        clientId: string,
        clientHost: string,
        topologyEpoch: int32,
        processId: string,
        userEndpoint: struct(endpoint).nullable().default(null),
        clientTags: array(keyValue),
        taskOffsets: array(taskOffset),
        taskEndOffsets: array(taskOffset),
        assignment: struct(assignment),
        targetAssignment: struct(assignment),
        isClassic: bool,
      }),
      authorizedOperations: int32.default(-2147483648),
      topologyDescription: struct(topologyDescription).since(1).nullable().default(null),
      topologyDescriptionStatus: int8.since(1),
      assignorName: string.since(1).nullable().default(null).ignorable(),
    }),
  },
})
