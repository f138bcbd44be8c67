import { CorruptRecordError } from '../../errors.ts'
import { encodedBatches, type RecordHeader } from '../../protocol/records/index.ts'
import type { PartitionLog } from './partition-log.ts'

/** A record as it lies in the log: copies, for asserts. */
export interface BrokerRecord {
  readonly offset: bigint
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
  /** -1 when written by no idempotent producer. */
  readonly producerId: bigint
  readonly isTransactional: boolean
  readonly leaderEpoch: number
}

/** Decompressed size of one batch. */
const MAX_BATCH_BYTES = 1 << 30

/** All data records of a log, oldest first. Batches that cannot be read are left out. */
export async function storedRecords(log: PartitionLog): Promise<BrokerRecord[]> {
  const records: BrokerRecord[] = []
  for (const stored of log.stored()) {
    try {
      for (const encoded of encodedBatches(log.bytesOf(stored))) {
        if (encoded.magic === 2 && encoded.isControl) continue
        const batch = await encoded.open({ checkCrcs: true, maxBytes: MAX_BATCH_BYTES })
        for (let i = 0; i < batch.length; i++) {
          if (batch.offsetAt(i) < log.logStartOffset) continue
          const key = batch.keyAt(i),
            value = batch.valueAt(i)
          records.push({
            offset: batch.offsetAt(i),
            timestamp: batch.timestampAt(i),
            key: key && Buffer.from(key),
            value: value && Buffer.from(value),
            headers: batch.headersAt(i).map(({ key, value }) => ({ key, value: value && Buffer.from(value) })),
            producerId: encoded.producerId,
            isTransactional: encoded.isTransactional,
            leaderEpoch: encoded.partitionLeaderEpoch,
          })
        }
      }
    } catch (error) {
      if (!(error instanceof CorruptRecordError)) throw error
    }
  }
  return records
}
