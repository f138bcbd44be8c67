/**
 * Bytes of consecutive batches, copied out of their request frame once. A batch never crosses a segment, so any run of
 * batches inside one is a single subarray: a fetch copies nothing.
 */
export class Segment {
  readonly buffer: Buffer
  private used = 0

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafeSlow(capacity)
  }

  fits(size: number): boolean {
    return this.used + size <= this.buffer.length
  }

  /** Copies `bytes` to the end and returns where they start. They must fit. */
  append(bytes: Uint8Array): number {
    const at = this.used
    this.buffer.set(bytes, at)
    this.used = at + bytes.length
    return at
  }

  slice(start: number, end: number): Buffer {
    return this.buffer.subarray(start, end)
  }
}

const SMALLEST = 4 * 1024
const LARGEST = 4 * 1024 * 1024

/** Capacity of the segment after one of `previous` bytes: doubling, so that thousands of empty partitions cost nothing. */
export const nextCapacity = (previous: number, needed: number): number =>
  Math.max(needed, Math.min(LARGEST, Math.max(SMALLEST, previous * 2)))
