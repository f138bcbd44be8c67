import { api, array, coordinator, errorCode, groupId, int32, int64, string, throttleTimeMs, topicName, uuid } from '../schema.ts'

/** Stores a group's offsets with its coordinator. v10 names topics by id. */
export const OffsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  versions: [0, 10],
  flexible: 8,
  route: coordinator('group', 'groupId'),
  clientThrottlesSince: 4,
  request: {
    /** Group to commit for. */
    groupId,
    /** Generation (classic group) or member epoch (KIP-848) of the committer; -1 outside any group. */
    generationIdOrMemberEpoch: int32.since(1).default(-1).ignorable(),
    /** Member that commits; empty outside any group. */
    memberId: string.since(1).ignorable(),
    /** Stable name of a static member (KIP-345); null for a dynamic one. */
    groupInstanceId: string.since(7).nullable().default(null),
    /** How long to keep the offsets, in milliseconds; -1 for the broker's own rule. */
    retentionTimeMs: int64.since(2).until(4).default(-1n).ignorable(),
    /** Offsets, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName.until(9).ignorable(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(10).ignorable(),
      /** Offsets, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Offset to commit: that of the next record to process, one more than the last one processed. */
        committedOffset: int64,
        /** Leader epoch of the last record that was processed; -1 for unknown (KIP-320). */
        committedLeaderEpoch: int32.since(6).default(-1).ignorable(),
        /** When the commit happened, in milliseconds since the epoch; -1 for now. */
        commitTimestamp: int64.since(1).until(1).default(-1n),
        /** Free text kept beside the offset; null or empty for none. */
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(3).ignorable(),
    /** What became of the commits, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName.until(9).ignorable(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(10).ignorable(),
      /** What became of the commits, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Error code; 0 is success. */
        errorCode,
      }),
    }),
  },
})
