import { anyBroker, api, array, errorCode, int8, int16, int32, int64, string, uuid } from '../schema.ts'

/** Writes the state of share partitions: sent by brokers (KIP-932). */
export const WriteShareGroupState = api({
  key: 85,
  name: 'WriteShareGroupState',
  versions: [0, 1],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Id of the group. */
    groupId: string,
    /** States to write, by topic. */
    topics: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid,
      /** States to write, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partition: int32,
        /** Epoch of the share partition's state: it grows each time a new share group starts on it. */
        stateEpoch: int32,
        /** Term of the partition's leader; it grows by one at each election. -1 for unknown. */
        leaderEpoch: int32,
        /** Share-partition start offset: the first one that may still be handed out; -1 for none. */
        startOffset: int64,
        /** How many records past the start offset need no further delivery; -1 for unknown (KIP-1226). */
        deliveryCompleteCount: int32.since(1).default(-1).ignorable(),
        /** Ranges of records that are in flight, with their state. */
        stateBatches: array({
          /** First offset of the range. */
          firstOffset: int64,
          /** Last offset of the range, inclusive. */
          lastOffset: int64,
          /** State of the records: 0 available, 2 acknowledged, 4 archived. */
          deliveryState: int8,
          /** How often the records have been handed out. */
          deliveryCount: int16,
        }),
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
