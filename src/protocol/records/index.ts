/** @module Record batches: read lazily, written into one buffer; formats 0, 1 and 2. */
export type { Codec } from '../compression/index.ts'
export { RecordBatch, type RecordHeader } from './batch.ts'
export { BatchBuilder, type BatchBuilderOptions, type BatchMeta, type RecordInput } from './builder.ts'
export { type ControlRecord, endTransactionMarker, readControlRecord } from './control.ts'
export { crc32c } from './crc32c.ts'
export { EncodedBatch, encodedBatches, type OpenOptions, type TimestampType } from './encoded-batch.ts'
export { setBaseOffset, setLeaderEpoch, setLogAppendTime, setProducer } from './stamp.ts'
