import { api, array, coordinator, errorCode, groupId, int32, int64, string, throttleTimeMs, topicName, uuid } from '../schema.ts'

/** Changes the start offsets of a share group (KIP-932). */
export const AlterShareGroupOffsets = api({
  key: 91,
  name: 'AlterShareGroupOffsets',
  versions: [0, 0],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    /** Id of the group. */
    groupId,
    /** New start offsets, by topic. */
    topics: array({
      /** Name of the topic. */
      topicName: topicName.mapKey(),
      /** New start offsets, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Offset to deliver from. */
        startOffset: int64,
      }),
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error of the request as a whole; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable().default(null),
    /** What became of it, by topic. */
    responses: array({
      /** Name of the topic. */
      topicName: topicName.mapKey(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid,
      /** What became of it, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** The broker's own text about the error; null when there is none. */
        errorMessage: string.nullable().default(null),
      }),
    }),
  },
})
