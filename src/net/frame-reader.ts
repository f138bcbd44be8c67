import { ProtocolError } from '../errors.ts'
import type { Sink } from '../runtime/runtime.ts'
import { foreignPeer } from './foreign-peer.ts'

/** One frame as it was received, without its length prefix. */
export interface Frame {
  readonly buffer: Buffer
  /**
   * Lets the connection overwrite `buffer` with a later frame. Only its last user may call it, once; whoever never calls it
   * leaves the memory to the garbage collector.
   */
  release(): void
}

export interface FrameHandler {
  /** Called in order of arrival. Returning false holds back the following frames until `resume()`. */
  frame(frame: Frame): boolean
  /** The stream cannot be read any further: nothing more is delivered. */
  failed(error: ProtocolError): void
  drained(): void
  closed(error?: Error): void
}

/** Size of the first slab; each further one is twice as large, up to SLAB_BYTES: most connections read little. */
const FIRST_SLAB_BYTES = 2 << 10
/**
 * Memory that frames smaller than itself are read into side by side. One read fills at most this much, which also bounds
 * how many small frames are delivered in one go, and how much of a large frame has to be moved.
 */
const SLAB_BYTES = 16 << 10
/** With less room than this at its end, a slab that holds no unfinished frame is given up for a fresh one. */
const MIN_READ_BYTES = 1 << 10
/** Released buffers kept for the frames to come: a fetch is consumed while the next one arrives. */
const MAX_SPARE = 2

/**
 * Cuts a byte stream into frames (an int32 length and that many bytes), in place: once the length of a large frame is
 * known, the transport writes straight into that frame's own memory (D3). Small frames are views of a slab that is
 * never written twice. Lengths above `maxBytes` are refused before anything is allocated for them.
 */
export class FrameReader implements Sink {
  maxBytes: number
  private readonly handler: FrameHandler
  private slab = Buffer.alloc(0)
  private slabBytes = 0
  /** The slab's bytes from `start` to `end` are received and not delivered yet. */
  private start = 0
  private end = 0
  private large: Buffer | undefined
  private largeEnd = 0
  private spare: Buffer[] = []
  private state: 'reading' | 'held' | 'over' = 'reading'
  private delivering = false
  /** What `space()` gave last, and whether the next bytes no longer belong there. */
  private granted: Uint8Array = this.slab
  private elsewhere = false

  constructor(handler: FrameHandler, maxBytes: number) {
    this.handler = handler
    this.maxBytes = maxBytes
  }

  /** Bytes of an unfinished frame that have arrived. */
  get pendingBytes(): number {
    return this.large ? this.largeEnd : this.end - this.start
  }

  space(): Uint8Array {
    this.elsewhere = false
    this.granted = this.place()
    return this.granted
  }

  filled(n: number): void {
    if (this.state === 'over') return
    if (!this.elsewhere) return this.advance(n)
    // A socket asks for space in advance; a resume() since then has moved on.
    this.elsewhere = false
    const bytes = this.granted.subarray(0, n)
    for (let from = 0; from < n && !this.isOver; ) {
      const place = this.place()
      const size = Math.min(place.length, n - from)
      place.set(bytes.subarray(from, from + size))
      from += size
      this.advance(size)
    }
  }

  /** Where the next bytes belong. */
  private place(): Uint8Array {
    if (this.large && this.state !== 'over') return this.large.subarray(this.largeEnd)
    if (this.slab.length - this.end < (this.start === this.end ? MIN_READ_BYTES : 1)) this.renewSlab()
    return this.slab.subarray(this.end)
  }

  private get isOver(): boolean {
    return this.state === 'over'
  }

  private advance(n: number): void {
    if (this.large) {
      this.largeEnd += n
      if (this.largeEnd < this.large.length) return
      const frame = new LargeFrame(this.large, this)
      this.large = undefined
      if (!this.handler.frame(frame)) this.hold()
      return
    }
    this.end += n
    this.deliver()
  }

  /** Goes on after a `frame()` that returned false. */
  resume(): void {
    if (this.state !== 'held') return
    this.state = 'reading'
    const { slab, large } = this
    this.deliver()
    if (this.slab !== slab || this.large !== large) this.elsewhere = true
  }

  drained(): void {
    this.handler.drained()
  }

  closed(error?: Error): void {
    this.state = 'over'
    this.handler.closed(error)
  }

  /** Ends the reading: what arrives from now on is ignored. */
  stop(): void {
    this.state = 'over'
    this.large = undefined
    this.spare = []
    this.start = this.end = 0
  }

  /** @internal */
  recycle(buffer: Buffer): void {
    if (this.state === 'over') return
    this.spare.push(buffer)
    // The next frame is likelier to be as large as the latest ones than as the first.
    if (this.spare.length > MAX_SPARE) this.spare.shift()
  }

  private deliver(): void {
    // A handler may resume() from within frame().
    if (this.delivering) return
    this.delivering = true
    while (this.state === 'reading' && this.end - this.start >= 4) {
      const { slab, start } = this
      const length = slab.readInt32BE(start)
      if (length < 0 || length > this.maxBytes) {
        const received = slab.subarray(start, this.end)
        this.stop()
        this.handler.failed(badLength(length, this.maxBytes, received))
        break
      }
      const next = start + 4 + length
      if (next <= this.end) {
        this.start = next
        if (!this.handler.frame({ buffer: slab.subarray(start + 4, next), release: nothing })) this.hold()
      } else {
        if (next > slab.length) this.moveOut(length)
        break
      }
    }
    this.delivering = false
  }

  private hold(): void {
    if (this.state === 'reading') this.state = 'held'
  }

  /** The frame that has begun does not fit in the slab: it gets memory of its own. */
  private moveOut(length: number): void {
    if (4 + length <= SLAB_BYTES) {
      this.renewSlab(4 + length)
      return
    }
    const large = this.takeBuffer(length)
    this.largeEnd = this.slab.copy(large, 0, this.start + 4, this.end)
    this.large = large
    this.start = this.end
  }

  private takeBuffer(length: number): Buffer {
    // Not one much larger: the memory budgets above count frames by their length.
    const index = this.spare.findIndex(({ length: size }) => size >= length && size <= 2 * length)
    if (index < 0) return Buffer.allocUnsafeSlow(length)
    const [buffer] = this.spare.splice(index, 1)
    return buffer!.subarray(0, length)
  }

  /** A fresh slab with what was left in the old one, whose frames may still be in use. */
  private renewSlab(room = 0): void {
    const left = this.end - this.start
    this.slabBytes = Math.min(SLAB_BYTES, this.slab.length === 0 ? FIRST_SLAB_BYTES : 2 * this.slabBytes)
    const size = Math.max(this.slabBytes, room, 2 * left)
    // Node's pool is cheaper for what most connections never fill.
    const slab = size <= FIRST_SLAB_BYTES ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size)
    this.slab.copy(slab, 0, this.start, this.end)
    this.slab = slab
    this.start = 0
    this.end = left
  }
}

const MIB = 1 << 20
const nothing = () => {}

class LargeFrame implements Frame {
  readonly buffer: Buffer
  private reader: FrameReader | undefined

  constructor(buffer: Buffer, reader: FrameReader) {
    this.buffer = buffer
    this.reader = reader
  }

  release(): void {
    const { reader } = this
    this.reader = undefined
    // The whole allocation, of which this frame may have used a part.
    reader?.recycle(Buffer.from(this.buffer.buffer, 0, this.buffer.buffer.byteLength))
  }
}

/** Says nothing that the bytes could be read back from: a peer may echo a password, and a length is four bytes of it. */
function badLength(length: number, maxBytes: number, received: Buffer): ProtocolError {
  const foreign = foreignPeer(received)
  if (foreign) return new ProtocolError(foreign)
  const check = 'check that a Kafka broker listens on that port'
  if (length < 0) return new ProtocolError(`the peer announces a frame of negative length: ${check}`)
  const first = length >>> 24
  if (first >= 0x20 && first < 0x7f) return new ProtocolError(`what the peer sends looks like text, not like a frame: ${check}`)
  return new ProtocolError(
    `the peer announces a frame of about ${Math.ceil(length / MIB)} MiB, more than the ${maxBytes} bytes allowed: ${check}, or raise the limit`,
  )
}
