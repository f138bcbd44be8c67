import { api, array, brokerId, errorCode, int32, int64, leader, throttleTimeMs, topicName } from '../schema.ts'

/** Finds where a leader epoch ended, to notice a truncated log (KIP-320). */
export const OffsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [0, 4],
  flexible: 4,
  route: leader('topics[].partitions[].partition', 'topics[].partitions'),
  request: {
    /** Broker id of the follower that asks; -1 for a client. */
    replicaId: brokerId.since(3).default(-2).ignorable(),
    /** What to look up, by topic. */
    topics: array({
      /** Name of the topic. */
      topic: topicName.mapKey(),
      /** What to look up, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partition: int32,
        /** Leader epoch the caller knows, so that stale callers are told; -1 for unknown (KIP-320). */
        currentLeaderEpoch: int32.since(2).default(-1).ignorable(),
        /** Epoch whose end is asked for. */
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(2).ignorable(),
    /** What was found, by topic. */
    topics: array({
      /** Name of the topic. */
      topic: topicName.mapKey(),
      /** What was found, by partition. */
      partitions: array({
        /** Error code; 0 is success. */
        errorCode,
        /** Partition number, from 0. */
        partition: int32,
        /** Largest epoch, up to the one asked for, that the leader has; -1 for none. */
        leaderEpoch: int32.since(1).default(-1).ignorable(),
        /** End offset of that epoch; -1 for none. */
        endOffset: int64.default(-1n),
      }),
    }),
  },
})
