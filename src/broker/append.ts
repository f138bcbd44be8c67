import { CorruptRecordError, KafkaError } from '../errors.ts'
import { ErrorCode } from '../protocol/error-codes.ts'
import {
  BatchBuilder,
  crc32c,
  type EncodedBatch,
  encodedBatches,
  endTransactionMarker,
  readControlRecord,
  setBaseOffset,
  setLeaderEpoch,
  setLogAppendTime,
} from '../protocol/records/index.ts'
import type { Cluster } from './cluster.ts'
import type { Partition } from './topic.ts'
import { topicConfig } from './topic-configs.ts'

export interface Appended {
  readonly errorCode: number
  readonly errorMessage?: string
  readonly baseOffset: bigint
  readonly logAppendTimeMs: bigint
}

/** The error of a transactional batch whose producer may not write it now, or 0. */
export type TransactionCheck = (producer: { readonly producerId: bigint; readonly producerEpoch: number }) => number

/** Size of a format 2 header, and where its checksum and what that covers lie. */
const HEADER_BYTES = 61
const CRC = 17
const CHECKED_FROM = 21

/**
 * Appends what a producer sent for one partition, as a leader does: exactly one batch of format 2, checked, stamped with its
 * offsets and leader epoch, never re-encoded. The caller says `changed()` once all partitions of its request are written.
 */
export function appendProduced(cluster: Cluster, partition: Partition, records: Buffer, mayWrite: TransactionCheck): Appended {
  const batch = onlyBatch(records)
  if (typeof batch === 'string') return refused(ErrorCode.INVALID_RECORD, batch)
  if (batch === undefined) return refused(ErrorCode.CORRUPT_MESSAGE, 'the record set cannot be read')
  const { topic, log, leaderEpoch } = partition
  const limit = Number(topicConfig(topic, cluster.settings, 'max.message.bytes'))
  if (batch.sizeBytes > limit)
    return refused(ErrorCode.MESSAGE_TOO_LARGE, `a batch of ${batch.sizeBytes} bytes, more than max.message.bytes ${limit}`)
  if (cluster.options.checkCrcs && crc32c(batch.bytes, CHECKED_FROM) !== batch.bytes.readUInt32BE(CRC))
    return refused(ErrorCode.CORRUPT_MESSAGE, 'the checksum of the batch does not match')
  const { count } = batch
  if (count <= 0 || BigInt(count) !== batch.lastOffset - batch.baseOffset + 1n)
    return refused(ErrorCode.INVALID_RECORD, `a batch of ${count} records whose offsets say otherwise`)
  if (batch.isControl) return refused(ErrorCode.INVALID_RECORD, 'clients may not write control records')
  const idempotent = batch.producerId >= 0n
  if (idempotent) {
    const verdict = log.producers.judge(batch)
    if (verdict.kind === 'error') return refused(verdict.code, verdict.message)
    // The client never learnt that its first try had been written.
    if (verdict.kind === 'duplicate')
      return { errorCode: ErrorCode.NONE, baseOffset: verdict.batch.baseOffset, logAppendTimeMs: -1n }
  }
  if (batch.isTransactional) {
    const fault = mayWrite(batch)
    if (fault !== ErrorCode.NONE) return refused(fault, 'the partition is not part of a transaction that this producer has open')
  }
  const stampTime = topicConfig(topic, cluster.settings, 'message.timestamp.type') === 'LogAppendTime'
  const now = stampTime ? BigInt(Math.floor(cluster.runtime.clock.now())) : -1n
  const baseOffset = log.endOffset,
    lastOffset = baseOffset + BigInt(count) - 1n,
    maxTimestamp = stampTime ? now : batch.maxTimestamp
  const stored = log.append(batch.bytes, { baseOffset, lastOffset, maxTimestamp, leaderEpoch })
  setBaseOffset(stored, baseOffset)
  setLeaderEpoch(stored, leaderEpoch)
  if (stampTime) setLogAppendTime(stored, now)
  if (idempotent) log.producers.appended(batch, baseOffset, lastOffset, maxTimestamp)
  return { errorCode: ErrorCode.NONE, baseOffset, logAppendTimeMs: now }
}

/**
 * Whether all records of a produced batch have a key, which compacted topics require. Gives the index of the first without.
 * A batch that cannot be read counts as fine here: `appendProduced` refuses it.
 */
export async function firstWithoutKey(records: Buffer): Promise<number> {
  const batch = onlyBatch(records)
  if (typeof batch !== 'object') return -1
  try {
    const opened = await batch.open({ checkCrcs: false, maxBytes: 1 << 30 })
    for (let i = 0; i < opened.length; i++) if (opened.keyAt(i) === null) return i
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
  }
  return -1
}

/**
 * Appends batches as they are, whatever they contain: for tests of what clients do about it. Batches that can be read keep
 * their own offsets when these are ahead of the log, and get the next ones otherwise; bytes that cannot be read take one offset.
 */
export async function appendVerbatim(partition: Partition, bytes: Buffer, keepOffsets: boolean): Promise<void> {
  const { log, leaderEpoch } = partition
  let read = 0
  try {
    for (const batch of encodedBatches(bytes)) {
      if (batch.magic < 2) {
        await appendMessage(partition, batch, keepOffsets)
        read += batch.sizeBytes
        continue
      }
      const span = batch.lastOffset - batch.baseOffset
      if (span < 0n) break
      const baseOffset = keepOffsets && batch.baseOffset >= log.endOffset ? batch.baseOffset : log.endOffset
      const lastOffset = baseOffset + span
      const stored = log.append(batch.bytes, { baseOffset, lastOffset, maxTimestamp: batch.maxTimestamp, leaderEpoch })
      if (!keepOffsets) setBaseOffset(stored, baseOffset)
      await noteProducer(partition, batch, baseOffset, lastOffset)
      read += batch.sizeBytes
    }
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
  }
  if (read < bytes.length) {
    const offset = log.endOffset
    log.append(bytes.subarray(read), { baseOffset: offset, lastOffset: offset, maxTimestamp: -1n, leaderEpoch })
  }
  log.changed()
}

/** A message of an older format, or a wrapper of several: its offset is that of the last one. */
async function appendMessage({ log, leaderEpoch }: Partition, batch: EncodedBatch, keepOffsets: boolean): Promise<void> {
  const { length } = await batch.open({ checkCrcs: false, maxBytes: 1 << 30 })
  const first =
    keepOffsets && batch.lastOffset - BigInt(length - 1) >= log.endOffset ? batch.lastOffset - BigInt(length - 1) : log.endOffset
  const lastOffset = first + BigInt(length - 1)
  const stored = log.append(batch.bytes, { baseOffset: first, lastOffset, maxTimestamp: batch.maxTimestamp, leaderEpoch })
  if (!keepOffsets) setBaseOffset(stored, lastOffset)
}

/** Ends a transaction in one partition. The caller says `changed()` once it has ended everywhere. */
export function appendMarker(
  cluster: Cluster,
  { log, leaderEpoch }: Partition,
  { producerId, producerEpoch }: { readonly producerId: bigint; readonly producerEpoch: number },
  commit: boolean,
  coordinatorEpoch: number,
): void {
  const builder = new BatchBuilder({ codec: 'none' })
  const timestamp = Math.floor(cluster.runtime.clock.now())
  builder.append({ ...endTransactionMarker(commit ? 'commit' : 'abort', coordinatorEpoch), timestamp })
  const offset = log.endOffset
  const bytes = builder.finish({
    producerId,
    producerEpoch,
    isTransactional: true,
    isControl: true,
    baseOffset: offset,
    partitionLeaderEpoch: leaderEpoch,
  })
  if (bytes instanceof Promise)
    throw new KafkaError('ERR_ILLEGAL_STATE', 'an uncompressed batch was not finished at once: this is a bug')
  log.append(bytes, { baseOffset: offset, lastOffset: offset, maxTimestamp: BigInt(timestamp), leaderEpoch })
  log.producers.ended(producerId, producerEpoch, coordinatorEpoch, commit, offset)
}

async function noteProducer({ log }: Partition, batch: EncodedBatch, baseOffset: bigint, lastOffset: bigint): Promise<void> {
  const { producerId, producerEpoch } = batch
  if (producerId < 0n) return
  if (!batch.isControl) return log.producers.appended(batch, baseOffset, lastOffset, batch.maxTimestamp)
  const opened = await batch.open({ checkCrcs: false, maxBytes: 1 << 20 })
  if (opened.length === 0) return
  const marker = readControlRecord(opened, 0)
  if (marker.type === 'commit' || marker.type === 'abort')
    log.producers.ended(producerId, producerEpoch, marker.coordinatorEpoch, marker.type === 'commit', baseOffset)
}

/** The batch of a produce request; a text that says why there is none to be had; undefined when the bytes make no sense. */
function onlyBatch(records: Buffer): EncodedBatch | string | undefined {
  if (records.length === 0) return 'a produce request without a record batch'
  let only: EncodedBatch | undefined
  let size = 0
  try {
    for (const batch of encodedBatches(records)) {
      if (batch.magic !== 2) return `record sets of format ${batch.magic}: Produce from version 3 on takes format 2 only`
      if (only) return 'more than one record batch: Produce from version 3 on takes exactly one'
      only = batch
      size += batch.sizeBytes
    }
  } catch (error) {
    if (error instanceof CorruptRecordError) return undefined
    throw error
  }
  return size === records.length && only && size >= HEADER_BYTES ? only : undefined
}

const refused = (errorCode: number, errorMessage: string): Appended => ({
  errorCode,
  errorMessage,
  baseOffset: -1n,
  logAppendTimeMs: -1n,
})
