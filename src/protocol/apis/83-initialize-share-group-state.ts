import { anyBroker, api, array, errorCode, int32, int64, string, uuid } from '../schema.ts'

/** Creates the state of share partitions: sent by brokers (KIP-932). */
export const InitializeShareGroupState = api({
  key: 83,
  name: 'InitializeShareGroupState',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Id of the group. */
    groupId: string,
    /** Share partitions to initialise, by topic. */
    topics: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid,
      /** Share partitions to initialise. */
      partitions: array({
        /** Partition number, from 0. */
        partition: int32,
        /** Epoch of the share partition's state: it grows each time a new share group starts on it. */
        stateEpoch: int32,
        /** Share-partition start offset: the first one that may still be handed out; -1 for none. */
        startOffset: int64,
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
