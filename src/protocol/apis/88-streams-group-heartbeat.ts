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
  /** How many partitions it needs; 0 lets the broker decide. */
  partitions: int32,
  /** How many replicas it needs; 0 for the broker's default. */
  replicationFactor: int16,
  /** Configuration of the internal topic. */
  topicConfigs: array(keyValue),
}

const taskIds = {
  /** Id of the subtopology within the Streams topology. */
  subtopologyId: string,
  /** Partitions of the input: one task each. */
  partitions: array(int32),
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

const status = {
  /** What is the matter: 0 stale topology, 1 missing source topics, 2 topics partitioned wrongly, 3 missing internal topics, 4 shutdown asked for, 5 assignment delayed, 6 missing client tags. */
  statusCode: int8,
  /** What the matter is, in the broker's own words. */
  statusDetail: string,
}

const topicPartition = {
  /** Name of the topic. */
  topic: topicName,
  /** Partition numbers. */
  partitions: array(int32),
}

/** Joins, stays in and leaves a Streams group; the broker assigns tasks (KIP-1071). */
export const StreamsGroupHeartbeat = api({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: [0, 1],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    /** Id of the group. */
    groupId,
    /** Id that the member made up for itself. */
    memberId: string,
    /** Epoch of the member's assignment; 0 joins, -1 leaves, -2 leaves for a moment as a static member (KIP-848). */
    memberEpoch: int32,
    /** Epoch of the endpoint map that the member has. */
    endpointInformationEpoch: int32,
    /** Stable name of a static member (KIP-345); null for a dynamic one, and to leave it as it is. */
    instanceId: string.nullable().default(null),
    /** Rack of the member; null leaves it as it is. */
    rackId: string.nullable().default(null),
    /** How long the member may take to give up tasks, in milliseconds; -1 leaves it as it is. */
    rebalanceTimeoutMs: int32.default(-1),
    /** The topology, when the member joins; null afterwards. */
    topology: struct({
      /** Epoch of the topology; grows when the application changes it. */
      epoch: int32,
      /** The independent parts that the topology falls into. */
      subtopologies: array({
        /** Id of the subtopology within the Streams topology. */
        subtopologyId: string,
        /** Topics that the subtopology reads. */
        sourceTopics: array(topicName),
        /** Patterns of topics that the subtopology reads. */
        sourceTopicRegex: array(string),
        /** Changelog topics of the subtopology's state stores. */
        stateChangelogTopics: array(topicInfo),
        /** Internal repartition topics that the subtopology writes. */
        repartitionSinkTopics: array(topicName),
        /** Internal repartition topics that the subtopology reads. */
        repartitionSourceTopics: array(topicInfo),
        /** Sets of source topics that must have equal partition counts. */
        copartitionGroups: array({
          /** Places in the `sourceTopics` of the subtopology. */
          sourceTopics: array(int16),
          /** Places in the `sourceTopicRegex` of the subtopology. */
          sourceTopicRegex: array(int16),
          /** Places in the `repartitionSourceTopics` of the subtopology. */
          repartitionSourceTopics: array(int16),
        }),
      }),
    })
      .nullable()
      .default(null),
    /** Tasks the client processes; null leaves them as they are. */
    activeTasks: array(taskIds).nullable().default(null),
    /** Tasks for which the client keeps a warm copy of the state; null leaves them as they are. */
    standbyTasks: array(taskIds).nullable().default(null),
    /** Tasks whose state the client is catching up with; null leaves them as they are. */
    warmupTasks: array(taskIds).nullable().default(null),
    /** Identifies the process, so that state can be found again on it; null leaves it as it is. */
    processId: string.nullable().default(null),
    /** Where the application answers interactive queries; null for nowhere. */
    userEndpoint: struct(endpoint).nullable().default(null),
    /** Key and value pairs for rack-aware standby placement; null leaves them as they are. */
    clientTags: array(keyValue).nullable().default(null),
    /** How far each task's changelog has been restored; null leaves it as it is. */
    taskOffsets: array(taskOffset).nullable().default(null),
    /** End offsets of the tasks' changelogs; null leaves them as they are. */
    taskEndOffsets: array(taskOffset).nullable().default(null),
    /** Whether all members are to shut down. */
    shutdownApplication: bool,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable().default(null),
    /** Id of the member. */
    memberId: string,
    /** Epoch to send with the next heartbeat; -1 or -2 confirm that the member has left, for good or as a static member. */
    memberEpoch: int32,
    /** How often the member has to send heartbeats, in milliseconds. */
    heartbeatIntervalMs: int32,
    /** How far behind a warm-up task may be to count as caught up, in offsets. */
    acceptableRecoveryLagLegacy: int32.until(0),
    /** How often to report task offsets, in milliseconds. */
    taskOffsetIntervalMs: int32,
    /** How far behind a warm-up task may be to count as caught up, in offsets; -1 for not told. */
    acceptableRecoveryLag: int64.since(1).default(-1n).ignorable(),
    /** What is the matter with the group; null or empty when nothing is. */
    status: array(status).nullable(),
    /** Tasks the client processes; null leaves them as they are. */
    activeTasks: array(taskIds).nullable().default(null),
    /** Tasks for which the client keeps a warm copy of the state; null leaves them as they are. */
    standbyTasks: array(taskIds).nullable().default(null),
    /** Tasks whose state the client is catching up with; null leaves them as they are. */
    warmupTasks: array(taskIds).nullable().default(null),
    /** Whether the broker wants the topology described. */
    topologyDescriptionRequired: bool.since(1),
    /** Epoch of the endpoint map in this answer. */
    endpointInformationEpoch: int32,
    /** Which instance has which partitions, for interactive queries; null when unchanged. */
    partitionsByUserEndpoint: array({
      /** Where the instance answers. */
      userEndpoint: struct(endpoint),
      /** Partitions it processes. */
      activePartitions: array(topicPartition),
      /** Partitions it has a warm copy of. */
      standbyPartitions: array(topicPartition),
    })
      .nullable()
      .default(null),
  },
})
