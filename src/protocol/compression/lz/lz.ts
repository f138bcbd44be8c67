import { KafkaError } from '../../../errors.ts'
import { instantiate } from '../../../util/wasm.ts'
import { type Job, jobOf } from '../codec.ts'
import { WASM } from './lz-bytes.ts'

/** What lz.as exports. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  reserve(end: number): number
  lz4Decompress(at: number, size: number, to: number, limit: number, first: number): number
  snappyDecompress(at: number, end: number, rest: number, to: number, pause: number, limit: number, first: number): number
  readonly next: { readonly value: number }
  readonly literal: { readonly value: number }
  compress(at: number, size: number, to: number, snappy: number, attempts: number): number
  xxh32Lanes(at: number, size: number, first: number): void
  xxh32(at: number, size: number): number
}

/** Where lz.as leaves room for data, and how much around it must be free. */
const DATA = (1 << 14) + 0x20000
const SLACK = 16
/** Most that `compress` takes at a time. */
export const BLOCK_BYTES = 64 * 1024
/** Memory of an instance never shrinks, so one that grew past this is dropped. */
const KEPT_BYTES = 16 * 1024 * 1024
/** How much is copied, or taken apart, at once. */
const STEP_BYTES = 512 * 1024

/**
 * One pass over an input: it lies in the memory of the wasm module, and the output grows behind it. What may take long is a
 * generator that yields now and then.
 */
export class LzPass {
  private readonly exports: Exports
  private bytes: Uint8Array
  private readonly input: number
  private readonly first: number
  private to: number

  constructor(exports: Exports, inputBytes: number) {
    this.exports = exports
    this.bytes = new Uint8Array(exports.memory.buffer)
    this.input = DATA
    this.first = this.to = DATA + inputBytes + SLACK
    this.reserve(this.to)
  }

  /** Brings the input in. */
  *take(input: Uint8Array): Generator<void, void> {
    for (let at = 0; at < input.length; at += STEP_BYTES) {
      if (at > 0) yield
      this.bytes.set(input.subarray(at, at + STEP_BYTES), this.input + at)
    }
  }

  /** Bytes of output so far. */
  get size(): number {
    return this.to - this.first
  }

  /**
   * Decompresses the LZ4 block `input[at, at + size)`, to at most `room` bytes; false where it has more.
   * @throws RangeError for a damaged block.
   */
  lz4(at: number, size: number, room: number): boolean {
    this.reserve(this.to + room)
    const { to } = this
    return this.reached(this.exports.lz4Decompress(this.input + at, size, to, to + room, this.first), at)
  }
  /** The same for a Snappy block without its preamble. */
  *snappy(at: number, size: number, room: number): Generator<void, boolean> {
    this.reserve(this.to + room)
    const { exports, to: first } = this
    const end = this.input + at + size
    for (let next = this.input + at, literal = 0; ; yield) {
      const pause = Math.min(this.to + STEP_BYTES, first + room)
      if (!this.reached(exports.snappyDecompress(next, end, literal, this.to, pause, first + room, first), at)) return false
      next = exports.next.value
      literal = exports.literal.value
      if (next === end && literal === 0) return true
      if (this.to === first + room) return false
    }
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
    return this.hash(this.first + place, size)
  }
  /** xxHash32 of input. */
  inputHash(at: number, size: number): number {
    return this.hash(this.input + at, size)
  }
  /** xxHash32 of all the output. */
  *contentHash(): Generator<void, number> {
    const { exports, first, size } = this
    for (let at = 0; at < size; at += STEP_BYTES) {
      if (at > 0) yield
      exports.xxh32Lanes(first + at, Math.min(STEP_BYTES, size - at), at === 0 ? 1 : 0)
    }
    return exports.xxh32(first, size) >>> 0
  }
  /** The output, copied out. */
  *output(): Generator<void, Buffer> {
    const output = Buffer.allocUnsafeSlow(this.size)
    for (let at = 0; at < output.length; at += STEP_BYTES) {
      if (at > 0) yield
      output.set(this.bytes.subarray(this.first + at, Math.min(this.first + at + STEP_BYTES, this.to)), at)
    }
    return output
  }

  private hash(at: number, size: number): number {
    this.exports.xxh32Lanes(at, size, 1)
    return this.exports.xxh32(at, size) >>> 0
  }
  /** Takes over what a decompressor answers. */
  private reached(end: number, at: number): boolean {
    if (end === -1) throw new RangeError(`the block at ${at} is damaged`)
    if (end < 0) return false
    this.to = end
    return true
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

/** What is done with an input, as a pass over it. */
type Work<T> = (pass: LzPass) => Generator<void, T, void>

/** A pass that gives way now and then. The module is made on first use. */
function* steps<T>(input: Uint8Array, work: Work<T>): Generator<void, T, void> {
  const exports = spare ?? instantiate<Exports>(WASM)
  spare = undefined
  if (!exports) throw new KafkaError('ERR_MISSING_CODEC', 'lz4 and snappy need WebAssembly with SIMD: run Node without --jitless')
  try {
    const pass = new LzPass(exports, input.length)
    yield* pass.take(input)
    return yield* work(pass)
  } finally {
    if (exports.memory.buffer.byteLength <= KEPT_BYTES) spare = exports
  }
}

/** Runs `work` on an input. */
export const lzJob = <T>(input: Uint8Array, work: Work<T>): Job<T> => jobOf(() => steps(input, work))
