import {
  api,
  array,
  bool,
  brokerId,
  errorCode,
  groupId,
  int8,
  int16,
  int32,
  int64,
  leader,
  records,
  string,
  struct,
  throttleTimeMs,
  uuid,
} from '../schema.ts'

/** Acquires records for a share group's member and acknowledges earlier ones (KIP-932). */
export const ShareFetch = api({
  key: 78,
  name: 'ShareFetch',
  versions: [1, 2],
  flexible: 0,
  route: leader('topics[].partitions[].partitionIndex', 'responses[].partitions'),
  request: {
    /** Share group that fetches. */
    groupId: groupId.nullable().default(null),
    /** Member that fetches. */
    memberId: string.nullable(),
    /** Epoch of the share session: 0 opens one, -1 closes it, else the last one plus one. */
    shareSessionEpoch: int32,
    /** How long the broker may wait for `minBytes`, in milliseconds. */
    maxWaitMs: int32,
    /** How many bytes have to be ready before the broker answers early. */
    minBytes: int32,
    /** How many bytes the whole answer may have. */
    maxBytes: int32.default(0x7fffffff),
    /** How many records to hand out at most; more may come to complete a batch. */
    maxRecords: int32,
    /** How many records to acquire at a time, at best. */
    batchSize: int32,
    /** 0 hands out whole batches, 1 keeps strictly to `maxRecords` (KIP-1206). */
    shareAcquireMode: int8.since(2).ignorable(),
    /** Whether acknowledgements renew the acquisition lock (KIP-1222). */
    isRenewAck: bool.since(2),
    /** What to fetch and what is done; in a session only what changed. */
    topics: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.mapKey(),
      /** Partitions to fetch. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32.mapKey(),
        /** Ranges of records that the consumer is done with. */
        acknowledgementBatches: array({
          /** First offset of the range. */
          firstOffset: int64,
          /** Last offset of the range, inclusive. */
          lastOffset: int64,
          /** What to do with each record, or with all when there is one entry: 0 gap, 1 accept, 2 release, 3 reject, 4 renew. */
          acknowledgeTypes: array(int8),
        }),
      }),
    }),
    /** Partitions to drop from the session. */
    forgottenTopicsData: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid,
      /** Partition numbers to drop. */
      partitions: array(int32),
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error of the request as a whole; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable().default(null),
    /** How long an acquired record stays with its consumer, in milliseconds. */
    acquisitionLockTimeoutMs: int32,
    /** What was handed out, by topic. */
    responses: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.mapKey(),
      /** What was handed out, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** The broker's own text about the error; null when there is none. */
        errorMessage: string.nullable().default(null),
        /** What became of the acknowledgements; 0 is success. */
        acknowledgeErrorCode: int16,
        /** The broker's own text about it; null when there is none. */
        acknowledgeErrorMessage: string.nullable().default(null),
        /** Who leads the partition now, so that the client need not ask again (KIP-951). */
        currentLeader: struct({
          /** Broker that leads the partition; -1 when nobody does or it is not known. */
          leaderId: int32,
          /** Term of the partition's leader; it grows by one at each election. -1 for unknown. */
          leaderEpoch: int32,
        }),
        /** Record batches; those not in `acquiredRecords` are to be ignored. */
        records,
        /** Ranges of records that now belong to this member. */
        acquiredRecords: array({
          /** First offset of the range. */
          firstOffset: int64,
          /** Last offset of the range, inclusive. */
          lastOffset: int64,
          /** How often the records have been handed out. */
          deliveryCount: int16,
        }),
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
    }),
  },
})
