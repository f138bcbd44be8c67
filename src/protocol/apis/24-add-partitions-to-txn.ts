import {
  api,
  array,
  bool,
  coordinator,
  errorCode,
  int16,
  int32,
  producerId,
  throttleTimeMs,
  topicName,
  transactionalId,
} from '../schema.ts'

const addPartitionsToTxnTopic = {
  /** Name of the topic. */
  name: topicName.mapKey(),
  /** Partition numbers. */
  partitions: array(int32),
}

const addPartitionsToTxnPartitionResult = {
  /** Partition number, from 0. */
  partitionIndex: int32.mapKey(),
  /** Error code; 0 is success. */
  partitionErrorCode: errorCode,
}

const addPartitionsToTxnTopicResult = {
  /** Name of the topic. */
  name: topicName.mapKey(),
  /** What became of each partition. */
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
}

/** Adds partitions to a transaction. Clients use v3 at most: later versions are for brokers among themselves (KIP-890). */
export const AddPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexible: 3,
  route: coordinator('transaction', ['v3AndBelowTransactionalId', 'transactions[].transactionalId'], 'resultsByTransaction'),
  clientThrottlesSince: 1,
  request: {
    /** Several transactions at once: for brokers, not for clients (KIP-890). */
    transactions: array({
      /** Stable name of the transactional producer. */
      transactionalId: transactionalId.mapKey(),
      /** Id that the producer got from InitProducerId. */
      producerId,
      /** Incarnation of that producer id: an older epoch is fenced. */
      producerEpoch: int16,
      /** Only check that the partitions are in the transaction. */
      verifyOnly: bool,
      /** Partitions to add, by topic. */
      topics: array(addPartitionsToTxnTopic),
    }).since(4),
    /** Stable name of the transactional producer. */
    v3AndBelowTransactionalId: transactionalId.until(3),
    /** Id that the producer got from InitProducerId. */
    v3AndBelowProducerId: producerId.until(3),
    /** Epoch of that producer id. */
    v3AndBelowProducerEpoch: int16.until(3),
    /** Partitions to add to the transaction, by topic. */
    v3AndBelowTopics: array(addPartitionsToTxnTopic).until(3),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error of the request as a whole; 0 is success. */
    errorCode: errorCode.since(4).ignorable(),
    /** What became of each transaction. */
    resultsByTransaction: array({
      /** Stable name of the transactional producer. */
      transactionalId: transactionalId.mapKey(),
      /** What became of it, by topic. */
      topicResults: array(addPartitionsToTxnTopicResult),
    }).since(4),
    /** What became of it, by topic. */
    resultsByTopicV3AndBelow: array(addPartitionsToTxnTopicResult).until(3),
  },
})
