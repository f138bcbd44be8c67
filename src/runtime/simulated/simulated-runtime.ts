import { pbkdf2Sync } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { onAbort, unlessAborted } from '../../util/abort-watch.ts'
import type { HttpRequest, HttpResponse, Network, Offload, Runtime } from '../runtime.ts'
import { seededRandom } from './random.ts'
import { type NetworkConditions, SimulatedNetwork } from './simulated-network.ts'
import { Trace } from './trace.ts'
import { VirtualClock } from './virtual-clock.ts'

export interface SimulationOptions {
  /** Everything that is left to chance comes from it: same seed, same program, same trace. Default 1. */
  readonly seed?: number
  /** The wall clock at the start, in milliseconds since the epoch. Default 2026-01-01T00:00:00Z. */
  readonly epochMs?: number
  readonly network?: Partial<NetworkConditions>
  /** Entries of the trace that are kept; its hash covers all. Default 10,000. */
  readonly maxTraceEntries?: number
}

const NEW_YEAR_2026 = 1_767_225_600_000
/** Longer runs need saying so: a program that waits for something that never comes should fail, not spin. */
const DEFAULT_LIMIT_MS = 24 * 3_600_000

/**
 * A world in one process: virtual time, a network of hosts, chance from one seed. Programs under it run only while
 * `run`, `advance` or `settle` does, so a simulated day takes as long as the work in it.
 */
export class SimulatedRuntime implements Runtime {
  readonly clock: VirtualClock
  /** Seen from the host `client`; `on(host)` gives others. */
  readonly network: Network
  /** The whole network: faults, names, conditions. */
  readonly hosts: SimulatedNetwork
  readonly trace: Trace
  readonly random: () => number
  readonly secureRandom: (size: number) => Uint8Array
  readonly offload: Offload = {
    run: async job => job.inline(),
    loaded: module => this.clock.hold(module),
    pbkdf2: async (password, salt, iterations, keyBytes, digest) => pbkdf2Sync(password, salt, iterations, keyBytes, digest),
  }
  /** What answers `http`, by URL without its query. A URL that is not in here is refused. */
  readonly endpoints = new Map<string, (request: HttpRequest) => HttpResponse | Promise<HttpResponse>>()

  constructor({ seed = 1, epochMs = NEW_YEAR_2026, network = {}, maxTraceEntries = 10_000 }: SimulationOptions = {}) {
    this.clock = new VirtualClock(epochMs)
    this.trace = new Trace(maxTraceEntries)
    this.random = seededRandom(seed)
    const bytes = seededRandom(seed ^ 0x5f3759df)
    this.secureRandom = size => Uint8Array.from({ length: size }, () => Math.floor(bytes() * 256))
    // Streams of chance of their own: a program that draws one number more does not change the weather.
    this.hosts = new SimulatedNetwork(this.clock, seededRandom(seed ^ 0x2545f491), this.trace, network)
    this.network = this.hosts.on('client')
  }

  /** The same world, for a program that runs on another host of its network. */
  on(host: string): Runtime {
    const { clock, random, secureRandom, offload, http } = this
    return { clock, random, secureRandom, offload, http, network: this.hosts.on(host) }
  }

  http = async (request: HttpRequest): Promise<HttpResponse> => {
    const { clock } = this
    const { signal, timeoutMs } = request
    const over = new AbortController()
    const timer = clock.setTimer(timeoutMs, () => over.abort(new Error('The operation was aborted due to timeout')))
    const unlisten = signal && onAbort(signal, () => over.abort(signal.reason))
    try {
      const there = clock.monotonic() + 2 * this.hosts.conditions.latencyMs
      await unlessAborted(new Promise<void>(resolve => void clock.at(there, resolve)), over.signal)
      return await unlessAborted(this.answer(request), over.signal)
    } finally {
      timer.cancel()
      unlisten?.()
    }
  }

  private async answer(request: HttpRequest): Promise<HttpResponse> {
    const url = request.url.split('?')[0]!
    const note = (what: string) => this.trace.add(this.clock.monotonic(), `http ${what}`)
    note(`${request.method ?? 'GET'} ${url} ${crc32(request.url + request.body).toString(16)}`)
    const endpoint = this.endpoints.get(url)
    if (!endpoint) throw new Error(`connect ECONNREFUSED ${url}`)
    const response = await endpoint(request)
    note(`${response.status} ${url} ${crc32(response.body).toString(16)}`)
    return response
  }

  /**
   * Runs the world until the promise settles, and settles likewise. Rejects when nothing is left that could settle it, or
   * after `limitMs` of virtual time (default a day).
   */
  async run<T>(start: () => T | PromiseLike<T>, { limitMs = DEFAULT_LIMIT_MS }: { limitMs?: number } = {}): Promise<T> {
    let settled = false
    const result = Promise.resolve().then(start)
    const done = () => {
      settled = true
    }
    result.then(done, done)
    const limit = this.clock.monotonic() + limitMs
    // Not `limit` itself: an empty queue has to be told from one that only has later events.
    const why = await this.clock.play(() => settled || this.clock.monotonic() >= limit, Number.POSITIVE_INFINITY)
    if (settled) return result
    result.catch(() => {})
    throw new Error(
      why === 'nothing left'
        ? `the simulation came to rest at ${this.clock.monotonic()} ms, and the promise is still pending`
        : `the promise is still pending after ${limitMs} ms of virtual time`,
    )
  }

  /** Lets `ms` of virtual time pass. */
  async advance(ms: number): Promise<void> {
    await this.clock.play(() => false, this.clock.monotonic() + ms)
  }

  /** Lets everything happen that is due at this very moment. */
  async settle(): Promise<void> {
    await this.advance(0)
  }
}
