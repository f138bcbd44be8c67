import { api, array, brokerId, errorCode, int8, int32, int64, leader, throttleTimeMs, timeoutMs, topicName } from '../schema.ts'

/** Finds the offset that belongs to a timestamp, or to the start or end of a partition. */
export const ListOffsets = api({
  key: 2,
  name: 'ListOffsets',
  versions: [0, 11],
  flexible: 6,
  route: leader('topics[].partitions[].partitionIndex', 'topics[].partitions'),
  clientThrottlesSince: 3,
  request: {
    /** Broker id of the follower that asks; -1 for a client. */
    replicaId: brokerId,
    /** 0 reads everything, 1 only up to the last stable offset, without aborted transactions. */
    isolationLevel: int8.since(2),
    /** What to look up, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName,
      /** What to look up, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Leader epoch the caller knows, so that stale callers are told; -1 for unknown (KIP-320). */
        currentLeaderEpoch: int32.since(4).default(-1).ignorable(),
        /** Milliseconds since the epoch, or -1 end, -2 start, -3 largest timestamp, -4 start of the local log, -5 last tiered offset, -6 first offset yet to be tiered. */
        timestamp: int64,
        /** How many offsets to return. */
        maxNumOffsets: int32.until(0).default(1),
      }),
    }),
    /** How long the broker may take to look into remote storage, in milliseconds (KIP-1075). */
    timeoutMs: timeoutMs.since(10).ignorable(),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(2).ignorable(),
    /** What was found, by topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName,
      /** What was found, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** Offsets of segments, descending. */
        oldStyleOffsets: array(int64).until(0),
        /** Timestamp of the record found, in milliseconds since the epoch; -1 for none. */
        timestamp: int64.since(1).default(-1n),
        /** The offset found; -1 for none. */
        offset: int64.since(1).default(-1n),
        /** Term of the partition's leader; it grows by one at each election. -1 for unknown. */
        leaderEpoch: int32.since(4).default(-1),
      }),
    }),
  },
})
