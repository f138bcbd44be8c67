import { instantiate } from '../../../util/wasm.ts'
import { littleEndian } from '../int64.ts'
import { WASM } from './kernel-bytes.ts'

/** What kernel.as exports. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  reserve(bytes: number): number
  crc32c(crc: number, size: number): number
  index(from: number, size: number, count: number, rows: number, shift: number): number
}

/** Where kernel.as expects its input, and how much it may read behind the end. */
const INPUT = 12_288 + 209 * 16
const SLACK = 64
const ROW_BYTES = 32
/** A checksum alone is taken in pieces of this size, so that memory stays small and in the cache. */
const PIECE_BYTES = 64 * 1024
/** Larger batches are left to TypeScript: wasm memory never shrinks. */
const MOST_BYTES = 16 * 1024 * 1024

/** Up to here a loop beats the call into TypedArray.prototype.set, which needs a view to copy from. */
const FEW_WORDS = 256

/** The wasm kernel behind plain calls: bytes are copied into its memory, the index is copied out. */
export class Kernel {
  private readonly exports: Exports
  private bytes: Uint8Array
  private words: Int32Array
  /** The checksum that the last `scan` found. */
  crc = 0

  constructor(exports: Exports) {
    this.exports = exports
    this.bytes = new Uint8Array(exports.memory.buffer)
    this.words = new Int32Array(exports.memory.buffer)
  }

  crc32c(bytes: Uint8Array, start: number, end: number): number {
    let crc = -1
    for (let at = start; at < end; at += PIECE_BYTES) {
      const size = Math.min(PIECE_BYTES, end - at)
      this.copyIn(bytes, at, size)
      crc = this.exports.crc32c(crc, size)
    }
    return ~crc >>> 0
  }

  /** Makes room for `scan` with so many records in so many bytes; false where there is none. */
  takes(bytes: number, count: number): boolean {
    const wanted = bytes + SLACK + 16 + count * ROW_BYTES
    return wanted <= MOST_BYTES && this.reserve(wanted)
  }

  /**
   * After `takes`: indexes `count` records in `bytes[start, end)` into `rows` from `base` on, and, where `crcStart` is not negative, leaves the
   * checksum of `bytes[crcStart, end)` in `crc`. False when the bytes are not exactly that many well-formed records.
   */
  scan(bytes: Uint8Array, crcStart: number, start: number, end: number, count: number, rows: Int32Array, base: number): boolean {
    const from = crcStart < 0 ? start : crcStart
    const size = end - from
    const rowsAt = (INPUT + size + SLACK + 15) & -16
    this.copyIn(bytes, from, size)
    // In this order: taking the checksum destroys the bytes.
    const wellFormed = this.exports.index(start - from, size, count, rowsAt, from) === 0
    if (crcStart >= 0) this.crc = ~this.exports.crc32c(-1, size) >>> 0
    const first = rowsAt >>> 2
    const words = count * (ROW_BYTES >>> 2)
    if (words <= FEW_WORDS) for (let i = 0; i < words; i++) rows[base + i] = this.words[first + i]!
    else rows.set(this.words.subarray(first, first + words), base)
    return wellFormed
  }

  private copyIn(bytes: Uint8Array, start: number, size: number): void {
    this.bytes.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, size), INPUT)
  }
  reserve(bytes: number): boolean {
    if (INPUT + bytes <= this.bytes.length) return true
    if (!this.exports.reserve(bytes)) return false
    this.bytes = new Uint8Array(this.exports.memory.buffer)
    this.words = new Int32Array(this.exports.memory.buffer)
    return true
  }
}

let loaded: Kernel | null | undefined

/** The kernel, made on first use; null where there can be none: TypeScript does it all then. */
export function kernel(): Kernel | null {
  if (loaded === undefined) {
    // The index is read as words, in the order of the machine.
    const exports = littleEndian ? instantiate<Exports>(WASM) : null
    const made = exports && new Kernel(exports)
    loaded = made?.reserve(PIECE_BYTES) ? made : null
  }
  return loaded
}
