import { crc32 } from 'node:zlib'
import { crc32cPlain } from '../../src/protocol/records/crc32c.ts'
import {
  BatchBuilder,
  type BatchMeta,
  type Codec,
  encodedBatches,
  MessageSetBuilder,
  type RecordBatch,
  type RecordInput,
} from '../../src/protocol/records/index.ts'

export const CODECS: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
export const bytes = (text: string): Buffer => Buffer.from(text)
/** Bytes that shrink. */
export const text = (bytes: number): Buffer =>
  Buffer.from('{"id":4711,"user":"somebody","amount":42}\n'.repeat(bytes / 42 + 1)).subarray(0, bytes)
/** Bytes that do not. */
export const noise = (bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  for (let i = 0, x = 1; i < bytes; i++) buffer[i] = (x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0) >>> 16
  return buffer
}

/** A record set of one batch (format 2) or message set (0, 1). */
export async function written(
  magic: 0 | 1 | 2,
  codec: Codec,
  records: readonly RecordInput[],
  meta: BatchMeta = {},
): Promise<Buffer> {
  const builder = magic === 2 ? new BatchBuilder({ codec }) : new MessageSetBuilder({ magic, codec })
  for (const record of records) builder.append(record)
  return Buffer.from(await builder.finish(meta))
}

/** Opens all batches of a record set. */
export async function opened(records: Buffer, options: { checkCrcs?: boolean; maxBytes?: number } = {}): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = []
  for (const encoded of encodedBatches(records))
    batches.push(await encoded.open({ checkCrcs: true, maxBytes: 1 << 24, ...options }))
  return batches
}

/** All that can be read of the records, as plain values. */
export function contents(batches: readonly RecordBatch[]) {
  return batches.flatMap(batch =>
    Array.from({ length: batch.length }, (_, i) => ({
      offset: batch.offsetAt(i),
      timestamp: batch.timestampExactAt(i),
      key: batch.keyAt(i),
      value: batch.valueAt(i),
      headers: batch.headersAt(i),
    })),
  )
}

/** Makes the checksum right again, so that damage gets past it. */
export function resealed(batch: Buffer): Buffer {
  if (batch[16] === 2 && batch.length >= 61) batch.writeUInt32BE(crc32cPlain(batch, 21), 17)
  else if (batch.length >= 26) batch.writeUInt32BE(crc32(batch.subarray(16)), 12)
  return batch
}
