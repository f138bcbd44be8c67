/**
 * AddPartitionsToTxn. Takes partitions into a producer's transaction before it writes to them: all of them, or none when one is
 * unknown. v2 brought PRODUCER_FENCED, v4 many transactions at once and the mere check that partitions are in, for brokers.
 */
import { AddPartitionsToTxn } from '../../protocol/apis/24-add-partitions-to-txn.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler, type RequestContext } from '../handler.ts'
import type { Partition } from '../topic.ts'
import type { ProducerIdentity } from '../transactions/transactions.ts'

const FENCED_SINCE = 2
const MANY_SINCE = 4

type Topics = readonly { readonly name: string; readonly partitions: readonly number[] }[]

export const addPartitionsToTxn = handler(AddPartitionsToTxn, (request, context) => {
  if (context.version < MANY_SINCE) {
    const claimed = { producerId: request.v3AndBelowProducerId, producerEpoch: request.v3AndBelowProducerEpoch }
    return {
      throttleTimeMs: 0,
      resultsByTopicV3AndBelow: results(request.v3AndBelowTransactionalId, claimed, request.v3AndBelowTopics, false, context),
    }
  }
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    resultsByTransaction: request.transactions.map(({ transactionalId, topics, verifyOnly, ...claimed }) => ({
      transactionalId,
      topicResults: results(transactionalId, claimed, topics, verifyOnly, context),
    })),
  }
})

function results(
  transactionalId: string,
  claimed: ProducerIdentity,
  topics: Topics,
  verifyOnly: boolean,
  context: RequestContext,
) {
  const { cluster, node, version } = context
  const code = codes()
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(partitionIndex => ({
      partitionIndex,
      partitionErrorCode: code(cluster.partition(name, partitionIndex)),
    })),
  }))

  /** The error of each partition, or 0. */
  function codes(): (partition: Partition | undefined) => number {
    const { transactions } = cluster
    const fault = transactions.fault(transactionalId, node)
    if (fault !== ErrorCode.NONE) return () => fault
    const wanted = topics.flatMap(({ name, partitions }) => partitions.map(index => cluster.partition(name, index)))
    if (wanted.includes(undefined))
      return partition => (partition ? ErrorCode.OPERATION_NOT_ATTEMPTED : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    if (verifyOnly)
      return partition =>
        partition && transactions.includes(transactionalId, claimed, partition) ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE
    const added = transactions.add(transactionalId, claimed, { partitions: wanted.filter(partition => partition !== undefined) })
    return () => (added === ErrorCode.PRODUCER_FENCED && version < FENCED_SINCE ? ErrorCode.INVALID_PRODUCER_EPOCH : added)
  }
}
