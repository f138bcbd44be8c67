import {
  api,
  array,
  bool,
  brokerId,
  errorCode,
  groupId,
  int8,
  int32,
  int64,
  leader,
  string,
  struct,
  throttleTimeMs,
  uuid,
} from '../schema.ts'

/** Acknowledges records without fetching (KIP-932). */
export const ShareAcknowledge = api({
  key: 79,
  name: 'ShareAcknowledge',
  versions: [1, 2],
  flexible: 0,
  route: leader('topics[].partitions[].partitionIndex', 'responses[].partitions'),
  request: {
    /** Share group that acknowledges. */
    groupId: groupId.nullable().default(null),
    /** Member that acknowledges. */
    memberId: string.nullable(),
    /** Epoch of the share session: 0 opens one, -1 closes it, else the last one plus one. */
    shareSessionEpoch: int32,
    /** Whether acknowledgements renew the acquisition lock (KIP-1222). */
    isRenewAck: bool.since(2),
    /** What is done, by topic. */
    topics: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.mapKey(),
      /** What is done, by partition. */
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
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error of the request as a whole; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable().default(null),
    /** How long an acquired record stays with its consumer, in milliseconds. */
    acquisitionLockTimeoutMs: int32.since(2).ignorable(),
    /** What became of it, by topic. */
    responses: array({
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.mapKey(),
      /** What became of it, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** The broker's own text about the error; null when there is none. */
        errorMessage: string.nullable().default(null),
        /** Who leads the partition now, so that the client need not ask again (KIP-951). */
        currentLeader: struct({
          /** Broker that leads the partition; -1 when nobody does or it is not known. */
          leaderId: int32,
          /** Term of the partition's leader; it grows by one at each election. -1 for unknown. */
          leaderEpoch: int32,
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
