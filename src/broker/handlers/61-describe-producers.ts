/** DescribeProducers. Who writes to a partition, and since where a transaction is open (KIP-664). */
import { DescribeProducers } from '../../protocol/apis/61-describe-producers.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'
import { leaderFault } from '../partition-faults.ts'

export const describeProducers = handler(DescribeProducers, ({ topics }, { cluster, node }) => ({
  throttleTimeMs: 0,
  topics: topics.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map(partitionIndex => {
      const partition = cluster.partition(name, partitionIndex)
      const errorCode = leaderFault(partition, node.id, -1)
      if (!partition || errorCode !== ErrorCode.NONE) return { partitionIndex, errorCode, activeProducers: [] }
      return {
        partitionIndex,
        errorCode,
        activeProducers: [...partition.log.producers.list()].map(state => ({
          producerId: state.producerId,
          producerEpoch: state.epoch,
          lastSequence: state.batches.at(-1)?.lastSequence ?? -1,
          lastTimestamp: state.batches.at(-1)?.timestampMs ?? -1n,
          coordinatorEpoch: state.coordinatorEpoch,
          currentTxnStartOffset: state.transactionStart ?? -1n,
        })),
      }
    }),
  })),
}))
