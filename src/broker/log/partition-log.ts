import { EpochHistory } from './epochs.ts'
import { Producers } from './producers.ts'
import { nextCapacity, Segment } from './segment.ts'

/** Where a batch lies, and what lookups need of it. Its bytes are exactly those a fetch sends. */
export interface StoredBatch {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly maxTimestamp: bigint
  /** Largest timestamp from the start of the log up to here: lookups by time bisect over it. */
  readonly maxTimestampSoFar: bigint
  readonly leaderEpoch: number
  readonly segment: Segment
  readonly start: number
  readonly end: number
}

export interface BatchExtent {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly maxTimestamp: bigint
  readonly leaderEpoch: number
}

/** The records of one partition, in memory. Offsets are exact bigints; the high watermark follows the end at once, replicas being one and the same log. */
export class PartitionLog {
  readonly epochs = new EpochHistory()
  readonly producers = new Producers()
  private batches: StoredBatch[] = []
  private segment: Segment | undefined
  private start = 0n
  private end = 0n
  private heldAt: bigint | undefined
  private bytes = 0
  private readonly listeners = new Set<() => void>()

  /** First offset that may be fetched. */
  get logStartOffset(): bigint {
    return this.start
  }
  /** Offset that the next record will get. */
  get endOffset(): bigint {
    return this.end
  }
  /** Records below it may be read. */
  get highWatermark(): bigint {
    return this.heldAt !== undefined && this.heldAt < this.end ? this.heldAt : this.end
  }
  /** Records below it belong to no open transaction: the limit of `read_committed`. */
  get lastStableOffset(): bigint {
    const unstable = this.producers.firstUnstable
    return unstable !== undefined && unstable < this.highWatermark ? unstable : this.highWatermark
  }
  /** Size of all batches. */
  get sizeBytes(): number {
    return this.bytes
  }

  /**
   * Copies one batch to the end of the log and returns the copy, for the caller to stamp; `extent` is what it will say
   * once stamped. Nothing else happens: producer state and epochs are the caller's.
   */
  append(bytes: Uint8Array, extent: BatchExtent): Buffer {
    if (!this.segment?.fits(bytes.length)) {
      this.segment = new Segment(nextCapacity(this.segment?.buffer.length ?? 0, bytes.length))
    }
    const segment = this.segment
    const start = segment.append(bytes),
      end = start + bytes.length
    const soFar = this.batches.at(-1)?.maxTimestampSoFar ?? -1n
    this.batches.push({
      ...extent,
      maxTimestampSoFar: extent.maxTimestamp > soFar ? extent.maxTimestamp : soFar,
      segment,
      start,
      end,
    })
    this.bytes += bytes.length
    this.end = extent.lastOffset + 1n
    return segment.slice(start, end)
  }

  /** Tells waiting fetches that there is more to read. */
  changed(): void {
    for (const listener of [...this.listeners]) listener()
  }

  /** Calls back after each `changed()` until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Keeps the high watermark at `offset` (as replicas that lag would) until it is called with undefined. */
  holdHighWatermark(offset: bigint | undefined): void {
    this.heldAt = offset
    this.changed()
  }

  /**
   * Whole batches from the one that holds `offset` on, below `limit`, as one view of the log: at most `maxBytes`, except
   * that with `atLeastOne` the first batch comes whatever its size (KIP-74).
   */
  read(offset: bigint, limit: bigint, maxBytes: number, atLeastOne: boolean): Buffer | undefined {
    let index = this.indexAt(offset)
    const first = this.batches[index]
    if (!first || first.lastOffset >= limit) return undefined
    if (first.end - first.start > maxBytes && !atLeastOne) return undefined
    let last = first
    while (++index < this.batches.length) {
      const next = this.batches[index]!
      if (next.segment !== first.segment || next.start !== last.end) break
      if (next.lastOffset >= limit || next.end - first.start > maxBytes) break
      last = next
    }
    return first.segment.slice(first.start, last.end)
  }

  /** Bytes between `offset` and `limit`, counted up to `enough`: whether a waiting fetch may be answered. */
  available(offset: bigint, limit: bigint, enough: number): number {
    let total = 0
    for (let index = this.indexAt(offset); total < enough && index < this.batches.length; index++) {
      const batch = this.batches[index]!
      if (batch.lastOffset >= limit) break
      total += batch.end - batch.start
    }
    return total
  }

  /** The first batch that may hold a record at or after `timestamp`, and those behind it. */
  *batchesSince(timestamp: bigint): Generator<StoredBatch> {
    let low = 0,
      high = this.batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.batches[middle]!.maxTimestampSoFar < timestamp) low = middle + 1
      else high = middle
    }
    for (; low < this.batches.length; low++) if (this.batches[low]!.maxTimestamp >= timestamp) yield this.batches[low]!
  }

  /** All batches, oldest first. */
  stored(): readonly StoredBatch[] {
    return this.batches
  }

  bytesOf({ segment, start, end }: StoredBatch): Buffer {
    return segment.slice(start, end)
  }

  /** Moves the log start: what lies below is gone (DeleteRecords, retention). */
  deleteBefore(offset: bigint): void {
    if (offset <= this.start) return
    this.start = offset > this.end ? this.end : offset
    const keep = this.batches.findIndex(batch => batch.lastOffset >= this.start)
    this.discard(0, keep < 0 ? this.batches.length : keep)
  }

  /** Drops the batches that end at or after `offset`, as an unclean leader election does. */
  truncateTo(offset: bigint): void {
    if (offset >= this.end) return
    const index = this.indexAt(offset)
    this.end = this.batches[index]?.baseOffset ?? offset
    if (this.end < this.start) this.start = this.end
    this.discard(index, this.batches.length)
    this.epochs.truncateTo(this.end)
    this.producers.truncateTo(this.end)
    // Positions behind the cut must not be taken for continuations of what stays.
    this.segment = undefined
    this.changed()
  }

  /** Replaces the contents, keeping offsets, as compaction does. */
  rewrite(batches: Iterable<{ readonly bytes: Uint8Array; readonly extent: BatchExtent }>): void {
    const { end } = this
    this.batches = []
    this.segment = undefined
    this.bytes = 0
    for (const { bytes, extent } of batches) this.append(bytes, extent)
    this.end = end
  }

  /** Moves the end without a batch, for tests that need large offsets. Only on an empty log. */
  startAt(offset: bigint): void {
    this.start = this.end = offset
  }

  private discard(from: number, to: number): void {
    for (const batch of this.batches.splice(from, to - from)) this.bytes -= batch.end - batch.start
  }

  /** Index of the first batch that ends at or after `offset`. */
  private indexAt(offset: bigint): number {
    let low = 0,
      high = this.batches.length
    // Most fetches are at the end.
    if (high > 0 && this.batches[high - 1]!.lastOffset < offset) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.batches[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
