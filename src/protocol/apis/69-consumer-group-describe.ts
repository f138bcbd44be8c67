import {
  api,
  array,
  bool,
  coordinator,
  errorCode,
  groupId,
  int8,
  int32,
  string,
  struct,
  throttleTimeMs,
  topicName,
  uuid,
} from '../schema.ts'

const topicPartitions = {
  /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
  topicId: uuid,
  /** Name of the topic. */
  topicName,
  /** Partition numbers. */
  partitions: array(int32),
}

const assignment = {
  /** Partitions of the assignment, by topic. */
  topicPartitions: array(topicPartitions),
}

/** Describes groups of the next-generation protocol (KIP-848). */
export const ConsumerGroupDescribe = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: [0, 1],
  flexible: 0,
  route: coordinator('group', 'groupIds[]', 'groups'),
  request: {
    /** Ids of the groups to describe. */
    groupIds: array(groupId),
    /** Whether the answer is to say what the caller may do with the resource. */
    includeAuthorizedOperations: bool,
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
      /** Name of the server-side assignor in use. */
      assignorName: string,
      /** Who is in the group. */
      members: array({
        /** Id of the member within its group. */
        memberId: string,
        /** Stable name of a static member (KIP-345); null for a dynamic one. */
        instanceId: string.nullable().default(null),
        /** Rack of the member; null for none. */
        rackId: string.nullable().default(null),
        /** Epoch of the member: the generation of the assignment that it has (KIP-848). */
        memberEpoch: int32,
        /** The client id that the member sends. */
        clientId: string,
        /** Address from which the member connects. */
        clientHost: string,
        /** Names of the topics the member subscribes to. */
        subscribedTopicNames: array(topicName),
        /** Pattern of topics it subscribes to; null for none. */
        subscribedTopicRegex: string.nullable().default(null),
        /** What the member has now. */
        assignment: struct(assignment),
        /** What the member is meant to have once all have moved. */
        targetAssignment: struct(assignment),
        /** -1 unknown, 0 a classic member, 1 one of the new protocol. */
        memberType: int8.since(1).default(-1).ignorable(),
      }),
      /** Bit set of the operations that the caller may perform; -2147483648 when not asked for. */
      authorizedOperations: int32.default(-2147483648),
    }),
  },
})
