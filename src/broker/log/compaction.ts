import { CorruptRecordError } from '../../errors.ts'
import { crc32c, EncodedBatch, type RecordBatch } from '../../protocol/records/index.ts'
import type { PartitionLog, StoredBatch } from './partition-log.ts'

const HEADER_BYTES = 61
const LENGTH = 8
const CRC = 17
const CHECKED_FROM = 21
const ATTRIBUTES_LOW = 22
const CODEC_MASK = 7
const COUNT = 57
/** Decompressed size of one batch. */
const MAX_BATCH_BYTES = 1 << 30

export interface CompactOptions {
  /** Drop tombstones (null values) as well, as after `delete.retention.ms`. Default false. */
  readonly dropTombstones?: boolean | undefined
  /**
   * `last-of-producer`: keep a batch that lost all its records only where it holds the last sequence of its producer, as Kafka
   * does; `all`: keep every one, empty; `none`: keep no empty batch. Default `last-of-producer`.
   */
  readonly emptyBatches?: 'last-of-producer' | 'all' | 'none' | undefined
}

/** Keeps the last record of each key, at its offset: what stays has gaps, and batches may be empty (KIP-58). Control batches stay. */
export async function compact(
  log: PartitionLog,
  { dropTombstones = false, emptyBatches = 'last-of-producer' }: CompactOptions,
): Promise<void> {
  const batches: { readonly stored: StoredBatch; readonly bytes: Buffer; readonly opened: RecordBatch | undefined }[] = []
  const lastOfKey = new Map<string, bigint>()
  const lastOfProducer = new Map<bigint, EncodedBatch>()
  for (const stored of log.stored()) {
    const bytes = log.bytesOf(stored)
    const opened = await open(bytes)
    batches.push({ stored, bytes, opened })
    if (!opened) continue
    if (opened.encoded.producerId >= 0n) lastOfProducer.set(opened.encoded.producerId, opened.encoded)
    for (let i = 0; i < opened.length; i++) {
      const key = opened.keyAt(i)
      if (key) lastOfKey.set(key.toString('latin1'), opened.offsetAt(i))
    }
  }
  const kept = batches.flatMap(({ stored, bytes, opened }) => {
    if (!opened) return [{ bytes, extent: stored }]
    const keep = (i: number) => {
      const key = opened.keyAt(i)
      return (
        key !== null &&
        lastOfKey.get(key.toString('latin1')) === opened.offsetAt(i) &&
        !(dropTombstones && opened.valueAt(i) === null)
      )
    }
    const compacted = withOnly(bytes, opened, keep)
    const isEmpty = compacted.readInt32BE(COUNT) === 0
    const wanted =
      emptyBatches === 'all' ||
      (emptyBatches === 'last-of-producer' && lastOfProducer.get(opened.encoded.producerId) === opened.encoded)
    return isEmpty && !wanted ? [] : [{ bytes: compacted, extent: stored }]
  })
  log.rewrite(kept)
  log.changed()
}

/** The batch's records, unless it holds control records or cannot be read: such batches are left alone. */
async function open(bytes: Buffer): Promise<RecordBatch | undefined> {
  if (bytes.length < HEADER_BYTES) return undefined
  const encoded = new EncodedBatch(bytes)
  if (encoded.magic !== 2 || encoded.isControl) return undefined
  try {
    return await encoded.open({ checkCrcs: false, maxBytes: MAX_BATCH_BYTES })
  } catch (error) {
    if (error instanceof CorruptRecordError) return undefined
    throw error
  }
}

/** The same batch, uncompressed, with some of its records: each carries its own offset, so their bytes stay as they are. */
function withOnly(bytes: Buffer, batch: RecordBatch, keep: (i: number) => boolean): Buffer {
  const header = Buffer.from(bytes.subarray(0, HEADER_BYTES))
  const { buffer } = batch
  const records: Buffer[] = []
  let at = batch.encoded.codec === 'none' ? HEADER_BYTES : 0
  for (let i = 0; i < batch.length; i++) {
    const start = at
    let length = 0
    for (let shift = 0; ; shift += 7) {
      const byte = buffer[at++]!
      length += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    at += length / 2 // zigzag of a number that is not negative
    if (keep(i)) records.push(buffer.subarray(start, at))
  }
  const result = Buffer.concat([header, ...records])
  result.writeInt32BE(result.length - LENGTH - 4, LENGTH)
  result.writeUInt8(result.readUInt8(ATTRIBUTES_LOW) & ~CODEC_MASK, ATTRIBUTES_LOW)
  result.writeInt32BE(records.length, COUNT)
  result.writeUInt32BE(crc32c(result, CHECKED_FROM), CRC)
  return result
}
