import { CorruptRecordError } from '../errors.ts'
import {
  type EncodedBatch,
  encodedBatches,
  type OpenOptions,
  type RecordBatch,
  readControlRecord,
} from '../protocol/records/index.ts'
import type { AbortedTransactions } from './aborted-transactions.ts'
import type { Segment } from './batch.ts'

/** The memory of one response, as the connection hands it over. */
export interface Frame {
  readonly buffer: Buffer
  /** Only its last user may call it, once. */
  release(): void
}

/**
 * A fetch response while parts of it are in use. Its size counts against the memory budget until everything in it was
 * handed out or dropped; its memory is given back to the connection only if every batch cut from it was released too (D3).
 */
export class SharedFrame {
  readonly sizeBytes: number
  private readonly frame: Frame | undefined
  private readonly freed: (sizeBytes: number) => void
  private waiting = 0
  private users = 0
  private forgiven = false

  constructor(sizeBytes: number, frame: Frame | undefined, freed: (sizeBytes: number) => void) {
    this.sizeBytes = sizeBytes
    this.frame = frame
    this.freed = freed
  }

  /** One more partition's data lies in it. */
  hold(): void {
    this.waiting++
    this.users++
  }
  /** That partition's data is all handed out, or dropped. */
  drained(): void {
    if (--this.waiting === 0 && !this.forgiven) this.freed(this.sizeBytes)
    this.release()
  }
  /** It no longer counts, though some of it is still to come: a handler that is stuck must not starve the others. */
  forgive(): void {
    if (this.forgiven || this.waiting === 0) return
    this.forgiven = true
    this.freed(this.sizeBytes)
  }
  /** One more batch that points into it is in the user's hands. */
  lend(): void {
    this.users++
  }
  release(): void {
    if (--this.users === 0) this.frame?.release()
  }
}

export interface Taken {
  readonly segments: Segment[]
  readonly records: number
  /** The offset after what was taken or passed over. */
  readonly nextOffset: bigint
  readonly leaderEpoch: number
}

const NOT_OPENED: OpenOptions = { checkCrcs: false, maxBytes: 0 }

/** What one fetch brought for one partition: batches are opened (checked, decompressed, indexed) as they are needed. */
export class FetchedData {
  readonly highWatermark: bigint
  /** Bytes not opened yet. */
  bytesLeft: number
  frame: SharedFrame
  /** Where it stops making sense; everything before is good. */
  error: Error | undefined
  private readonly opened: Segment[] = []
  private encoded: Iterator<EncodedBatch> | undefined
  private bytes: Buffer
  private readonly open: OpenOptions
  private readonly aborted: AbortedTransactions | undefined
  private readonly ready: () => void
  private nextOffset: bigint
  private leaderEpoch = -1
  private opening = false
  private over = false
  private tail: bigint | undefined

  /** `start` is the offset that was asked for; `ready` is called when a batch was decompressed off the loop. */
  constructor(
    bytes: Buffer,
    start: bigint,
    highWatermark: bigint,
    frame: SharedFrame,
    open: OpenOptions,
    aborted: AbortedTransactions | undefined,
    ready: () => void,
  ) {
    this.bytes = bytes
    this.bytesLeft = bytes.length
    this.encoded = encodedBatches(bytes)
    this.nextOffset = start
    this.highWatermark = highWatermark
    this.frame = frame
    this.open = open
    this.aborted = aborted
    this.ready = ready
    frame.hold()
  }

  /** All handed out, nothing to come. */
  get isEmpty(): boolean {
    return this.over || (this.opened.length === 0 && !this.encoded && !this.opening && !this.error)
  }

  /**
   * The next records, up to `maxRecords`, and up to the batch that reaches `maxBytes`. Fewer, or none, while a batch is
   * being decompressed. Nothing below `position`, if that is behind what was asked for.
   */
  take(maxRecords: number, maxBytes: number, position = this.nextOffset): Taken {
    if (position > this.nextOffset) this.nextOffset = position
    const segments: Segment[] = []
    let records = 0
    const until = this.bytesLeft - maxBytes
    while (records < maxRecords) {
      if (this.opened.length === 0 && (records > 0 && this.bytesLeft <= until ? true : !this.advance())) break
      const first = this.opened[0]!
      const to = Math.min(first.to, first.from + maxRecords - records)
      if (to > first.from) segments.push({ records: first.records, from: first.from, to })
      records += to - first.from
      const { encoded } = first.records
      this.leaderEpoch = encoded.partitionLeaderEpoch
      this.nextOffset = to === first.records.length ? offsetAfter(encoded) : first.records.offsetAt(to - 1) + 1n
      if (to === first.to) this.opened.shift()
      else this.opened[0] = { records: first.records.sibling(), from: to, to: first.to }
    }
    // So that the next one is decompressed while these are processed.
    if (this.opened.length === 0 && records > 0 && this.encoded && this.isCompressed()) this.advance()
    if (this.bytesLeft === 0 && !this.opening) this.encoded = undefined
    if (this.opened.length === 0 && this.tail !== undefined) this.nextOffset = this.tail
    const taken = { segments, records, nextOffset: this.nextOffset, leaderEpoch: this.leaderEpoch }
    if (this.isEmpty) this.drop()
    return taken
  }

  /** Records that were taken but not handed out, to be taken again; `end` is the offset after them. */
  static again(segments: readonly Segment[], end: bigint, highWatermark: bigint): FetchedData {
    const data = new FetchedData(
      Buffer.alloc(0),
      end,
      highWatermark,
      new SharedFrame(0, undefined, () => {}),
      NOT_OPENED,
      undefined,
      () => {},
    )
    data.encoded = undefined
    data.opened.push(...segments.map(({ records, from, to }) => ({ records: records.sibling(), from, to })))
    data.tail = end
    return data
  }

  drop(): void {
    if (this.over) return
    this.over = true
    this.encoded = undefined
    this.bytesLeft = 0
    this.frame.drained()
  }

  /** Whether nothing of it but unopened bytes is in use. */
  get canDetach(): boolean {
    return this.opened.length === 0 && !this.opening && this.encoded !== undefined && this.bytesLeft > 0
  }

  /** Moves what is left out of its large frame, so that the frame can go. */
  detach(freed: (sizeBytes: number) => void): number {
    const rest = Buffer.from(this.bytes.subarray(this.bytes.length - this.bytesLeft))
    const frame = new SharedFrame(rest.length, undefined, freed)
    frame.hold()
    this.frame.drained()
    this.frame = frame
    this.bytes = rest
    if (this.encoded) this.encoded = encodedBatches(rest)
    return rest.length
  }

  /** Opens the next batch with records for us. False: none is there, or not yet. */
  private advance(): boolean {
    if (this.opening) return false
    try {
      while (this.encoded) {
        const { done, value: batch } = this.encoded.next()
        if (done) {
          this.encoded = undefined
          this.bytesLeft = 0
          return false
        }
        this.bytesLeft -= batch.sizeBytes
        if (offsetAfter(batch) <= this.nextOffset) continue
        this.aborted?.reach(batch.lastOffset)
        if (batch.isControl && this.aborted?.has(batch.producerId)) {
          const { checkCrcs, maxBytes } = this.open
          const marker = batch.open({ checkCrcs, maxBytes })
          // Kafka compresses none, but what is a stranger's may say zstd, which may have to be loaded first.
          if (marker instanceof Promise)
            return this.wait(marker, opened => {
              this.endAborted(batch, opened)
              this.pass(batch)
              this.opening = false
              this.ready()
            })
          this.endAborted(batch, marker)
        }
        if (!this.isWanted(batch)) {
          this.pass(batch)
          continue
        }
        const records = batch.open(this.open)
        if (records instanceof Promise) return this.wait(records, opened => this.arrived(opened))
        if (this.admit(records)) return true
      }
    } catch (error) {
      this.encoded = undefined
      this.error = error as Error
    }
    return false
  }

  /** Goes on when a batch is opened. Its frame is not given back before. */
  private wait(records: Promise<RecordBatch>, opened: (records: RecordBatch) => void): false {
    this.opening = true
    const { frame } = this
    frame.lend()
    records
      .then(opened)
      .catch((error: Error) => this.failed(error))
      .finally(() => frame.release())
    return false
  }

  private endAborted(batch: EncodedBatch, marker: RecordBatch): void {
    if (marker.length > 0 && readControlRecord(marker, 0).type === 'abort') this.aborted?.end(batch.producerId)
  }

  private isWanted(batch: EncodedBatch): boolean {
    if (batch.isControl) return false
    // Kept by compaction for its producer's sake only: nothing in it, but the offsets it spans are passed.
    return batch.count !== 0 && !(batch.isTransactional && this.aborted?.has(batch.producerId))
  }

  private pass(batch: EncodedBatch): void {
    // What was opened before it must be handed out first: then its own last offset is passed over anyway.
    this.nextOffset = offsetAfter(batch)
  }

  private admit(records: RecordBatch): boolean {
    checkOffsets(records)
    // A fetch answers with whole batches: the first may begin below the offset asked for.
    const from = records.firstIndexAtOrAfter(this.nextOffset)
    if (from === records.length) {
      this.pass(records.encoded)
      return false
    }
    this.opened.push({ records, from, to: records.length })
    return true
  }

  private arrived(records: RecordBatch): void {
    this.opening = false
    if (this.over) return
    this.admit(records)
    this.ready()
  }
  private failed(error: Error): void {
    this.opening = false
    this.encoded = undefined
    this.error = error
    this.ready()
  }

  private isCompressed(): boolean {
    const at = this.bytes.length - this.bytesLeft
    return this.bytesLeft > 61 && (this.bytes[at + 22]! & 7) !== 0
  }
}

/**
 * The offset after a batch, as its header has it: compaction may have removed the last record. Beyond an int64 it is as
 * far below zero, as in Java: the batch is then passed over like one that was read already.
 */
const offsetAfter = (batch: EncodedBatch): bigint => BigInt.asIntN(64, batch.lastOffset + 1n)

/** Positions follow the header, records are found by bisection: where they disagree, some would come twice or never. */
function checkOffsets(records: RecordBatch): void {
  const { lastOffset } = records.encoded
  if (records.hasRisingOffsets && records.offsetAt(records.length - 1) <= lastOffset) return
  const { baseOffset } = records.encoded
  throw new CorruptRecordError(
    `the batch at offset ${baseOffset} is damaged: the offsets of its records do not rise up to ${lastOffset}, which is the last by its header; ` +
      'if it stays so when fetched again, seek past it',
    { baseOffset },
  )
}

/**
 * How far the complete batches of a `records` field reach, from an offset on: undefined when there is not one.
 * @throws CorruptRecordError when the first makes no sense
 */
export function endOfBatches(bytes: Buffer, from: bigint): bigint | undefined {
  let last: EncodedBatch | undefined
  try {
    for (const batch of encodedBatches(bytes)) last = batch
  } catch (error) {
    // A later one is met again, and reported, when its turn comes.
    if (!last) throw error
  }
  if (!last) return undefined
  let end = offsetAfter(last)
  if (end > from) return end
  // Not what a sound broker sends: some earlier batch may still bring something.
  for (const batch of encodedBatches(bytes)) {
    const after = offsetAfter(batch)
    if (after > end) end = after
    if (batch.bytes.byteOffset === last.bytes.byteOffset) break
  }
  return end
}
