/** DescribeTransactions. State, producer and partitions of transactional ids (KIP-664). */
import { DescribeTransactions } from '../../protocol/apis/65-describe-transactions.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

const unknown = {
  transactionState: '',
  transactionTimeoutMs: 0,
  transactionStartTimeMs: 0n,
  producerId: 0n,
  producerEpoch: 0,
  topics: [],
}

export const describeTransactions = handler(DescribeTransactions, ({ transactionalIds }, { cluster, node }) => ({
  throttleTimeMs: 0,
  transactionStates: transactionalIds.map(transactionalId => {
    const fault = cluster.transactions.fault(transactionalId, node)
    if (fault !== ErrorCode.NONE) return { ...unknown, errorCode: fault, transactionalId }
    const transaction = cluster.transactions.get(transactionalId)
    if (!transaction) return { ...unknown, errorCode: ErrorCode.TRANSACTIONAL_ID_NOT_FOUND, transactionalId }
    const topics = new Map<string, number[]>()
    for (const { topic, index } of transaction.partitions) topics.set(topic.name, [...(topics.get(topic.name) ?? []), index])
    return {
      errorCode: ErrorCode.NONE,
      transactionalId,
      transactionState: transaction.state,
      transactionTimeoutMs: transaction.timeoutMs,
      transactionStartTimeMs: BigInt(Math.floor(transaction.startedAtMs)),
      producerId: transaction.producerId,
      producerEpoch: transaction.producerEpoch,
      topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
    }
  }),
}))
