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

export const DescribeTransactions = api({
  key: 65,
  name: 'DescribeTransactions',
  versions: [0, 0],
  flexible: 0,
  route: coordinator('transaction', 'transactionalIds[]', 'transactionStates'),
  request: {
    transactionalIds: array(transactionalId),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    transactionStates: array({
      errorCode: errorCode,
      transactionalId: transactionalId,
      transactionState: string,
      transactionTimeoutMs: int32,
      transactionStartTimeMs: int64,
      producerId: producerId,
      producerEpoch: int16,
      topics: array({
        topic: topicName.mapKey(),
        partitions: array(int32),
      }),
    }),
  },
})
