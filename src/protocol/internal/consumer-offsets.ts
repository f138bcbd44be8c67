/** `__consumer_offsets`: committed offsets and classic groups. */
import { array, bytes, int32, int64, message, string, uuid } from '../schema.ts'

const memberMetadata = {
  /** Id of the member. */
  memberId: string,
  /** Id of a static member; null for a dynamic one (KIP-345). */
  groupInstanceId: string.since(3).nullable().default(null).ignorable(),
  /** What the client calls itself. */
  clientId: string,
  /** Address it connected from. */
  clientHost: string,
  /** How long the member may take to join again, in milliseconds; -1 as the session timeout. */
  rebalanceTimeout: int32.since(1).default(-1).ignorable(),
  /** How long the member may stay silent, in milliseconds. */
  sessionTimeout: int32,
  /** What the member subscribes to: see ConsumerProtocolSubscription. */
  subscription: bytes,
  /** What the member was assigned: see ConsumerProtocolAssignment. */
  assignment: bytes,
}

/** Where an offset was committed, before 0.9 (record type 0). */
export const LegacyOffsetCommitKey = message({
  name: 'LegacyOffsetCommitKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    group: string,
    /** Name of the topic. */
    topic: string,
    /** Partition number. */
    partition: int32,
  },
})

/** An offset committed before 0.9. */
export const LegacyOffsetCommitValue = message({
  name: 'LegacyOffsetCommitValue',
  versions: [0, 0],
  shape: {
    /** Committed offset: the next record to read. */
    offset: int64,
    /** Text that the committer attached. */
    metadata: string,
    /** When it was committed, in milliseconds since the epoch. */
    commitTimestamp: int64,
  },
})

/** Where an offset was committed (record type 1). */
export const OffsetCommitKey = message({
  name: 'OffsetCommitKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    group: string,
    /** Name of the topic. */
    topic: string,
    /** Partition number. */
    partition: int32,
  },
})

/** A committed offset; no value deletes it. */
export const OffsetCommitValue = message({
  name: 'OffsetCommitValue',
  versions: [0, 4],
  flexible: 4,
  shape: {
    /** Committed offset: the next record to read. */
    offset: int64,
    /** Leader epoch of the last record consumed; -1 unknown. */
    leaderEpoch: int32.since(3).default(-1).ignorable(),
    /** Text that the committer attached. */
    metadata: string,
    /** When it was committed, in milliseconds since the epoch. */
    commitTimestamp: int64,
    /** When it expires, in milliseconds since the epoch; -1 by the broker's retention. */
    expireTimestamp: int64.since(1).until(1).default(-1n).ignorable(),
    /** Id of the topic. */
    topicId: uuid.since(4).tag(0).ignorable(),
  },
})

/** A classic group (record type 2). */
export const GroupMetadataKey = message({
  name: 'GroupMetadataKey',
  versions: [0, 0],
  shape: {
    /** Id of the group. */
    group: string,
  },
})

/** Generation, leader and members of a classic group. */
export const GroupMetadataValue = message({
  name: 'GroupMetadataValue',
  versions: [0, 4],
  flexible: 4,
  shape: {
    /** `consumer`, `connect` or what else the members speak. */
    protocolType: string,
    /** Generation of the group. */
    generation: int32,
    /** Assignment protocol in use; null while there is none. */
    protocol: string.nullable(),
    /** Member that computes the assignment; null while there is none. */
    leader: string.nullable(),
    /** When the group came into its state, in milliseconds since the epoch; -1 unknown. */
    currentStateTimestamp: int64.since(2).default(-1n).ignorable(),
    /** The members. */
    members: array(memberMetadata),
  },
})
