import { api, array, coordinator, errorCode, groupId, int32, int64, string, throttleTimeMs, topicName, uuid } from '../schema.ts'

/** Describes the start offsets of share groups (KIP-932). */
export const DescribeShareGroupOffsets = api({
  key: 90,
  name: 'DescribeShareGroupOffsets',
  versions: [0, 1],
  flexible: 0,
  route: coordinator('group', 'groups[].groupId', 'groups'),
  request: {
    /** Groups to describe. */
    groups: array({
      /** Id of the group. */
      groupId,
      /** Topics to look up; null for all that have a start offset. */
      topics: array({
        /** Name of the topic. */
        topicName,
        /** Partition numbers. */
        partitions: array(int32),
      }).nullable(),
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Start offsets, by group. */
    groups: array({
      /** Id of the group. */
      groupId,
      /** Start offsets, by topic. */
      topics: array({
        /** Name of the topic. */
        topicName,
        /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
        topicId: uuid,
        /** Start offsets, by partition. */
        partitions: array({
          /** Partition number, from 0. */
          partitionIndex: int32,
          /** Share-partition start offset: the first one that may still be handed out; -1 for none. */
          startOffset: int64,
          /** Term of the partition's leader; it grows by one at each election. -1 for unknown. */
          leaderEpoch: int32,
          /** How many records are still to be delivered; -1 for unknown (KIP-1226). */
          lag: int64.since(1).default(-1n).ignorable(),
          /** Error code; 0 is success. */
          errorCode,
          /** The broker's own text about the error; null when there is none. */
          errorMessage: string.nullable().default(null),
        }),
      }),
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable().default(null),
    }),
  },
})
