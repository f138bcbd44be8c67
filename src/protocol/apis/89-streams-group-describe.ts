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
  /** Name of the configuration entry, or of the client's tag. */
  key: string,
  /** Value of that entry or tag. */
  value: string,
}

const topicInfo = {
  /** Name of the topic. */
  name: topicName,
  /** How many partitions it has; 0 for as many as the broker decides. */
  partitions: int32,
  /** How many replicas it has; 0 for the broker's default. */
  replicationFactor: int16,
  /** Configuration of the internal topic. */
  topicConfigs: array(keyValue),
}

const endpoint = {
  /** Host name or address to connect to. */
  host: string,
  /** TCP port to connect to. */
  port: uint16,
}

const taskOffset = {
  /** Id of the subtopology within the Streams topology. */
  subtopologyId: string,
  /** Partition number, from 0. */
  partition: int32,
  /** Offset in the task's changelogs, summed over its state stores: what it has restored, or where they end (KIP-1071). */
  offset: int64,
}

const taskIds = {
  /** Id of the subtopology within the Streams topology. */
  subtopologyId: string,
  /** Partitions of the input: one task each. */
  partitions: array(int32),
}

const assignment = {
  /** Tasks it processes. */
  activeTasks: array(taskIds),
  /** Tasks it keeps a warm copy for. */
  standbyTasks: array(taskIds),
  /** Tasks whose state it is catching up with. */
  warmupTasks: array(taskIds),
}

const topologyDescriptionNode = {
  /** Name of the node. */
  name: string.since(1),
  /** Kind of the node: 1 source, 2 processor, 3 sink. */
  nodeType: int8.since(1),
  /** Topics that a source node reads; empty where they are only known at run time. */
  sourceTopics: array(topicName).since(1),
  /** Topic that a sink writes to; null for other nodes, and where it is only known at run time. */
  sinkTopic: topicName.since(1).nullable().default(null),
  /** State stores attached to the node. */
  stores: array(string).since(1),
  /** Names of the nodes that come after this one. */
  successors: array(string).since(1),
}

const topologyDescriptionSubtopology = {
  /** Id of the subtopology within the Streams topology. */
  subtopologyId: string.since(1),
  /** The nodes of the subtopology. */
  nodes: array(topologyDescriptionNode).since(1),
}

const topologyDescriptionGlobalStore = {
  /** The source node that feeds the store. */
  source: struct(topologyDescriptionNode).since(1),
  /** The processor node that keeps the store up to date. */
  processor: struct(topologyDescriptionNode).since(1),
}

const topologyDescription = {
  /** The independent parts that the topology falls into. */
  subtopologies: array(topologyDescriptionSubtopology).since(1),
  /** Stores that every instance holds in full, and what fills them. */
  globalStores: array(topologyDescriptionGlobalStore).since(1),
}

/** Describes Streams groups (KIP-1071). */
export const StreamsGroupDescribe = api({
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: [0, 1],
  flexible: 0,
  route: coordinator('group', 'groupIds[]', 'groups'),
  request: {
    /** Ids of the groups to describe. */
    groupIds: array(groupId),
    /** Whether the answer is to say what the caller may do with the resource. */
    includeAuthorizedOperations: bool,
    /** Whether the topology is to be described node by node. */
    includeTopologyDescription: bool.since(1),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What is known of each group. */
    groups: array({
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable().default(null),
      /** Id of the group. */
      groupId,
      /** State of the group, such as Stable or Empty. */
      groupState: string,
      /** Epoch of the group; it grows when members, subscriptions or topics change. */
      groupEpoch: int32,
      /** Epoch of the target assignment. */
      assignmentEpoch: int32,
      /** The topology; null when the group has none. */
      topology: struct({
        /** Epoch of the topology. */
        epoch: int32,
        /** The independent parts of the topology; null when not known. */
        subtopologies: array({
          /** Id of the subtopology within the Streams topology. */
          subtopologyId: string,
          /** Topics that the subtopology reads. */
          sourceTopics: array(topicName),
          /** Internal repartition topics that the subtopology writes. */
          repartitionSinkTopics: array(topicName),
          /** Changelog topics of the subtopology's state stores. */
          stateChangelogTopics: array(topicInfo),
          /** Internal repartition topics that the subtopology reads. */
          repartitionSourceTopics: array(topicInfo),
        })
          .nullable()
          .default(null),
      })
        .nullable()
        .default(null),
      /** Who is in the group. */
      members: array({
        /** Id of the member within its group. */
        memberId: string,
        /** Epoch of the member: the generation of the assignment that it has. */
        memberEpoch: int32,
        /** Stable name of a static member (KIP-345); null for a dynamic one. */
        instanceId: string.nullable().default(null),
        /** Rack of the member; null for none. */
        rackId: string.nullable().default(null),
        /** The client id that the member sends. */
        clientId: string,
        /** Address from which the member connects. */
        clientHost: string,
        /** Epoch of the topology. */
        topologyEpoch: int32,
        /** Process that the member runs in. */
        processId: string,
        /** Where the application answers interactive queries; null for nowhere. */
        userEndpoint: struct(endpoint).nullable().default(null),
        /** Key and value pairs for rack-aware standby placement. */
        clientTags: array(keyValue),
        /** How far each task's changelog has been restored. */
        taskOffsets: array(taskOffset),
        /** End offsets of the tasks' changelogs. */
        taskEndOffsets: array(taskOffset),
        /** What the member has now. */
        assignment: struct(assignment),
        /** What the member is meant to have once all have moved. */
        targetAssignment: struct(assignment),
        /** Whether the member still uses the classic protocol. */
        isClassic: bool,
      }),
      /** Bit set of the operations that the caller may perform; -2147483648 when not asked for. */
      authorizedOperations: int32.default(-2147483648),
      /** The topology as the application describes it; null for unknown. */
      topologyDescription: struct(topologyDescription).since(1).nullable().default(null),
      /** Whether the description is there: 0 not asked for, 1 none stored, 2 not readable, 3 there. */
      topologyDescriptionStatus: int8.since(1),
      /** Name of the server-side assignor in use. */
      assignorName: string.since(1).nullable().default(null).ignorable(),
    }),
  },
})
