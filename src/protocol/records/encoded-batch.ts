import { CorruptRecordError } from '../../errors.ts'
import { CODECS, type Codec, decompress, type JobRunner } from '../compression/index.ts'
import { RecordBatch } from './batch.ts'
import { crc32c } from './crc32c.ts'
import { int64AsNumber, int64At } from './int64.ts'
import { kernel } from './kernel/kernel.ts'
import * as at from './layout.ts'
import { claimRows, indexRecordsPlain } from './record-index.ts'

const NOTHING = Buffer.alloc(0)

export type TimestampType = 'create' | 'log-append'

export interface OpenOptions {
  /** Verify checksums (Java's `check.crcs`). */
  readonly checkCrcs: boolean
  /** What the records may take once decompressed; a bomb fails with CorruptRecordError before it is inflated. */
  readonly maxBytes: number
  /** Takes decompression of large batches off the loop. */
  readonly offload?: JobRunner | undefined
}

/** A batch as it lies in the frame. Its header is read field by field, on demand; its records only by `open`. */
export class EncodedBatch {
  /** The whole batch, header included. */
  readonly bytes: Buffer
  readonly magic: 0 | 1 | 2

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.magic = bytes[at.MAGIC] as 0 | 1 | 2
  }

  get sizeBytes(): number {
    return this.bytes.length
  }
  get baseOffset(): bigint {
    return int64At(this.bytes, 0)
  }
  /** Offset of the last record the batch was written with, whether or not compaction left it. */
  get lastOffset(): bigint {
    return this.baseOffset + BigInt(this.bytes.readInt32BE(at.LAST_OFFSET_DELTA))
  }
  /** Number of records; 0 for a batch that compaction emptied but kept for its producer's sake. */
  get count(): number {
    return this.bytes.readInt32BE(at.COUNT)
  }
  get codec(): Codec {
    const codec = CODECS[this.attributes & at.CODEC_MASK]
    if (codec) return codec
    throw this.corrupt(`codec ${this.attributes & at.CODEC_MASK} is unknown`)
  }
  get timestampType(): TimestampType {
    return this.attributes & at.LOG_APPEND_TIME ? 'log-append' : 'create'
  }
  get isTransactional(): boolean {
    return (this.attributes & at.TRANSACTIONAL) !== 0
  }
  get isControl(): boolean {
    return (this.attributes & at.CONTROL) !== 0
  }
  /** Whether `firstTimestamp` is the time from which compaction may drop tombstones and markers (KIP-534). */
  get hasDeleteHorizon(): boolean {
    return (this.attributes & at.DELETE_HORIZON) !== 0
  }
  get firstTimestamp(): bigint {
    return int64At(this.bytes, at.FIRST_TIMESTAMP)
  }
  get maxTimestamp(): bigint {
    return int64At(this.bytes, at.MAX_TIMESTAMP)
  }
  /** What the timestamps of the records count from, or all of them are (LogAppendTime), as a number. */
  get baseTime(): number {
    return int64AsNumber(this.bytes, this.timestampType === 'create' ? at.FIRST_TIMESTAMP : at.MAX_TIMESTAMP)
  }
  /** -1 when written by no idempotent producer. */
  get producerId(): bigint {
    return int64At(this.bytes, at.PRODUCER_ID)
  }
  get producerEpoch(): number {
    return this.bytes.readInt16BE(at.PRODUCER_EPOCH)
  }
  get baseSequence(): number {
    return this.bytes.readInt32BE(at.BASE_SEQUENCE)
  }
  /** Sequence of the last record: after 2^31-1 comes 0. -1 without one. */
  get lastSequence(): number {
    const base = this.baseSequence
    if (base === -1) return -1
    const more = this.bytes.readInt32BE(at.LAST_OFFSET_DELTA)
    const left = (0x7fff_ffff - more) | 0
    return (base > left ? base - left - 1 : base + more) | 0
  }
  get partitionLeaderEpoch(): number {
    return this.bytes.readInt32BE(at.LEADER_EPOCH)
  }
  protected get attributes(): number {
    return this.bytes[at.ATTRIBUTES + 1]!
  }

  /**
   * Verifies, decompresses and indexes. A promise only when decompression left the loop, or a codec had to be loaded first.
   * @throws CorruptRecordError; KafkaError ERR_MISSING_CODEC
   */
  open(options: OpenOptions): RecordBatch | Promise<RecordBatch> {
    const { bytes } = this
    if (bytes.length < at.RECORDS) throw this.corrupt(`it is ${bytes.length} bytes long, its header alone takes ${at.RECORDS}`)
    const codec = this.codec
    if (codec === 'none' && this.count !== 0) return this.indexRecords(bytes, at.RECORDS, options.checkCrcs)
    if (options.checkCrcs) this.verify(crc32c(bytes, at.ATTRIBUTES))
    if (this.count === 0) return this.indexRecords(NOTHING, 0, false)
    const failed = (error: unknown): never => {
      throw error instanceof CorruptRecordError ? this.corrupt(error.message, error) : error
    }
    const index = (records: Buffer): RecordBatch => this.indexRecords(records, 0, false)
    try {
      const records = decompress(codec, bytes.subarray(at.RECORDS), options.maxBytes, options.offload)
      return records instanceof Promise ? records.catch(failed).then(index) : index(records)
    } catch (error) {
      return failed(error)
    }
  }

  /** Indexes the records at the end of `buffer`; with `check`, `buffer` is the batch itself and its checksum is taken on the way. */
  private indexRecords(buffer: Buffer, start: number, check: boolean): RecordBatch {
    const { count } = this
    const end = buffer.length
    const plausible = count >= 0 && count * at.LEAST_RECORD_BYTES <= end - start
    const fast = plausible ? kernel() : null
    if (fast?.takes(end, count)) {
      const { rows, base } = claimRows(count)
      const wellFormed = fast.scan(buffer, check ? at.ATTRIBUTES : -1, start, end, count, rows, base)
      if (check) this.verify(fast.crc)
      if (wellFormed) return new RecordBatch(this, buffer, count, rows, base)
      // The kernel only finds that something is wrong; what follows says what.
    } else if (check) this.verify(crc32c(buffer, at.ATTRIBUTES))
    if (!plausible) throw this.corrupt(`it claims ${count} records in ${end - start} bytes`)
    const { rows, base } = claimRows(count)
    try {
      indexRecordsPlain(buffer, start, end, count, rows, base)
    } catch (error) {
      throw this.corrupt(error instanceof Error ? error.message : String(error), error)
    }
    return new RecordBatch(this, buffer, count, rows, base)
  }

  private verify(found: number): void {
    const announced = this.bytes.readUInt32BE(at.CRC)
    if (found !== announced) throw this.corrupt(`its checksum is ${hex(found)}, not ${hex(announced)} as it says`)
  }
  private corrupt(reason: string, cause?: unknown): CorruptRecordError {
    const { baseOffset } = this
    const message = `the batch at offset ${baseOffset} is damaged: ${reason}; if it stays so when fetched again, seek past it`
    return new CorruptRecordError(message, { baseOffset }, { cause })
  }
}

export const hex = (value: number): string => value.toString(16).padStart(8, '0')
