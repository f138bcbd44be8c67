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
  name: topicName.mapKey(),
  partitions: array(int32),
}

const addPartitionsToTxnPartitionResult = {
  partitionIndex: int32.mapKey(),
  partitionErrorCode: int16,
}

const addPartitionsToTxnTopicResult = {
  name: topicName.mapKey(),
  resultsByPartition: array(addPartitionsToTxnPartitionResult),
}

export const AddPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexible: 3,
  route: coordinator('transaction', ['v3AndBelowTransactionalId', 'transactions[].transactionalId'], 'resultsByTransaction'),
  clientThrottlesSince: 1,
  request: {
    transactions: array({
      transactionalId: transactionalId.mapKey(),
      producerId: producerId,
      producerEpoch: int16,
      verifyOnly: bool,
      topics: array(addPartitionsToTxnTopic),
    }).since(4),
    v3AndBelowTransactionalId: transactionalId.until(3),
    v3AndBelowProducerId: producerId.until(3),
    v3AndBelowProducerEpoch: int16.until(3),
    v3AndBelowTopics: array(addPartitionsToTxnTopic).until(3),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode.since(4).ignorable(),
    resultsByTransaction: array({
      transactionalId: transactionalId.mapKey(),
      topicResults: array(addPartitionsToTxnTopicResult),
    }).since(4),
    resultsByTopicV3AndBelow: array(addPartitionsToTxnTopicResult).until(3),
  },
})
