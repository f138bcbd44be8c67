import { CorruptRecordError } from '../../errors.ts'
import { EncodedBatch } from './encoded-batch.ts'
import * as at from './layout.ts'
import { LegacyBatch } from './legacy.ts'

/**
 * Splits a `records` field, in which batches of all formats may follow one another. A last batch that was cut off by the size limit of the fetch is left out (an empty result
 * means that not even one fitted).
 * @throws CorruptRecordError when a length or a format number makes no sense: what follows cannot be found any more.
 */
export function* encodedBatches(records: Buffer): Generator<EncodedBatch> {
  for (let start = 0; records.length - start >= at.PREFIX; ) {
    const size = at.PREFIX + records.readInt32BE(start + at.LENGTH)
    const magic = records[start + at.MAGIC]
    if (size < (magic === 2 ? at.RECORDS : at.PREFIX + at.LEAST_LEGACY_BYTES) || (magic !== undefined && magic > 2)) {
      const baseOffset = records.readBigInt64BE(start)
      throw new CorruptRecordError(`the batch at offset ${baseOffset} claims format ${magic} and ${size} bytes`, {
        baseOffset,
        offset: start,
      })
    }
    if (size > records.length - start) return
    const bytes = records.subarray(start, start + size)
    yield magic === 2 ? new EncodedBatch(bytes) : new LegacyBatch(bytes)
    start += size
  }
}
