/** `__consumer_offsets`: streams groups (KIP-1071). */
import { array, int8, int16, int32, int64, message, string, struct, uint16 } from '../schema.ts'

const lastAssignmentConfig = {
  /** The key. */
  key: string,
  /** The value. */
  value: string,
}

const endpoint = {
  /** Host name or address. */
  host: string,
  /** TCP port. */
  port: uint16,
}

const keyValue = {
  /** The key. */
  key: string,
  /** The value. */
  value: string,
}

const taskIds = {
  /** Id of the subtopology. */
  subtopologyId: string,
  /** Partition numbers. */
  partitions: array(int32),
}

const streamsGroupCurrentMemberAssignmentValueTaskIds = {
  /** Id of the subtopology. */
  subtopologyId: string,
  /** Partition numbers. */
  partitions: array(int32),
  /** Epoch in which each of `partitions` came to the member: offsets committed under an older one are refused. */
  assignmentEpochs: array(int32).nullable().tag(0),
}

const topicConfig = {
  /** The key. */
  key: string,
  /** The value. */
  value: string,
}

const topicInfo = {
  /** Name of the topic. */
  name: string,
  /** How many partitions it needs; 0 lets the coordinator decide. */
  partitions: int32,
  /** How many replicas it needs; 0 lets the broker decide. */
  replicationFactor: int16,
  /** Settings of the topic. */
  topicConfigs: array(topicConfig),
}

/** A streams group (KIP-1071, record type 17). */
export const StreamsGroupMetadataKey = message({
  name: 'StreamsGroupMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
  },
})

/** Epoch of a streams group. */
export const StreamsGroupMetadataValue = message({
  name: 'StreamsGroupMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Epoch of the group. */
    epoch: int32,
    /** Hash over the topics that the group subscribes to; it changes when they do. */
    metadataHash: int64,
    /** Topology epoch whose topics are known to exist as it needs them; -1 none. */
    validatedTopologyEpoch: int32.default(-1).tag(0),
    /** Settings that the last assignment was computed with. */
    lastAssignmentConfigs: array(lastAssignmentConfig).nullable().tag(1),
    /** Topology epoch whose description is stored; -1 none, -2 uncertain after an interruption. */
    storedDescriptionTopologyEpoch: int32.default(-1).tag(2),
    /** Topology epoch whose description was refused for good; -1 none. */
    failedDescriptionTopologyEpoch: int32.default(-1).tag(3),
  },
})

/** A member of a streams group (record type 19). */
export const StreamsGroupMemberMetadataKey = message({
  name: 'StreamsGroupMemberMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the member. */
    memberId: string,
  },
})

/** What a member says of itself. */
export const StreamsGroupMemberMetadataValue = message({
  name: 'StreamsGroupMemberMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Id of a static member; null for a dynamic one (KIP-345). */
    instanceId: string.nullable(),
    /** Rack of the member; null when unknown. */
    rackId: string.nullable(),
    /** What the client calls itself. */
    clientId: string,
    /** Address it connected from. */
    clientHost: string,
    /** How long it may take to give up partitions, in milliseconds; -1 unknown. */
    rebalanceTimeoutMs: int32.default(-1),
    /** Epoch of the topology that the member runs. */
    topologyEpoch: int32,
    /** Id of the process, which may have several members. */
    processId: string,
    /** Where interactive queries reach the process; null for nowhere. */
    userEndpoint: struct(endpoint).nullable().default(null),
    /** Tags by which standby tasks are spread. */
    clientTags: array(keyValue),
  },
})

/** The target assignment of a streams group (record type 20). */
export const StreamsGroupTargetAssignmentMetadataKey = message({
  name: 'StreamsGroupTargetAssignmentMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
  },
})

/** Epoch of the target assignment. */
export const StreamsGroupTargetAssignmentMetadataValue = message({
  name: 'StreamsGroupTargetAssignmentMetadataValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Epoch of the assignment. */
    assignmentEpoch: int32,
    /** When it was computed, in milliseconds since the epoch; 0 or -1 unknown. */
    assignmentTimestamp: int64.tag(0).ignorable(),
  },
})

/** The target assignment of a member (record type 21). */
export const StreamsGroupTargetAssignmentMemberKey = message({
  name: 'StreamsGroupTargetAssignmentMemberKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the member. */
    memberId: string,
  },
})

/** Tasks that the member is to have. */
export const StreamsGroupTargetAssignmentMemberValue = message({
  name: 'StreamsGroupTargetAssignmentMemberValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Active tasks, by subtopology. */
    activeTasks: array(taskIds),
    /** Standby tasks, by subtopology. */
    standbyTasks: array(taskIds),
    /** Warm-up tasks, by subtopology. */
    warmupTasks: array(taskIds),
  },
})

/** The current assignment of a member (record type 22). */
export const StreamsGroupCurrentMemberAssignmentKey = message({
  name: 'StreamsGroupCurrentMemberAssignmentKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
    /** Id of the member. */
    memberId: string,
  },
})

/** Tasks that the member has, and has to give up. */
export const StreamsGroupCurrentMemberAssignmentValue = message({
  name: 'StreamsGroupCurrentMemberAssignmentValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Epoch that the member is at. */
    memberEpoch: int32,
    /** Epoch that it was at before: it may still use that if the answer got lost. */
    previousMemberEpoch: int32,
    /** Number of the member's state, see the coordinator's MemberState. */
    state: int8,
    /** Active tasks, by subtopology. */
    activeTasks: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    /** Standby tasks, by subtopology. */
    standbyTasks: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    /** Warm-up tasks, by subtopology. */
    warmupTasks: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    /** Active tasks that the member still has to give up. */
    activeTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    /** Standby tasks that it still has to give up. */
    standbyTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
    /** Warm-up tasks that it still has to give up. */
    warmupTasksPendingRevocation: array(streamsGroupCurrentMemberAssignmentValueTaskIds),
  },
})

/** The topology of a streams group (record type 23). */
export const StreamsGroupTopologyKey = message({
  name: 'StreamsGroupTopologyKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    groupId: string,
  },
})

/** The topology. */
export const StreamsGroupTopologyValue = message({
  name: 'StreamsGroupTopologyValue',
  versions: [0, 0],
  flexible: 0,
  shape: {
    /** Epoch of the topology. */
    epoch: int32,
    /** Parts of the topology that share no state. */
    subtopologies: array({
      /** Id of the subtopology. */
      subtopologyId: string,
      /** Topics it reads from. */
      sourceTopics: array(string),
      /** Expressions for topics it reads from. */
      sourceTopicRegex: array(string),
      /** Topics that back its state stores. */
      stateChangelogTopics: array(topicInfo),
      /** Repartition topics it writes to. */
      repartitionSinkTopics: array(string),
      /** Repartition topics it reads from. */
      repartitionSourceTopics: array(topicInfo),
      /** Sets of topics that need the same number of partitions, as indexes into the lists above. */
      copartitionGroups: array({
        /** Topics it reads from. */
        sourceTopics: array(int16),
        /** Expressions for topics it reads from. */
        sourceTopicRegex: array(int16),
        /** Repartition topics it reads from. */
        repartitionSourceTopics: array(int16),
      }),
    }),
  },
})
