import { CorruptRecordError } from '../../errors.ts'
import { View } from '../view.ts'
import { EncodedBatch } from './encoded-batch.ts'
import * as at from './layout.ts'
import { LegacyBatch } from './legacy.ts'

/**
 * Splits a `records` field, in which batches of all formats may follow one another. A last batch that was cut off by the size limit of the fetch is left out (an empty result
 * means that not even one fitted).
 * @throws CorruptRecordError when a length or a format number makes no sense: what follows cannot be found any more.
 */
export function encodedBatches(records: Buffer): IterableIterator<EncodedBatch> {
  return new Splitter(records)
}

/** By hand, and its own result: a generator would cost a small batch as much as its checksum. */
class Splitter implements IterableIterator<EncodedBatch> {
  done = false
  value!: EncodedBatch
  private readonly records: Buffer
  private start = 0

  constructor(records: Buffer) {
    this.records = records
  }

  [Symbol.iterator](): this {
    return this
  }

  next(): this {
    const { records, start } = this
    const left = records.length - start
    if (left < at.PREFIX) return this.end()
    const size = at.PREFIX + records.readInt32BE(start + at.LENGTH)
    const magic = records[start + at.MAGIC]
    if (size < (magic === 2 ? at.RECORDS : at.PREFIX + at.LEAST_LEGACY_BYTES) || (magic !== undefined && magic > 2)) {
      this.end()
      const baseOffset = records.readBigInt64BE(start)
      throw new CorruptRecordError(`the batch at offset ${baseOffset} claims format ${magic} and ${size} bytes`, {
        baseOffset,
        offset: start,
      })
    }
    if (size > left) return this.end()
    const bytes = new View(records.buffer, records.byteOffset + start, size)
    this.value = magic === 2 ? new EncodedBatch(bytes) : new LegacyBatch(bytes)
    this.start = start + size
    return this
  }

  private end(): this {
    this.start = this.records.length
    this.done = true
    this.value = undefined as never
    return this
  }
}
