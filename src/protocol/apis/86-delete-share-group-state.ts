import { anyBroker, api, array, errorCode, int32, string, uuid } from '../schema.ts'

/** Deletes the state of share partitions: sent by brokers (KIP-932). */
export const DeleteShareGroupState = api({
  key: 86,
  name: 'DeleteShareGroupState',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Id of the group. */
    groupId: string,
    /** States to delete, by topic. */
    topics: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid,
      /** States to delete, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partition: int32,
      }),
    }),
  },
  response: {
    /** What became of it, by topic. */
    results: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid,
      /** What became of it, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partition: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** The broker's own text about the error; null when there is none. */
        errorMessage: string.nullable().default(null),
      }),
    }),
  },
})
