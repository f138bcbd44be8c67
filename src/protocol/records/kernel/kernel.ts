import { instantiate } from '../../../util/wasm.ts'
import { littleEndian } from '../int64.ts'
import { LEAST_RECORD_BYTES } from '../layout.ts'
import { WASM } from './kernel-bytes.ts'

/** What kernel.as exports. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  reserve(bytes: number): number
  crc32c(crc: number, size: number): number
  index(from: number, size: number, count: number, rows: number, shift: number): number
  reached(): number
}

/** Where kernel.as expects its input, and how much it may read behind the end. */
const INPUT = 12_288 + 209 * 16
const SLACK = 64
const ROW_BYTES = 32
/** What is large is taken in pieces of this size, so that memory, which never shrinks, stays small and in the cache. */
export const PIECE_BYTES = 128 * 1024
const PIECE_ROWS = Math.floor(PIECE_BYTES / LEAST_RECORD_BYTES)
/** Where the index of a piece is put. */
const PIECE_ROWS_AT = rowsBehind(PIECE_BYTES)

/** Up to here a loop beats the call into TypedArray.prototype.set, which needs a view to copy from. */
const FEW_WORDS = 256

/** The wasm kernel behind plain calls: bytes are copied into its memory, the index is copied out. */
export class Kernel {
  private readonly exports: Exports
  private bytes: Uint8Array
  private words: Int32Array
  /** The checksum that `scan` found, or `piece` goes on with. */
  crc = 0
  /** What the last `piece` ended behind. */
  reached = 0

  constructor(exports: Exports) {
    this.exports = exports
    this.bytes = new Uint8Array(exports.memory.buffer)
    this.words = new Int32Array(exports.memory.buffer)
  }

  /** Goes on from the checksum of what came before. */
  crc32c(bytes: Uint8Array, start: number, end: number, before: number): number {
    let crc = ~before
    for (let at = start; at < end; at += PIECE_BYTES) {
      const size = Math.min(PIECE_BYTES, end - at)
      this.copyIn(bytes, at, size)
      crc = this.exports.crc32c(crc, size)
    }
    return ~crc >>> 0
  }

  /** Makes room for `scan` with so many records in so many bytes; false where there is none. */
  takes(bytes: number, count: number): boolean {
    return this.reserve(rowsBehind(bytes) + count * ROW_BYTES)
  }

  /**
   * After `takes`: indexes `count` records in `bytes[start, end)` into `rows` from `base` on, and, where `crcStart` is not negative, leaves the
   * checksum of `bytes[crcStart, end)` in `crc`. False when the bytes are not exactly that many well-formed records.
   */
  scan(bytes: Uint8Array, crcStart: number, start: number, end: number, count: number, rows: Int32Array, base: number): boolean {
    const from = crcStart < 0 ? start : crcStart
    const size = end - from
    const rowsAt = rowsBehind(size)
    this.copyIn(bytes, from, size)
    const wellFormed = this.exports.index(start - from, size, count, rowsAt, from) === count
    // In this order: taking the checksum destroys the bytes.
    if (crcStart >= 0) this.crc = ~this.exports.crc32c(-1, size) >>> 0
    this.copyRows(rowsAt, count, rows, base)
    return wellFormed
  }

  /**
   * Indexes as many records as one piece of `bytes[start, end)` holds, `count` at most, into `rows` from `base` on. Returns how
   * many there are before one that is not well-formed, or that ends in another piece; `reached` is where it starts, or what
   * follows the last. With `check`, goes on with the checksum in `crc` over all up to there.
   */
  piece(bytes: Uint8Array, start: number, end: number, count: number, rows: Int32Array, base: number, check: boolean): number {
    const size = Math.min(PIECE_BYTES, end - start)
    const most = Math.min(PIECE_ROWS, count)
    this.copyIn(bytes, start, size)
    const found = this.exports.index(0, size, most, PIECE_ROWS_AT, start)
    const whole = found < 0 ? most : found
    const used = this.exports.reached()
    this.reached = start + used
    if (check) this.crc = ~this.exports.crc32c(~this.crc, used) >>> 0
    this.copyRows(PIECE_ROWS_AT, whole, rows, base)
    return whole
  }

  private copyRows(rowsAt: number, count: number, rows: Int32Array, base: number): void {
    const first = rowsAt >>> 2
    const words = count * (ROW_BYTES >>> 2)
    if (words <= FEW_WORDS) for (let i = 0; i < words; i++) rows[base + i] = this.words[first + i]!
    else rows.set(this.words.subarray(first, first + words), base)
  }
  private copyIn(bytes: Uint8Array, start: number, size: number): void {
    this.bytes.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, size), INPUT)
  }
  /** Makes sure that there is memory up to this place. */
  private reserve(end: number): boolean {
    if (end <= this.bytes.length) return true
    if (!this.exports.reserve(end - INPUT)) return false
    this.bytes = new Uint8Array(this.exports.memory.buffer)
    this.words = new Int32Array(this.exports.memory.buffer)
    return true
  }
}

/** The place of the index behind so many bytes. */
function rowsBehind(bytes: number): number {
  return (INPUT + bytes + SLACK + 15) & -16
}

let loaded: Kernel | null | undefined

/** The kernel, made on first use; null where there can be none: TypeScript does it all then. */
export function kernel(): Kernel | null {
  if (loaded === undefined) {
    // The index is read as words, in the order of the machine.
    const exports = littleEndian ? instantiate<Exports>(WASM) : null
    const made = exports && new Kernel(exports)
    loaded = made?.takes(PIECE_BYTES, PIECE_ROWS) ? made : null
  }
  return loaded
}
