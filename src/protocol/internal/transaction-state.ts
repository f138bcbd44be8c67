/** `__transaction_state`: transactional ids and their transactions. */
import { array, int8, int16, int32, int64, message, string } from '../schema.ts'

/** A transactional id (record type 0). */
export const TransactionLogKey = message({
  name: 'TransactionLogKey',
  versions: [0, 0],
  shape: {
    /** The transactional id. */
    transactionalId: string,
  },
})

/** State of its transaction; no value forgets it. */
export const TransactionLogValue = message({
  name: 'TransactionLogValue',
  versions: [0, 1],
  flexible: 1,
  shape: {
    /** Producer id of the transactional id. */
    producerId: int64,
    /** Producer id of the last completed transaction; -1 none. */
    previousProducerId: int64.since(1).default(-1n).tag(0),
    /** Producer id that the client has got for its next transaction; -1 none (KIP-890). */
    nextProducerId: int64.since(1).default(-1n).tag(1),
    /** Epoch of `producerId`. */
    producerEpoch: int16,
    /** Epoch of `nextProducerId`; -1 none. */
    nextProducerEpoch: int16.since(1).default(-1).tag(3),
    /** How long a transaction may stay open, in milliseconds. */
    transactionTimeoutMs: int32,
    /** 0 empty, 1 ongoing, 2 prepare commit, 3 prepare abort, 4 complete commit, 5 complete abort, 6 dead, 7 prepare epoch fence. */
    transactionStatus: int8,
    /** Partitions in the transaction; null for none. */
    transactionPartitions: array({
      /** Name of the topic. */
      topic: string,
      /** Partition numbers. */
      partitionIds: array(int32),
    }).nullable(),
    /** When the state last changed, in milliseconds since the epoch. */
    transactionLastUpdateTimestampMs: int64,
    /** When the transaction began, in milliseconds since the epoch; -1 not open. */
    transactionStartTimestampMs: int64,
    /** Version of the transaction protocol that the client speaks. */
    clientTransactionVersion: int16.since(1).tag(2),
  },
})
