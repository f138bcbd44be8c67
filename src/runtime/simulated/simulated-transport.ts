import { crc32 } from 'node:zlib'
import type { Sink, Transport } from '../runtime.ts'
import type { SimulatedNetwork } from './simulated-network.ts'

interface Place {
  readonly host: string
  readonly port: number
}

interface Segment {
  readonly at: number
  readonly bytes: Uint8Array
}

/** Bytes on their way that make a sender wait. */
const WINDOW_BYTES = 1 << 20

/** One end of a simulated connection. What it writes arrives at `peer`, in order, after the network's delays. */
export class SimulatedTransport implements Transport {
  readonly remote: Place
  readonly local: Place
  readonly id: string
  peer!: SimulatedTransport
  sink!: Sink
  private readonly network: SimulatedNetwork
  /** Segments on their way to this end. */
  private incoming: Segment[] = []
  private incomingBytes = 0
  private lastArrival = 0
  private finAt = -1
  private paused = false
  private clogged = false
  private closing = false
  private over = false
  private delivering = false

  constructor(network: SimulatedNetwork, id: string, local: Place, remote: Place) {
    this.network = network
    this.id = id
    this.local = local
    this.remote = remote
  }

  get unflushedBytes(): number {
    return this.peer.incomingBytes
  }

  get isOver(): boolean {
    return this.over
  }

  write(chunks: readonly Uint8Array[]): boolean {
    if (this.closing || this.over) return true
    for (const chunk of chunks) if (chunk.length > 0) this.peer.expect(chunk)
    this.clogged = this.peer.incomingBytes > WINDOW_BYTES
    return !this.clogged
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.network.clock.soon(() => this.deliver())
  }

  close(): void {
    if (this.closing || this.over) return
    this.closing = true
    this.flushed()
  }

  destroy(error?: Error): void {
    if (this.over) return
    this.closing = true
    this.peer.fin()
    this.end(error)
  }

  setReferenced(): void {}

  /** The connection breaks: both ends find out at once. */
  reset(): void {
    for (const end of [this, this.peer]) end.end(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  }

  /** The network lets bytes through again. */
  poke(): void {
    this.network.clock.soon(() => this.deliver())
  }

  private expect(chunk: Uint8Array): void {
    if (this.over) return
    const { network } = this
    for (const bytes of network.pieces(chunk)) {
      this.lastArrival = network.arrival(this.lastArrival, bytes.length)
      this.incoming.push({ at: this.lastArrival, bytes })
      this.incomingBytes += bytes.length
      network.clock.at(this.lastArrival, () => this.deliver())
    }
  }

  /** The peer sends nothing more. */
  private fin(): void {
    if (this.over || this.finAt >= 0) return
    this.finAt = this.lastArrival = this.network.arrival(this.lastArrival, 0)
    this.network.clock.at(this.finAt, () => this.deliver())
  }

  /** Hands over everything that has arrived by now: several segments may make one read, as on a real socket. */
  private deliver(): void {
    if (this.over || this.paused || this.delivering || !this.network.passes(this)) return
    this.delivering = true
    const now = this.network.clock.monotonic()
    let read = 0
    let checksum = 0
    let arrived = 0
    while (arrived < this.incoming.length && this.incoming[arrived]!.at <= now && !this.over && !this.paused) {
      let { bytes } = this.incoming[arrived]!
      this.incomingBytes -= bytes.length
      read += bytes.length
      checksum = crc32(bytes, checksum)
      arrived++
      while (bytes.length > 0 && !this.over) {
        const space = this.sink.space()
        const n = Math.min(space.length, bytes.length)
        space.set(bytes.subarray(0, n))
        bytes = bytes.subarray(n)
        this.sink.filled(n)
      }
    }
    this.incoming.splice(0, arrived)
    this.delivering = false
    if (read > 0) this.network.note(`${this.id} received ${read} ${checksum.toString(16)}`)
    this.peer.room()
    if (this.finAt >= 0 && this.finAt <= now && this.incoming.length === 0) this.end(undefined)
  }

  /** The peer took bytes. */
  private room(): void {
    if (this.over) return
    if (this.closing) return this.flushed()
    if (!this.clogged || this.peer.incomingBytes > WINDOW_BYTES / 2) return
    this.clogged = false
    this.network.clock.soon(() => {
      if (!this.over) this.sink.drained()
    })
  }

  /** After `close()`: ends once what was written is in the peer's hands, or at least in the kernel's. */
  private flushed(): void {
    if (this.peer.incomingBytes > WINDOW_BYTES) return
    this.peer.fin()
    this.end(undefined)
  }

  private end(error: Error | undefined): void {
    if (this.over) return
    this.over = true
    this.incoming = []
    this.network.ended(this)
    this.network.clock.soon(() => {
      this.network.note(`${this.id} closed${error ? ` ${error.message}` : ''}`)
      this.sink.closed(error)
    })
  }
}
