import {
  api,
  array,
  coordinator,
  errorCode,
  groupId,
  int16,
  int32,
  int64,
  producerId,
  string,
  throttleTimeMs,
  topicName,
  transactionalId,
  uuid,
} from '../schema.ts'

/** Stores a group's offsets as part of a transaction. */
export const TxnOffsetCommit = api({
  key: 28,
  name: 'TxnOffsetCommit',
  versions: [0, 6],
  flexible: 3,
  route: coordinator('group', 'groupId'),
  clientThrottlesSince: 1,
  request: {
    /** Stable name of the transactional producer. */
    transactionalId,
    /** Group to commit for. */
    groupId,
    /** Id that the producer got from InitProducerId. */
    producerId,
    /** Incarnation of that producer id: an older epoch is fenced. */
    producerEpoch: int16,
    /** Generation (classic group) or member epoch (KIP-848) of the committer; -1 outside any group. */
    generationIdOrMemberEpoch: int32.since(3).default(-1),
    /** Member that commits; empty outside any group (KIP-447). */
    memberId: string.since(3),
    /** Stable name of a static member (KIP-345); null for a dynamic one. */
    groupInstanceId: string.since(3).nullable().default(null),
    /** Offsets, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName.until(5).ignorable(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(6).ignorable(),
      /** Offsets, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Offset to commit: that of the next record to process, one more than the last one processed. */
        committedOffset: int64,
        /** Leader epoch of the last record that was processed; -1 for unknown (KIP-320). */
        committedLeaderEpoch: int32.since(2).default(-1).ignorable(),
        /** Free text kept beside the offset; null or empty for none. */
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What became of the commits, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName.until(5).ignorable(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(6).ignorable(),
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
