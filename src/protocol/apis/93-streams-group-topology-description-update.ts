import { api, array, coordinator, errorCode, groupId, int8, int32, string, struct, throttleTimeMs, topicName } from '../schema.ts'

const topologyDescriptionNode = {
  name: string,
  nodeType: int8,
  sourceTopics: array(topicName),
  sinkTopic: topicName.nullable().default(null),
  stores: array(string),
  successors: array(string),
}

const topologyDescriptionSubtopology = {
  subtopologyId: string,
  nodes: array(topologyDescriptionNode),
}

const topologyDescriptionGlobalStore = {
  source: struct(topologyDescriptionNode),
  processor: struct(topologyDescriptionNode),
}

const topologyDescription = {
  subtopologies: array(topologyDescriptionSubtopology),
  globalStores: array(topologyDescriptionGlobalStore),
}

export const StreamsGroupTopologyDescriptionUpdate = api({
  key: 93,
  name: 'StreamsGroupTopologyDescriptionUpdate',
  versions: [0, 0],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    groupId: groupId,
    memberId: string,
    topologyEpoch: int32,
    topologyDescription: struct(topologyDescription),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable().default(null),
  },
})
