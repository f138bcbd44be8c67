/**
 * OffsetForLeaderEpoch. Where a leader epoch, or the last one before it, ends: consumers learn from it whether their position
 * was cut off (KIP-320). v1 brought the epoch in the answer, v2 the fencing of stale askers.
 */
import { OffsetForLeaderEpoch } from '../../protocol/apis/23-offset-for-leader-epoch.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'
import { leaderFault } from '../partition-faults.ts'

export const offsetForLeaderEpoch = handler(OffsetForLeaderEpoch, ({ topics }, { cluster, node }) => ({
  topics: topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
      const partition = cluster.partition(topic, index)
      const errorCode = leaderFault(partition, node.id, currentLeaderEpoch)
      if (!partition || errorCode !== ErrorCode.NONE) return { errorCode, partition: index }
      const { log } = partition
      const end = log.epochs.endOf(leaderEpoch, partition.leaderEpoch, log.highWatermark)
      return { errorCode, partition: index, leaderEpoch: end.epoch, endOffset: end.endOffset }
    }),
  })),
}))
