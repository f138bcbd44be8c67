import {
  api,
  array,
  coordinator,
  errorCode,
  int16,
  int32,
  int64,
  producerId,
  string,
  throttleTimeMs,
  topicName,
  transactionalId,
} from '../schema.ts'

/** Describes transactions (KIP-664). */
export const DescribeTransactions = api({
  key: 65,
  name: 'DescribeTransactions',
  versions: [0, 0],
  flexible: 0,
  route: coordinator('transaction', 'transactionalIds[]', 'transactionStates'),
  request: {
    /** Transactions to describe. */
    transactionalIds: array(transactionalId),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What is known of each transaction. */
    transactionStates: array({
      /** Error code; 0 is success. */
      errorCode,
      /** Stable name of the transactional producer. */
      transactionalId,
      /** State of the transaction, such as Ongoing or CompleteCommit. */
      transactionState: string,
      /** After how long the coordinator aborts an idle transaction, in milliseconds. */
      transactionTimeoutMs: int32,
      /** When the transaction began, in milliseconds since the epoch; -1 for none open. */
      transactionStartTimeMs: int64,
      /** Id that the producer got from InitProducerId. */
      producerId,
      /** Incarnation of that producer id: an older epoch is fenced. */
      producerEpoch: int16,
      /** Partitions in the transaction, by topic. */
      topics: array({
        /** Name of the topic. */
        topic: topicName.mapKey(),
        /** Partition numbers. */
        partitions: array(int32),
      }),
    }),
  },
})
