import { CorruptRecordError } from '../../errors.ts'
import { CODECS, type Codec, decompress, type JobRunner, jobOf } from '../compression/index.ts'
import { RecordBatch } from './batch.ts'
import { crc32c } from './crc32c.ts'
import { int64AsNumber, int64At } from './int64.ts'
import { kernel, PIECE_BYTES } from './kernel/kernel.ts'
import * as at from './layout.ts'
import { claimRows, indexRecordsPlain, STRIDE } from './record-index.ts'

const NOTHING = Buffer.alloc(0)
/** Up to here checksum and index take one or two milliseconds at most, and are done at once; what has more is done piece by piece. */
const AT_ONCE_BYTES = 2 * 1024 * 1024
const AT_ONCE_RECORDS = 16 * 1024
/** What is indexed in one piece where there is no kernel. */
const PIECE_RECORDS = 4096

export type TimestampType = 'create' | 'log-append'

export interface OpenOptions {
  /** Verify checksums (Java's `check.crcs`). */
  readonly checkCrcs: boolean
  /**
   * What the records may take once decompressed; a bomb fails with CorruptRecordError: before it is inflated where it says what
   * it holds, otherwise as soon as more than this has come out.
   */
  readonly maxBytes: number
  /** Takes decompression of large batches off the loop, and lets what else has to be done with them give way to others. */
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
   * Verifies, decompresses and indexes. A promise only when that left the loop or gave way to others, both for large batches,
   * or when a codec had to be loaded first.
   * @throws CorruptRecordError; KafkaError ERR_MISSING_CODEC
   */
  open(options: OpenOptions): RecordBatch | Promise<RecordBatch> {
    const { bytes } = this
    const { checkCrcs, offload } = options
    if (bytes.length < at.RECORDS) throw this.corrupt(`it is ${bytes.length} bytes long, its header alone takes ${at.RECORDS}`)
    const { codec, count } = this
    if (codec === 'none' && count !== 0) return this.indexed(bytes, at.RECORDS, count, checkCrcs, offload)
    if (!checkCrcs) return this.inflated(codec, count, options)
    if (bytes.length <= AT_ONCE_BYTES) {
      this.verify(crc32c(bytes, at.ATTRIBUTES))
      return this.inflated(codec, count, options)
    }
    const checked = inPieces(() => this.checkPieces(), offload)
    return checked instanceof Promise
      ? checked.then(() => this.inflated(codec, count, options))
      : this.inflated(codec, count, options)
  }

  private inflated(codec: Codec, count: number, { maxBytes, offload }: OpenOptions): RecordBatch | Promise<RecordBatch> {
    if (count === 0) return new RecordBatch(this, NOTHING, 0, new Int32Array(0), 0)
    const records = this.decompressed(codec, this.bytes.subarray(at.RECORDS), maxBytes, offload)
    return records instanceof Promise
      ? records.then(inflated => this.indexed(inflated, 0, count, false, offload))
      : this.indexed(records, 0, count, false, offload)
  }

  /** Decompresses; what goes wrong is said of this batch. */
  protected decompressed(
    codec: Codec,
    input: Buffer,
    maxBytes: number,
    offload: JobRunner | undefined,
  ): Buffer | Promise<Buffer> {
    const failed = (error: unknown): never => {
      throw error instanceof CorruptRecordError ? this.corrupt(error.message, error) : error
    }
    try {
      const output = decompress(codec, input, maxBytes, offload, this.magic === 0)
      return output instanceof Promise ? output.catch(failed) : output
    } catch (error) {
      return failed(error)
    }
  }

  /** Indexes the records at the end of `buffer`; with `check`, `buffer` is the batch itself and its checksum is verified as well. */
  private indexed(
    buffer: Buffer,
    start: number,
    count: number,
    check: boolean,
    offload: JobRunner | undefined,
  ): RecordBatch | Promise<RecordBatch> {
    return buffer.length > AT_ONCE_BYTES || count > AT_ONCE_RECORDS
      ? inPieces(() => this.indexPieces(buffer, start, count, check), offload)
      : this.indexAtOnce(buffer, start, count, check)
  }

  private indexAtOnce(buffer: Buffer, start: number, count: number, check: boolean): RecordBatch {
    const end = buffer.length
    const plausible = holds(count, end - start)
    const fast = plausible ? kernel() : null
    if (fast?.takes(end, count)) {
      const { rows, base } = claimRows(count)
      const wellFormed = fast.scan(buffer, check ? at.ATTRIBUTES : -1, start, end, count, rows, base)
      if (check) this.verify(fast.crc)
      if (wellFormed) return new RecordBatch(this, buffer, count, rows, base)
      // The kernel only finds that something is wrong; what follows says what.
    } else if (check) this.verify(crc32c(buffer, at.ATTRIBUTES))
    if (!plausible) throw this.implausible(end - start)
    const { rows, base } = claimRows(count)
    const reached = this.indexPlain(buffer, start, count, rows, base)
    if (reached < end) throw this.overfull(end - reached)
    return new RecordBatch(this, buffer, count, rows, base)
  }

  private *indexPieces(buffer: Buffer, start: number, count: number, check: boolean): Generator<void, RecordBatch, void> {
    const end = buffer.length
    const fast = kernel()
    try {
      if (!holds(count, end - start)) throw this.implausible(end - start)
      const { rows, base } = claimRows(count)
      let crc = check ? crc32c(buffer, at.ATTRIBUTES, start) : 0
      for (let done = 0; done < count; ) {
        const from = start
        const row = base + done * STRIDE
        if (fast) fast.crc = crc
        let found = fast ? fast.piece(buffer, start, end, count - done, rows, row, check) : 0
        if (fast && found > 0) {
          start = fast.reached
          crc = fast.crc
        } else {
          // Without a kernel; or for one record that is larger than a piece, or damaged.
          found = fast ? 1 : Math.min(PIECE_RECORDS, count - done)
          start = this.indexPlain(buffer, start, found, rows, row)
          if (check) crc = yield* checksum(buffer, from, start, crc)
        }
        done += found
        yield
      }
      if (start < end) throw this.overfull(end - start)
      if (check) this.verify(crc)
      return new RecordBatch(this, buffer, count, rows, base)
    } catch (error) {
      // Damage that the checksum tells of came about on the way; all else was written so.
      if (check) yield* this.checkPieces()
      throw error
    }
  }

  private indexPlain(buffer: Buffer, start: number, count: number, rows: Int32Array, base: number): number {
    try {
      return indexRecordsPlain(buffer, start, buffer.length, count, rows, base)
    } catch (error) {
      throw this.corrupt(error instanceof Error ? error.message : String(error), error)
    }
  }

  private *checkPieces(): Generator<void, void, void> {
    this.verify(yield* checksum(this.bytes, at.ATTRIBUTES, this.bytes.length, 0))
  }

  private implausible(bytes: number): CorruptRecordError {
    return this.corrupt(`it claims ${this.count} records in ${bytes} bytes`)
  }
  private overfull(bytes: number): CorruptRecordError {
    return this.corrupt(`${bytes} bytes follow the last of ${this.count} records`)
  }
  private verify(found: number): void {
    const announced = this.bytes.readUInt32BE(at.CRC)
    if (found !== announced) throw this.corrupt(`its checksum is ${hex(found)}, not ${hex(announced)} as it says`)
  }
  protected corrupt(reason: string, cause?: unknown): CorruptRecordError {
    const { baseOffset } = this
    const message = `the batch at offset ${baseOffset} is damaged: ${reason}; if it stays so when fetched again, seek past it`
    return new CorruptRecordError(message, { baseOffset }, { cause })
  }
}

export const hex = (value: number): string => value.toString(16).padStart(8, '0')

/** Whether so many bytes can hold so many records. */
const holds = (count: number, bytes: number): boolean => count >= 0 && count * at.LEAST_RECORD_BYTES <= bytes

/** The checksum of `bytes[start, end)`, which go on from those with the checksum `crc`. */
function* checksum(bytes: Buffer, start: number, end: number, crc: number): Generator<void, number, void> {
  for (; end - start > PIECE_BYTES; start += PIECE_BYTES) {
    crc = crc32c(bytes, start, start + PIECE_BYTES, crc)
    yield
  }
  return crc32c(bytes, start, end, crc)
}

/** Runs what yields between pieces: giving way there, where somebody sees to that. */
export function inPieces<T>(pieces: () => Generator<void, T, void>, offload: JobRunner | undefined): T | Promise<T> {
  const job = jobOf(pieces)
  return offload ? offload.run(job) : job.inline()
}
