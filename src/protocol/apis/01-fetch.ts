import {
  api,
  array,
  brokerId,
  errorCode,
  int8,
  int32,
  int64,
  leader,
  producerId,
  records,
  string,
  struct,
  throttleTimeMs,
  topicName,
  uuid,
} from '../schema.ts'

/** Reads record batches from partitions; the broker waits for `minBytes` up to `maxWaitMs`. v7 brings incremental sessions (KIP-227), v13 topic ids. */
export const Fetch = api({
  key: 1,
  name: 'Fetch',
  versions: [0, 18],
  flexible: 12,
  route: leader('topics[].partitions[].partition', 'responses[].partitions'),
  clientThrottlesSince: 8,
  request: {
    /** Id of the cluster the sender believes it talks to; null for unknown. */
    clusterId: string.since(12).nullable().default(null).tag(0).ignorable(),
    /** Broker id of the follower that asks; -1 for a client. */
    replicaId: brokerId.until(14).default(-1),
    /** Who fetches, when a follower does. */
    replicaState: struct({
      /** Broker id of the follower that asks; -1 for a client. */
      replicaId: brokerId.default(-1),
      /** Epoch of the follower's registration; -1 for a client. */
      replicaEpoch: int64.default(-1n),
    })
      .since(15)
      .tag(1),
    /** How long the broker may wait for `minBytes`, in milliseconds. */
    maxWaitMs: int32,
    /** How many bytes have to be ready before the broker answers early. */
    minBytes: int32,
    /** How many bytes the whole answer may have; the first batch is returned even if it is larger. */
    maxBytes: int32.since(3).default(0x7fffffff).ignorable(),
    /** 0 reads everything, 1 only up to the last stable offset, without aborted transactions. */
    isolationLevel: int8.since(4).ignorable(),
    /** Fetch session (KIP-227); 0 for none or for a new one. */
    sessionId: int32.since(7).ignorable(),
    /** Epoch of the session: 0 opens one, -1 fetches without, else the last one plus one. */
    sessionEpoch: int32.since(7).default(-1).ignorable(),
    /** What to fetch; in a session only what changed. */
    topics: array({
      /** Name of the topic. */
      topic: topicName.until(12).ignorable(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(13).ignorable(),
      /** Partitions to fetch. */
      partitions: array({
        /** Partition number, from 0. */
        partition: int32,
        /** Leader epoch the caller knows, so that stale callers are told; -1 for unknown (KIP-320). */
        currentLeaderEpoch: int32.since(9).default(-1).ignorable(),
        /** Offset to read from. */
        fetchOffset: int64,
        /** Leader epoch of the last record the follower has; -1 for none. */
        lastFetchedEpoch: int32.since(12).default(-1),
        /** First offset the follower has; -1 for a client. */
        logStartOffset: int64.since(5).default(-1n).ignorable(),
        /** How many bytes this partition may contribute; a first batch may exceed it. */
        partitionMaxBytes: int32,
        /** Log directory of the follower. */
        replicaDirectoryId: uuid.since(17).tag(0).ignorable(),
        /** High watermark the follower knows; the default for one that does not tell (KIP-1166). */
        highWatermark: int64.since(18).default(9223372036854775807n).tag(1).ignorable(),
      }),
    }),
    /** Partitions to drop from the session. */
    forgottenTopicsData: array({
      /** Name of the topic. */
      topic: topicName.until(12).ignorable(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(13).ignorable(),
      /** Partition numbers to drop. */
      partitions: array(int32),
    }).since(7),
    /** Rack or availability zone of the caller; empty or null for none (KIP-392, KIP-881). */
    rackId: string.since(11).ignorable(),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    /** Error of the whole request, such as a lost fetch session; 0 is success. */
    errorCode: errorCode.since(7).ignorable(),
    /** Session to continue with; 0 for none. */
    sessionId: int32.since(7),
    /** What was read, by topic; in a session only partitions with news. */
    responses: array({
      /** Name of the topic. */
      topic: topicName.until(12).ignorable(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(13).ignorable(),
      /** What was read, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** One past the last offset that all in-sync replicas have: consumers read up to it. */
        highWatermark: int64,
        /** First offset that belongs to an open transaction, or the high watermark; -1 for unknown. */
        lastStableOffset: int64.since(4).default(-1n).ignorable(),
        /** First offset the log still has; -1 for unknown. */
        logStartOffset: int64.since(5).default(-1n).ignorable(),
        /** Where the log of the caller parts from the leader's (KIP-595). */
        divergingEpoch: struct({
          /** Largest epoch that both have; -1 for none. */
          epoch: int32.default(-1),
          /** End offset of that epoch; -1 for none. */
          endOffset: int64.default(-1n),
        })
          .since(12)
          .tag(0),
        /** Who leads the partition now, so that the client need not ask again (KIP-951). */
        currentLeader: struct({
          /** Broker that leads the partition; -1 when nobody does or it is not known. */
          leaderId: brokerId.default(-1),
          /** Term of the partition's leader; it grows by one at each election. -1 for unknown. */
          leaderEpoch: int32.default(-1),
        })
          .since(12)
          .tag(1),
        /** Snapshot to read instead, when the log no longer goes back that far. */
        snapshotId: struct({
          /** End offset of the snapshot; -1 for none. */
          endOffset: int64.default(-1n),
          /** Epoch of the snapshot; -1 for none. */
          epoch: int32.default(-1),
        })
          .since(12)
          .tag(2),
        /** Aborted transactions within what was read; null when uncommitted data was asked for. In no particular order. */
        abortedTransactions: array({
          /** Producer whose transaction was aborted. */
          producerId,
          /** First offset of that transaction. */
          firstOffset: int64,
        })
          .since(4)
          .nullable()
          .ignorable(),
        /** Broker to fetch from instead, nearer to the caller; -1 for none (KIP-392). */
        preferredReadReplica: brokerId.since(11).default(-1),
        /** Record batches, the last one possibly cut short; a view of the frame. */
        records: records.nullable().default(null),
      }),
    }),
    /** Addresses of the brokers that `currentLeader` fields name (KIP-951). */
    nodeEndpoints: array({
      /** Id of the broker. */
      nodeId: brokerId.mapKey(),
      /** Host name or address to connect to. */
      host: string,
      /** TCP port to connect to. */
      port: int32,
      /** Rack or availability zone of the broker; null when it has none. */
      rack: string.nullable().default(null),
    })
      .since(16)
      .tag(0),
  },
})
