/** DeleteRecords. Moves a log's start up to an offset, -1 meaning its high watermark (KIP-107). */
import { DeleteRecords } from '../../protocol/apis/21-delete-records.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'
import { leaderFault } from '../partition-faults.ts'
import type { Partition } from '../topic.ts'

export const deleteRecords = handler(DeleteRecords, ({ topics }, { cluster, node }) => ({
  throttleTimeMs: 0,
  topics: topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, offset }) => {
      const partition = cluster.partition(name, partitionIndex)
      const errorCode = leaderFault(partition, node.id, -1)
      if (!partition || errorCode !== ErrorCode.NONE) return { partitionIndex, lowWatermark: -1n, errorCode }
      return { partitionIndex, ...deleteBefore(partition, offset) }
    }),
  })),
}))

function deleteBefore({ log }: Partition, offset: bigint) {
  const to = offset === -1n ? log.highWatermark : offset
  if (to < 0n || to > log.highWatermark) return { lowWatermark: -1n, errorCode: ErrorCode.OFFSET_OUT_OF_RANGE }
  log.deleteBefore(to)
  log.changed()
  return { lowWatermark: log.logStartOffset, errorCode: ErrorCode.NONE }
}
