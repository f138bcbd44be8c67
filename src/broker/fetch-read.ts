import { ErrorCode } from '../protocol/error-codes.ts'
import type { FetchInterest } from './fetch-sessions.ts'
import type { RequestContext } from './handler.ts'
import { epochFault } from './partition-faults.ts'
import type { Partition } from './topic.ts'

export const READ_COMMITTED = 1
/** From this version on a consumer may read from any replica (KIP-392). */
const FOLLOWERS_SINCE = 11
const IDS_SINCE = 13

/** What a fetch asks for besides its partitions. */
export interface FetchTerms {
  readonly isolationLevel: number
  readonly maxBytes: number
  readonly rackId: string
}

/** What was read of one partition. */
export interface PartitionRead {
  readonly interest: FetchInterest
  readonly partition: Partition | undefined
  readonly errorCode: number
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
  readonly divergingEpoch: { readonly epoch: number; readonly endOffset: bigint } | undefined
  readonly abortedTransactions: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[] | null
  readonly preferredReadReplica: number
  readonly records: Buffer
}

const noRecords = Buffer.alloc(0)

export function partitionOf(
  { topic, topicId, partition }: FetchInterest,
  { cluster, version }: RequestContext,
): Partition | undefined {
  return (version >= IDS_SINCE ? cluster.topicById(topicId) : cluster.topic(topic))?.partitions[partition]
}

/** Reads each partition in turn, until `maxBytes` are together. The first batch found comes whatever its size (KIP-74); before v3 it is cut off later. */
export function readAll(interests: Iterable<FetchInterest>, terms: FetchTerms, context: RequestContext): PartitionRead[] {
  let left = terms.maxBytes
  let atLeastOne = true
  const reads: PartitionRead[] = []
  for (const interest of interests) {
    const read = readOne(interest, Math.min(left, interest.partitionMaxBytes), atLeastOne, terms, context)
    if (read.records.length > 0) atLeastOne = false
    left = Math.max(0, left - read.records.length)
    reads.push(read)
  }
  return reads
}

function readOne(
  interest: FetchInterest,
  maxBytes: number,
  atLeastOne: boolean,
  { isolationLevel, rackId }: FetchTerms,
  context: RequestContext,
): PartitionRead {
  const partition = partitionOf(interest, context)
  const fault = faultOf(interest, partition, context)
  if (!partition || fault !== ErrorCode.NONE) return failed(interest, partition, fault)
  const { log, leaderEpoch } = partition
  const { fetchOffset, lastFetchedEpoch } = interest
  const facts = {
    interest,
    partition,
    errorCode: ErrorCode.NONE,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    divergingEpoch: undefined,
    abortedTransactions: isolationLevel === READ_COMMITTED ? [] : null,
    preferredReadReplica: -1,
    records: noRecords,
  }
  if (lastFetchedEpoch >= 0) {
    const end = log.epochs.endOf(lastFetchedEpoch, leaderEpoch, log.endOffset)
    if (end.endOffset < 0n) return failed(interest, partition, ErrorCode.OFFSET_OUT_OF_RANGE)
    if (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset) return { ...facts, divergingEpoch: end }
  }
  if (fetchOffset < log.logStartOffset || fetchOffset > log.endOffset)
    return { ...failed(interest, partition, ErrorCode.OFFSET_OUT_OF_RANGE), ...offsets(partition) }
  const nearer = nearerReplica(partition, rackId, context)
  if (nearer !== undefined) return { ...facts, preferredReadReplica: nearer }
  const limit = isolationLevel === READ_COMMITTED ? facts.lastStableOffset : facts.highWatermark
  const records = log.read(fetchOffset, limit, maxBytes, atLeastOne)
  if (!records) return facts
  return {
    ...facts,
    records,
    abortedTransactions:
      isolationLevel === READ_COMMITTED
        ? log.producers.aborted(fetchOffset, limit).map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
        : null,
  }
}

function faultOf(interest: FetchInterest, partition: Partition | undefined, { cluster, node, version }: RequestContext): number {
  if (!partition) {
    if (version >= IDS_SINCE && !cluster.topicById(interest.topicId)) return ErrorCode.UNKNOWN_TOPIC_ID
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  }
  const stale = epochFault(partition, interest.currentLeaderEpoch)
  if (stale !== ErrorCode.NONE) return stale
  if (partition.leaderId === node.id) return ErrorCode.NONE
  if (version >= FOLLOWERS_SINCE && partition.leaderId >= 0 && partition.replicas.includes(node.id)) return ErrorCode.NONE
  return ErrorCode.NOT_LEADER_OR_FOLLOWER
}

/** With `replica.selector.class` set on the broker, its leader sends consumers of another rack to a replica of theirs (KIP-392). */
function nearerReplica(partition: Partition, rackId: string, { cluster, node }: RequestContext): number | undefined {
  if (rackId === '' || partition.leaderId !== node.id || node.rack === rackId) return undefined
  if (!cluster.options.config['replica.selector.class']) return undefined
  return cluster.inSyncReplicas(partition).find(id => cluster.nodes.get(id)?.rack === rackId)
}

const offsets = ({ log }: Partition) => ({
  highWatermark: log.highWatermark,
  lastStableOffset: log.lastStableOffset,
  logStartOffset: log.logStartOffset,
})

const failed = (interest: FetchInterest, partition: Partition | undefined, errorCode: number): PartitionRead => ({
  interest,
  partition,
  errorCode,
  highWatermark: -1n,
  lastStableOffset: -1n,
  logStartOffset: -1n,
  divergingEpoch: undefined,
  abortedTransactions: null,
  preferredReadReplica: -1,
  records: noRecords,
})

/** Whether a read must be answered at once, whatever its size. */
export const isUrgent = (read: PartitionRead): boolean =>
  read.errorCode !== ErrorCode.NONE || read.divergingEpoch !== undefined || read.preferredReadReplica >= 0

/**
 * Waits until the partitions hold `minBytes` for this reader, something about them changed that it has to know, `maxWaitMs`
 * passed or its connection ended.
 */
export function moreToRead(
  reads: readonly PartitionRead[],
  minBytes: number,
  maxWaitMs: number,
  isolationLevel: number,
  { cluster, connection }: RequestContext,
): Promise<void> {
  return new Promise(resolve => {
    const stops: (() => void)[] = []
    const timer = cluster.runtime.clock.setTimer(maxWaitMs, finish)
    stops.push(() => timer.cancel(), connection.onClosed(finish))
    const waiting = reads.flatMap(({ partition, interest }) =>
      partition ? [{ partition, interest, leaderId: partition.leaderId, leaderEpoch: partition.leaderEpoch }] : [],
    )
    for (const { partition } of waiting) stops.push(partition.log.onChange(check))

    function check(): void {
      let bytes = 0
      for (const { partition, interest, leaderId, leaderEpoch } of waiting) {
        if (partition.topic.deleted || partition.leaderId !== leaderId || partition.leaderEpoch !== leaderEpoch) return finish()
        const { log } = partition
        // A log that was truncated or cut at its start is news as well.
        if (interest.fetchOffset > log.endOffset || interest.fetchOffset < log.logStartOffset) return finish()
        const limit = isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.highWatermark
        bytes += Math.min(interest.partitionMaxBytes, log.available(interest.fetchOffset, limit, minBytes - bytes))
        if (bytes >= minBytes) return finish()
      }
    }
    function finish(): void {
      for (const stop of stops) stop()
      resolve()
    }
  })
}
