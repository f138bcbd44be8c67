/**
 * ListOffsets. Finds an offset by timestamp: the first record at or after it, or one of the special times below.
 * v0 gave a list of segment starts, which is answered with the log's two ends; v7 added the largest timestamp (KIP-734),
 * v8 the first local offset (KIP-405), v9 the last tiered one (KIP-1005), v11 the first not yet uploaded. Nothing is tiered here.
 */
import { ListOffsets } from '../../protocol/apis/02-list-offsets.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { EncodedBatch } from '../../protocol/records/index.ts'
import { handler } from '../handler.ts'
import type { StoredBatch } from '../log/partition-log.ts'
import { leaderFault } from '../partition-faults.ts'
import type { Partition } from '../topic.ts'

const LATEST = -1n
const EARLIEST = -2n
const MAX_TIMESTAMP = -3n
const EARLIEST_LOCAL = -4n
const LATEST_TIERED = -5n
const EARLIEST_PENDING_UPLOAD = -6n

const READ_COMMITTED = 1
const EPOCHS_SINCE = 4
/** Decompressed size of the one batch that is looked into. */
const MAX_BATCH_BYTES = 1 << 30

interface Found {
  readonly timestamp: bigint
  readonly offset: bigint
  readonly leaderEpoch: number
}
const nothing: Found = { timestamp: -1n, offset: -1n, leaderEpoch: -1 }

export const listOffsets = handler(ListOffsets, async ({ topics, isolationLevel }, { cluster, node, version }) => {
  const answer = async (partition: Partition, timestamp: bigint, maxNumOffsets: number) => {
    const { log } = partition
    const end = isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.highWatermark
    if (version > 0) {
      const { leaderEpoch, ...found } = await find(partition, timestamp, end)
      return version >= EPOCHS_SINCE ? { ...found, leaderEpoch } : found
    }
    const offsets = timestamp === EARLIEST ? [log.logStartOffset] : [...new Set([end, log.logStartOffset])]
    return { ...nothing, oldStyleOffsets: offsets.slice(0, maxNumOffsets) }
  }
  return {
    topics: await Promise.all(
      topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(async ({ partitionIndex, currentLeaderEpoch, timestamp, maxNumOffsets }) => {
            const partition = cluster.partition(name, partitionIndex)
            const errorCode = leaderFault(partition, node.id, currentLeaderEpoch)
            if (!partition || errorCode !== ErrorCode.NONE) return { partitionIndex, errorCode, ...nothing }
            return { partitionIndex, errorCode, ...(await answer(partition, timestamp, maxNumOffsets)) }
          }),
        ),
      })),
    ),
  }
})

async function find({ log, leaderEpoch }: Partition, timestamp: bigint, end: bigint): Promise<Found> {
  switch (timestamp) {
    case LATEST:
      return { timestamp: -1n, offset: end, leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
    case EARLIEST_PENDING_UPLOAD:
      return { timestamp: -1n, offset: log.logStartOffset, leaderEpoch: log.epochs.epochOf(log.logStartOffset) }
    case LATEST_TIERED:
      return nothing
    case MAX_TIMESTAMP: {
      const newest = log
        .stored()
        .reduce<StoredBatch | undefined>(
          (best, batch) => (best && best.maxTimestamp >= batch.maxTimestamp ? best : batch),
          undefined,
        )
      return newest && newest.maxTimestamp >= 0n
        ? ((await within(log.bytesOf(newest), newest, newest.maxTimestamp, 0n)) ?? nothing)
        : nothing
    }
  }
  if (timestamp < 0n) return nothing
  for (const batch of log.batchesSince(timestamp)) {
    const found = await within(log.bytesOf(batch), batch, timestamp, log.logStartOffset)
    if (found) return found.offset < end ? found : nothing
  }
  return nothing
}

/** The first record of a batch at or after a time. */
async function within(bytes: Buffer, { leaderEpoch }: StoredBatch, timestamp: bigint, from: bigint): Promise<Found | undefined> {
  const batch = await new EncodedBatch(bytes).open({ checkCrcs: false, maxBytes: MAX_BATCH_BYTES })
  for (let i = 0; i < batch.length; i++) {
    const at = batch.timestampExactAt(i)
    if (at >= timestamp && batch.offsetAt(i) >= from) return { timestamp: at, offset: batch.offsetAt(i), leaderEpoch }
  }
  return undefined
}
