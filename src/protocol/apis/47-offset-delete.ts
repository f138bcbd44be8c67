import { api, array, coordinator, errorCode, groupId, int32, throttleTimeMs, topicName } from '../schema.ts'

/** Deletes a group's offsets of topics it no longer subscribes to (KIP-496). */
export const OffsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  route: coordinator('group', 'groupId'),
  request: {
    /** Group whose offsets are deleted. */
    groupId,
    /** Offsets to delete, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName.mapKey(),
      /** Offsets to delete, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    /** Error code; 0 is success. */
    errorCode,
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.ignorable(),
    /** What became of it, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName.mapKey(),
      /** What became of it, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32.mapKey(),
        /** Error code; 0 is success. */
        errorCode,
      }),
    }),
  },
})
