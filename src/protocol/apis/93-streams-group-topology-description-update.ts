import { api, array, coordinator, errorCode, groupId, int8, int32, string, struct, throttleTimeMs, topicName } from '../schema.ts'

const topologyDescriptionNode = {
  /** Name of the node. */
  name: string,
  /** Kind of the node: 1 source, 2 processor, 3 sink. */
  nodeType: int8,
  /** Topics that a source node reads; empty where they are only known at run time. */
  sourceTopics: array(topicName),
  /** Topic that a sink writes to; null for other nodes, and where it is only known at run time. */
  sinkTopic: topicName.nullable().default(null),
  /** State stores attached to the node. */
  stores: array(string),
  /** Names of the nodes that come after this one. */
  successors: array(string),
}

const topologyDescriptionSubtopology = {
  /** Id of the subtopology within the Streams topology. */
  subtopologyId: string,
  /** The nodes of the subtopology. */
  nodes: array(topologyDescriptionNode),
}

const topologyDescriptionGlobalStore = {
  /** The source node that feeds the store. */
  source: struct(topologyDescriptionNode),
  /** The processor node that keeps the store up to date. */
  processor: struct(topologyDescriptionNode),
}

const topologyDescription = {
  /** The independent parts that the topology falls into. */
  subtopologies: array(topologyDescriptionSubtopology),
  /** Stores that every instance holds in full, and what fills them. */
  globalStores: array(topologyDescriptionGlobalStore),
}

/** Describes the topology of a Streams group to the broker, node by node. */
export const StreamsGroupTopologyDescriptionUpdate = api({
  key: 93,
  name: 'StreamsGroupTopologyDescriptionUpdate',
  versions: [0, 0],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    /** Id of the group. */
    groupId,
    /** Id of the member within its group. */
    memberId: string,
    /** Epoch of the topology. */
    topologyEpoch: int32,
    /** The topology as the application describes it; null for unknown. */
    topologyDescription: struct(topologyDescription),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable().default(null),
  },
})
