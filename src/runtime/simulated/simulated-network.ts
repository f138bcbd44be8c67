import { addressText } from '../../util/address.ts'
import type { Listener, ListenOptions, Network, Sink, Target, Transport } from '../runtime.ts'
import { SimulatedTransport } from './simulated-transport.ts'
import type { Trace } from './trace.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** How the network behaves; changes count from the next byte on. */
export interface NetworkConditions {
  /** One way. */
  latencyMs: number
  /** Added to the latency of each segment: evenly spread between 0 and this. Segments never overtake one another. */
  jitterMs: number
  /** Per direction of a connection; Infinity for no limit. */
  bytesPerMs: number
  /** How likely a written chunk arrives in pieces, cut at random places. */
  splitChance: number
  /** Each connection breaks at an age between these two, in milliseconds. */
  connectionLifeMs: readonly [min: number, max: number] | undefined
}

interface Listening {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly accept: (transport: Transport) => Sink
}

const FIRST_PORT = 20_000
const ANY_HOST = ['0.0.0.0', '::', '']

/**
 * A network of named hosts inside one process. `on(host)` is what a program on that host sees of it; partitions and
 * outages name hosts (`broker-1`) or listeners (`broker-1:9092`).
 */
export class SimulatedNetwork {
  readonly clock: VirtualClock
  readonly conditions: NetworkConditions
  /** Names and their addresses; a host that listens, or is an address, resolves to itself. */
  readonly names = new Map<string, readonly string[]>([['localhost', ['127.0.0.1']]])
  private readonly random: () => number
  private readonly trace: Trace
  private readonly listeners = new Map<string, Listening>()
  /** The dialling end of each open connection. */
  private readonly open = new Set<SimulatedTransport>()
  private readonly frozen = new Set<SimulatedTransport>()
  private readonly partitions: (readonly [string, string])[] = []
  private ports = FIRST_PORT
  private connections = 0

  constructor(clock: VirtualClock, random: () => number, trace: Trace, conditions: Partial<NetworkConditions>) {
    this.clock = clock
    this.random = random
    this.trace = trace
    this.conditions = {
      latencyMs: 0.2,
      jitterMs: 0,
      bytesPerMs: Number.POSITIVE_INFINITY,
      splitChance: 0,
      connectionLifeMs: undefined,
      ...conditions,
    }
  }

  /** Connections that are open on at least one side. */
  get openConnections(): number {
    return this.open.size
  }

  /** The network as seen from a host. */
  on(host: string): Network {
    return {
      resolve: name => this.resolve(name),
      dial: (target, sink, signal) => this.dial(host, target, sink, signal),
      listen: (options, accept) => this.listen(options, accept),
    }
  }

  /** Nothing passes between the two any more, and nothing is lost: it arrives when they are joined again. `*` is everybody. */
  partition(a: string, b = '*'): void {
    this.note(`partition ${a} ${b}`)
    this.partitions.push([a, b])
  }

  /** Ends one partition, or all. */
  heal(a?: string, b = '*'): void {
    this.note(`heal ${a ?? 'all'} ${b}`)
    for (let i = this.partitions.length - 1; i >= 0; i--) {
      const pair = this.partitions[i]!
      if (a === undefined || (pair[0] === a && pair[1] === b)) this.partitions.splice(i, 1)
    }
    for (const transport of this.open) {
      transport.poke()
      transport.peer.poke()
    }
  }

  /** Breaks all open connections of a host or listener: both ends see a reset. Returns how many. */
  reset(place = '*'): number {
    const broken = [...this.open].filter(transport => this.concerns(transport, place))
    this.note(`reset ${place}`)
    for (const transport of broken) transport.reset()
    return broken.length
  }

  /** Makes all open connections of a host or listener half open: neither end hears from the other again, nor of its end. */
  halfOpen(place = '*'): number {
    const dead = [...this.open].filter(transport => this.concerns(transport, place))
    this.note(`half-open ${place}`)
    for (const transport of dead) {
      this.frozen.add(transport)
      this.frozen.add(transport.peer)
    }
    return dead.length
  }

  // ---- for transports

  note(what: string): void {
    this.trace.add(this.clock.monotonic(), what)
  }

  /** When the next segment of a direction arrives, given when the one before it does. */
  arrival(previous: number, size: number): number {
    const { latencyMs, jitterMs, bytesPerMs } = this.conditions
    const delay = latencyMs + (jitterMs > 0 ? jitterMs * this.random() : 0)
    return Math.max(this.clock.monotonic() + delay, previous) + size / bytesPerMs
  }

  pieces(chunk: Uint8Array): Uint8Array[] {
    const { splitChance } = this.conditions
    const pieces: Uint8Array[] = []
    let rest = chunk
    while (rest.length > 1 && splitChance > 0 && this.random() < splitChance) {
      const at = 1 + Math.floor(this.random() * (rest.length - 1))
      pieces.push(rest.subarray(0, at))
      rest = rest.subarray(at)
    }
    pieces.push(rest)
    return pieces
  }

  passes(transport: SimulatedTransport): boolean {
    return !this.frozen.has(transport) && !this.cut(transport.local.host, transport.remote.host, portOf(transport))
  }

  ended(transport: SimulatedTransport): void {
    this.frozen.delete(transport)
    if (!transport.isOver || !transport.peer.isOver) return
    this.open.delete(transport)
    this.open.delete(transport.peer)
  }

  // ---- what programs see

  private async resolve(name: string): Promise<readonly string[]> {
    await this.pass()
    const known = this.names.get(name)
    if (known) return known
    if (/^[\d.]+$|:/.test(name) || [...this.listeners.values()].some(({ host }) => host === name)) return [name]
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' })
  }

  private dial(from: string, { address, port, tls }: Target, sink: Sink, signal?: AbortSignal): Promise<Transport> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      let waiting = true
      const aborted = () => {
        waiting = false
        reject(signal!.reason)
      }
      signal?.addEventListener('abort', aborted, { once: true })
      const attempt = () => {
        if (!waiting) return
        // As the packets of a real one: tried again until somebody gives up.
        if (this.cut(from, address, port)) return void this.clock.setTimer(100, attempt)
        waiting = false
        signal?.removeEventListener('abort', aborted)
        const listening = this.listening(address, port)
        if (!listening)
          return reject(
            Object.assign(new Error(`connect ECONNREFUSED ${addressText({ host: address, port })}`), { code: 'ECONNREFUSED' }),
          )
        if (listening.tls !== (tls !== undefined))
          return reject(Object.assign(new Error('wrong version number'), { code: 'EPROTO' }))
        resolve(this.connect(from, address, listening, sink))
      }
      this.clock.at(this.arrival(0, 0) + this.conditions.latencyMs, attempt)
    })
  }

  private connect(from: string, address: string, listening: Listening, sink: Sink): Transport {
    const id = `#${++this.connections}`
    const here = { host: from, port: 50_000 + (this.connections % 15_000) }
    const there = { host: address, port: listening.port }
    const near = new SimulatedTransport(this, `${id}<`, here, there)
    const far = new SimulatedTransport(this, `${id}>`, there, here)
    near.peer = far
    far.peer = near
    near.sink = sink
    this.open.add(near)
    this.note(`${id} open ${from} -> ${addressText(there)}`)
    far.sink = listening.accept(far)
    const life = this.conditions.connectionLifeMs
    if (life) {
      this.clock.at(this.clock.monotonic() + life[0] + this.random() * (life[1] - life[0]), () => {
        if (!near.isOver || !far.isOver) near.reset()
      })
    }
    return near
  }

  private async listen({ host, port, tls }: ListenOptions, accept: (transport: Transport) => Sink): Promise<Listener> {
    const actual = port || ++this.ports
    const key = addressText({ host, port: actual })
    if (this.listeners.has(key)) throw Object.assign(new Error(`listen EADDRINUSE ${key}`), { code: 'EADDRINUSE' })
    this.listeners.set(key, { host, port: actual, tls: tls !== undefined, accept })
    this.note(`listen ${key}`)
    await this.pass()
    return {
      host,
      port: actual,
      close: async () => {
        if (this.listeners.delete(key)) this.note(`unlisten ${key}`)
        await this.pass()
      },
    }
  }

  private pass(): Promise<void> {
    return new Promise(resolve => this.clock.soon(resolve))
  }

  private listening(address: string, port: number): Listening | undefined {
    for (const host of [address, ...ANY_HOST]) {
      const found = this.listeners.get(addressText({ host, port }))
      if (found) return found
    }
    return undefined
  }

  private cut(a: string, b: string, port: number): boolean {
    if (this.partitions.length === 0) return false
    const names = (place: string, host: string) => place === '*' || place === host
    const listener = (place: string) => [a, b].some(host => place === addressText({ host, port }))
    return this.partitions.some(
      ([x, y]) =>
        (names(x, a) && names(y, b)) ||
        (names(x, b) && names(y, a)) ||
        (listener(x) && (names(y, a) || names(y, b))) ||
        (listener(y) && (names(x, a) || names(x, b))),
    )
  }

  private concerns({ local, remote }: Transport, place: string): boolean {
    return [local, remote].some(end => place === '*' || place === end.host || place === addressText(end))
  }
}

/** The port that the listener of a connection has. */
const portOf = ({ id, local, remote }: SimulatedTransport) => (id.endsWith('>') ? local.port : remote.port)
