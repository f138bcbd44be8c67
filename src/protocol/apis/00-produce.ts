import {
  api,
  array,
  brokerId,
  errorCode,
  int16,
  int32,
  int64,
  leader,
  records,
  string,
  struct,
  throttleTimeMs,
  timeoutMs,
  topicName,
  transactionalId,
  uuid,
} from '../schema.ts'

/** Appends record batches to partitions. The leader of each partition answers for it. v3 brings record batches v2, v13 topic ids. */
export const Produce = api({
  key: 0,
  name: 'Produce',
  versions: [0, 13],
  flexible: 9,
  route: leader('topicData[].partitionData[].index', 'responses[].partitionResponses'),
  clientThrottlesSince: 6,
  request: {
    /** Transactional id of the producer; null outside transactions. */
    transactionalId: transactionalId.since(3).nullable().default(null),
    /** How many replicas must have the records before the answer: -1 all in sync, 1 the leader, 0 none, and then there is no answer. */
    acks: int16,
    /** How long the leader may wait for its followers, in milliseconds. */
    timeoutMs,
    /** The records, by topic. */
    topicData: array({
      /** Name of the topic. */
      name: topicName.until(12).ignorable().mapKey(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(13).ignorable().mapKey(),
      /** The records, by partition. */
      partitionData: array({
        /** Partition number, from 0. */
        index: int32,
        /** Exactly one record batch (v3 and later), or a message set (before). */
        records: records.nullable().default(null),
      }),
    }),
  },
  response: {
    /** What became of the records, by topic. */
    responses: array({
      /** Name of the topic. */
      name: topicName.until(12).ignorable().mapKey(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(13).ignorable().mapKey(),
      /** What became of the records, by partition. */
      partitionResponses: array({
        /** Partition number, from 0. */
        index: int32,
        /** Error code; 0 is success. */
        errorCode,
        /** Offset that the first record got; -1 on error. */
        baseOffset: int64,
        /** When the broker appended, in milliseconds since the epoch, if the topic uses log append time; else -1. */
        logAppendTimeMs: int64.since(2).default(-1n).ignorable(),
        /** First offset the log still has; -1 for unknown. */
        logStartOffset: int64.since(5).default(-1n).ignorable(),
        /** Records that made the whole batch fail (KIP-467). */
        recordErrors: array({
          /** Place of the record in the batch, from 0. */
          batchIndex: int32,
          /** What is wrong with that record; null when nothing is said. */
          batchIndexErrorMessage: string.nullable().default(null),
        })
          .since(8)
          .ignorable(),
        /** What is wrong with the batch as a whole; null when nothing is said. */
        errorMessage: string.since(8).nullable().default(null).ignorable(),
        /** Who leads the partition now, so that the client need not ask again (KIP-951). */
        currentLeader: struct({
          /** Broker that leads the partition; -1 when nobody does or it is not known. */
          leaderId: brokerId.default(-1),
          /** Term of the partition's leader; it grows by one at each election. -1 for unknown. */
          leaderEpoch: int32.default(-1),
        })
          .since(10)
          .tag(0),
      }),
    }),
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
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
      .since(10)
      .tag(0),
  },
})
