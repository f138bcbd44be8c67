import { CorruptRecordError } from '../errors.ts'
import {
  BatchBuilder,
  type EncodedBatch,
  encodedBatches,
  MessageSetBuilder,
  type RecordBatch,
} from '../protocol/records/index.ts'

/** Decompressed size of one batch. */
const MAX_BATCH_BYTES = 1 << 30

/**
 * What Produce before v3 sends, formats 0 and 1, as one batch of format 2, which is all that the log keeps. Undefined when it
 * cannot be read, or already is of format 2.
 */
export async function upConverted(records: Buffer): Promise<Buffer | undefined> {
  let builder: BatchBuilder | undefined
  let read = 0
  try {
    for (const encoded of encodedBatches(records)) {
      if (encoded.magic === 2) return undefined
      builder ??= new BatchBuilder({ codec: encoded.codec })
      const batch = await encoded.open({ checkCrcs: true, maxBytes: MAX_BATCH_BYTES })
      for (let i = 0; i < batch.length; i++) {
        builder.append({ key: batch.keyAt(i), value: batch.valueAt(i), timestamp: batch.timestampExactAt(i) })
      }
      read += encoded.sizeBytes
    }
  } catch (error) {
    if (error instanceof CorruptRecordError) return undefined
    throw error
  }
  return builder && read === records.length ? Buffer.from(await builder.finish({})) : undefined
}

/**
 * Stored batches for a Fetch that reads only formats up to `magic`. Headers, producers and control records have no place there
 * and are left out; a batch that cannot be read is left out as well.
 */
export async function downConverted(records: Buffer, magic: 0 | 1): Promise<Buffer> {
  const sets: Uint8Array[] = []
  for (const encoded of encodedBatches(records)) {
    if (encoded.magic <= magic) sets.push(encoded.bytes)
    else if (!encoded.isControl) {
      const batch = await encoded.open({ checkCrcs: false, maxBytes: MAX_BATCH_BYTES })
      sets.push(...(await messageSets(encoded, batch, magic)))
    }
  }
  return Buffer.concat(sets)
}

/** One set for each row of consecutive offsets: compaction leaves gaps, which a set cannot express. */
async function messageSets(encoded: EncodedBatch, batch: RecordBatch, magic: 0 | 1): Promise<Uint8Array[]> {
  const sets: Uint8Array[] = []
  // Clients that ask for these formats know no zstd.
  const codec = encoded.codec === 'zstd' ? 'none' : encoded.codec
  const logAppendTimeMs = encoded.timestampType === 'log-append' ? encoded.maxTimestamp : undefined
  for (let i = 0; i < batch.length; ) {
    const builder = new MessageSetBuilder({ magic, codec })
    const baseOffset = batch.offsetAt(i)
    for (let expected = baseOffset; i < batch.length && batch.offsetAt(i) === expected; i++, expected++) {
      builder.append({ key: batch.keyAt(i), value: batch.valueAt(i), timestamp: batch.timestampExactAt(i) })
    }
    sets.push(await builder.finish({ baseOffset, logAppendTimeMs }))
  }
  return sets
}
