import { KafkaError } from '../../../errors.ts'
import { instantiate } from '../../../util/wasm.ts'
import { type Job, jobOf } from '../codec.ts'
import { WASM } from './lz-bytes.ts'

/** What lz.as exports. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  reserve(end: number): number
  lz4Decompress(at: number, size: number, to: number, limit: number, first: number): number
  snappyDecompress(at: number, size: number, to: number, limit: number, first: number): number
  compress(at: number, size: number, to: number, snappy: number, attempts: number): number
  xxh32(at: number, size: number): number
}

/** Where lz.as leaves room for data, and how much around it must be free. */
const DATA = (1 << 14) + 0x20000
const SLACK = 16
/** Most that `compress` takes at a time. */
export const BLOCK_BYTES = 64 * 1024
/** Memory of an instance never shrinks, so one that grew past this is dropped. */
const KEPT_BYTES = 16 * 1024 * 1024

/** One pass over an input: it lies in the memory of the wasm module, and the output grows behind it. */
export class LzPass {
  private readonly exports: Exports
  private bytes: Uint8Array
  private readonly input: number
  private readonly first: number
  private to: number

  constructor(exports: Exports, input: Uint8Array) {
    this.exports = exports
    this.bytes = new Uint8Array(exports.memory.buffer)
    this.input = DATA
    this.first = this.to = DATA + input.length + SLACK
    this.reserve(this.to)
    this.bytes.set(input, DATA)
  }

  /** Bytes of output so far. */
  get size(): number {
    return this.to - this.first
  }

  /**
   * Decompresses the block `input[at, at + size)`, to at most `room` bytes; false where it has more.
   * @throws RangeError for a damaged block.
   */
  decompress(format: 'lz4' | 'snappy', at: number, size: number, room: number): boolean {
    this.reserve(this.to + room)
    const { exports, to } = this
    const end =
      format === 'lz4'
        ? exports.lz4Decompress(this.input + at, size, to, to + room, this.first)
        : exports.snappyDecompress(this.input + at, size, to, to + room, to)
    if (end === -1) throw new RangeError(`the block of ${size} bytes at ${at} is damaged`)
    if (end < 0) return false
    this.to = end
    return true
  }
  /** Compresses `input[at, at + size)`, size ≤ BLOCK_BYTES; returns how many bytes that took. */
  compress(format: 'lz4' | 'snappy', at: number, size: number, attempts: number): number {
    this.reserve(this.to + size + (size >>> 2) + 64)
    const start = this.to
    this.to = this.exports.compress(this.input + at, size, start, format === 'lz4' ? 0 : 1, attempts)
    return this.to - start
  }
  /** Takes back the last `size` bytes of output. */
  retract(size: number): void {
    this.to -= size
  }
  /** Appends bytes of the input as they are. */
  literal(at: number, size: number): void {
    this.reserve(this.to + size)
    this.bytes.copyWithin(this.to, this.input + at, this.input + at + size)
    this.to += size
  }
  put(bytes: Uint8Array): void {
    this.reserve(this.to + bytes.length)
    this.bytes.set(bytes, this.to)
    this.to += bytes.length
  }
  /** Writes over output at `place`. */
  patch(place: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, this.first + place)
  }
  /** xxHash32 of `size` bytes of output from `place` on. */
  outputHash(place: number, size: number): number {
    return this.exports.xxh32(this.first + place, size) >>> 0
  }
  /** xxHash32 of input. */
  inputHash(at: number, size: number): number {
    return this.exports.xxh32(this.input + at, size) >>> 0
  }
  /** The output, copied out. */
  output(): Buffer {
    const output = Buffer.allocUnsafeSlow(this.size)
    output.set(this.bytes.subarray(this.first, this.to))
    return output
  }

  private reserve(end: number): void {
    if (end + SLACK <= this.bytes.length) return
    if (end + SLACK > 0x7fff_0000 || !this.exports.reserve(end + SLACK))
      throw new RangeError(`no ${end} bytes of wasm memory to be had`)
    this.bytes = new Uint8Array(this.exports.memory.buffer)
  }
}

/** An instance that no pass is using. Passes that run step by step overlap, so each has an instance of its own. */
let spare: Exports | undefined

/** A pass that gives way after each block. The module is made on first use. */
function* steps<T>(input: Uint8Array, work: (pass: LzPass) => Generator<void, T, void>): Generator<void, T, void> {
  const exports = spare ?? instantiate<Exports>(WASM)
  spare = undefined
  if (!exports) throw new KafkaError('ERR_MISSING_CODEC', 'lz4 and snappy need WebAssembly with SIMD: run Node without --jitless')
  try {
    return yield* work(new LzPass(exports, input))
  } finally {
    if (exports.memory.buffer.byteLength <= KEPT_BYTES) spare = exports
  }
}

/** The two forms of running `work`, which yields after each block, on an input. */
export function lzJob<T>(input: Uint8Array, work: (pass: LzPass) => Generator<void, T, void>): Job<T> {
  return jobOf(() => steps(input, work))
}
