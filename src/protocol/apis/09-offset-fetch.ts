import {
  api,
  array,
  bool,
  coordinator,
  errorCode,
  groupId,
  int32,
  int64,
  string,
  throttleTimeMs,
  topicName,
  uuid,
} from '../schema.ts'

/** Reads a group's committed offsets. v8 takes several groups at once, v10 names topics by id. */
export const OffsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  versions: [0, 10],
  flexible: 6,
  route: coordinator('group', ['groupId', 'groups[].groupId'], 'groups'),
  clientThrottlesSince: 4,
  request: {
    /** Group whose offsets are asked for. */
    groupId: groupId.until(7),
    /** Topics to look up; null for all that have an offset. */
    topics: array({
      /** Name of the topic. */
      name: topicName,
      /** Partition numbers. */
      partitionIndexes: array(int32),
    })
      .until(7)
      .nullableSince(2),
    /** Groups whose offsets are asked for (KIP-709). */
    groups: array({
      /** Id of the group. */
      groupId,
      /** Member that asks; null outside any group. */
      memberId: string.since(9).nullable().default(null).ignorable(),
      /** Epoch of the asking member, which must be its present one (KIP-848); -1 when no member of the group asks. */
      memberEpoch: int32.since(9).default(-1).ignorable(),
      /** Topics to look up; null for all that have an offset. */
      topics: array({
        /** Name of the topic. */
        name: topicName.until(9).ignorable(),
        /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
        topicId: uuid.since(10).ignorable(),
        /** Partition numbers. */
        partitionIndexes: array(int32),
      }).nullable(),
    }).since(8),
    /** Whether to refuse offsets that an open transaction may still replace (KIP-447). */
    requireStable: bool.since(7),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(3).ignorable(),
    /** Offsets found, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName,
      /** Offsets found, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Next offset to process: what the consumer commits; -1 when nothing is committed. */
        committedOffset: int64,
        /** Leader epoch of the last record that was processed; -1 for unknown (KIP-320). */
        committedLeaderEpoch: int32.since(5).default(-1).ignorable(),
        /** Free text kept beside the committed offset. */
        metadata: string.nullable(),
        /** Error code; 0 is success. */
        errorCode,
      }),
    }).until(7),
    /** Error code; 0 is success. */
    errorCode: errorCode.since(2).until(7).ignorable(),
    /** Offsets found, by group. */
    groups: array({
      /** Id of the group. */
      groupId,
      /** Offsets found, by topic. */
      topics: array({
        /** Name of the topic. */
        name: topicName.until(9).ignorable(),
        /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
        topicId: uuid.since(10).ignorable(),
        /** Offsets found, by partition. */
        partitions: array({
          /** Partition number, from 0. */
          partitionIndex: int32,
          /** Next offset to process: what the consumer commits; -1 when nothing is committed. */
          committedOffset: int64,
          /** Leader epoch of the last record that was processed; -1 for unknown (KIP-320). */
          committedLeaderEpoch: int32.default(-1).ignorable(),
          /** Free text kept beside the committed offset. */
          metadata: string.nullable(),
          /** Error code; 0 is success. */
          errorCode,
        }),
      }),
      /** Error code; 0 is success. */
      errorCode,
    }).since(8),
  },
})
