/**
 * Memory of batches, one size of it used again and again. Buffers count towards the limit at which V8 collects its whole heap:
 * a producer whose every batch has fresh memory makes it do so for each few dozen megabytes that are sent. The Java client
 * has a BufferPool for the same reason.
 */
export class BatchMemory {
  private readonly pieceBytes: number
  private readonly maxFree: number
  private readonly free: Buffer[] = []

  /** Pieces of `pieceBytes` are kept, `maxBytes` of them at most. */
  constructor(pieceBytes: number, maxBytes: number) {
    this.pieceBytes = pieceBytes
    this.maxFree = Math.trunc(maxBytes / pieceBytes)
  }

  /** Memory with anything in it. */
  take(bytes: number): Buffer {
    if (bytes !== this.pieceBytes) return Buffer.allocUnsafe(bytes)
    return this.free.pop() ?? Buffer.allocUnsafeSlow(bytes)
  }

  /** Nobody reads or writes this memory any more, the socket included. */
  give(memory: Buffer): void {
    if (memory.length === this.pieceBytes && this.free.length < this.maxFree) this.free.push(memory)
  }
}
