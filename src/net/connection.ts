import { ClosedError, ConnectionError, KafkaError, ProtocolError, type TimeoutError } from '../errors.ts'
import { ApiVersions } from '../protocol/apis/18-api-versions.ts'
import { decodeResponse, encodeRequest, peekCorrelationId } from '../protocol/frame.ts'
import type { Api, Decoded, Encodable } from '../protocol/schema.ts'
import type { Runtime, Timer, TlsOptions, Transport } from '../runtime/runtime.ts'
import { Deferred } from '../util/deferred.ts'
import type { Logger } from '../util/logger.ts'
import { type ConnectionState, NEXT_STATES } from './connection-state.ts'
import { dial } from './dialer.ts'
import { Exchange, type Expectation, type RequestOptions } from './exchange.ts'
import { Fifo } from './fifo.ts'
import { type Frame, FrameReader } from './frame-reader.ts'
import { type BrokerFeatures, negotiate } from './negotiation.ts'
import type { SaslAuthenticator } from './sasl/sasl.ts'
import { SessionKeeper } from './sasl/session-keeper.ts'
import { pickVersion, type VersionLimits, type VersionRange } from './version-range.ts'

export type { RequestOptions } from './exchange.ts'
export type { Frame } from './frame-reader.ts'

export interface ConnectionOptions {
  readonly host: string
  readonly port: number
  /** Sent with each request: for the broker's logs, metrics and quotas. */
  readonly clientId: string | null
  readonly tls?: TlsOptions | undefined
  readonly authenticator?: SaslAuthenticator | undefined
  /** For the name look-up and the dialling of all addresses, TLS handshake included (KIP-601). */
  readonly connectTimeoutMs: number
  /** For each request, those of the handshake included. */
  readonly requestTimeoutMs: number
  /** Longer answers are refused before memory is allocated for them. */
  readonly maxResponseBytes: number
  /** Requests sent and not answered; further ones wait. */
  readonly maxInFlight: number
  readonly logger: Logger
  /** Told to the broker, which refuses (REBOOTSTRAP_REQUIRED) when it is another one: KIP-1242. */
  readonly expected?: { readonly clusterId?: string | undefined; readonly nodeId?: number | undefined } | undefined
  readonly hooks?: ConnectionHooks | undefined
  /** Negotiate versions that Kafka may still change. */
  readonly unstableVersions?: boolean | undefined
}

/** Called synchronously. They get sizes and times, never contents. */
export interface ConnectionHooks {
  stateChanged?(from: ConnectionState, to: ConnectionState, error?: Error): void
  written?(event: {
    readonly api: string
    readonly version: number
    readonly bytes: number
    readonly correlationId: number
  }): void
  /** `durationMs` from the write to the answer. */
  read?(event: {
    readonly api: string
    readonly version: number
    readonly bytes: number
    readonly correlationId: number
    readonly durationMs: number
  }): void
  throttled?(event: { readonly api: string; readonly throttleMs: number }): void
}

/** During the handshake no honest answer is longer; garbage read as a length mostly is. */
const MAX_HANDSHAKE_BYTES = 1 << 20
/** After this long in one turn of the loop, answers that have arrived wait for the next one. */
const TURN_BUDGET_MS = 5
/** Chunks below this size are copied together before they are written: cheaper than one more entry of a writev. */
const SMALL_CHUNK_BYTES = 4 << 10
const NO_FEATURES: BrokerFeatures = { supported: new Map(), finalized: new Map(), finalizedEpoch: -1n }

/** The peer ended the connection at a version of ApiVersions that it may not know. */
class HungUp extends Error {}

/**
 * One connection to one broker: dialled once, never reopened. Requests are pipelined and answered in order. Whatever
 * goes wrong on the stream ends the connection, and every request then says whether it can have reached the broker.
 */
export class Connection {
  readonly host: string
  readonly port: number
  /** Settles, never rejects, when the connection is over: with why, or undefined when `close()` ended it. */
  readonly closed: Promise<Error | undefined>
  private currentState: ConnectionState = 'idle'
  private readonly options: ConnectionOptions
  private readonly runtime: Runtime
  private readonly logger: Logger
  private readonly hooks: ConnectionHooks | undefined
  private readonly over = new Deferred<Error | undefined>()
  private readonly abort = new AbortController()
  private readonly session: SessionKeeper | undefined
  private opening: Promise<void> | undefined
  private closing: 'no' | 'asked' | 'ending' = 'no'
  private ending: Error | undefined
  private versions: ReadonlyMap<number, VersionRange> = new Map()
  private brokerFeatures = NO_FEATURES

  private transport: Transport | undefined
  private reader: FrameReader | undefined
  private readonly waiting = new Fifo<Exchange>()
  private readonly answering = new Fifo<Exchange>()
  /** Encoded in this turn, not yet handed to the transport. */
  private encoded: Exchange[] = []
  private chunks: Uint8Array[] = []
  private flushScheduled = false
  /** The transport's buffers are full: the rest waits for `drained`. */
  private clogged = false
  private redialOnHangUp = false
  private lastCorrelationId = 0

  private quietUntil = 0
  private quietTimer: Timer | undefined
  private deadlineTimer: Timer | undefined
  private deadlineAt = Number.POSITIVE_INFINITY
  private turnStart = 0
  private held = false

  constructor(options: ConnectionOptions, runtime: Runtime) {
    this.options = options
    this.runtime = runtime
    this.host = options.host
    this.port = options.port
    this.hooks = options.hooks
    this.logger = options.logger
    this.closed = this.over.promise
    if (options.authenticator) this.session = new SessionKeeper(options.authenticator, this.handshakeChannel(), runtime, options)
  }

  get state(): ConnectionState {
    return this.currentState
  }

  /** What the broker serves, by API key; empty before `ready`. */
  get apiVersions(): ReadonlyMap<number, VersionRange> {
    return this.versions
  }

  /** Feature levels of broker and cluster (KIP-584). */
  get features(): BrokerFeatures {
    return this.brokerFeatures
  }

  /** Requests sent, or about to be, that are not answered yet. */
  get inFlight(): number {
    return this.answering.length
  }

  /** Requests that wait to be sent. */
  get queued(): number {
    return this.waiting.length
  }

  /** Until when, on the monotonic clock, the broker wants no requests (KIP-219); 0 when it never said. */
  get throttledUntil(): number {
    return this.quietUntil
  }

  /**
   * Dials, negotiates versions and authenticates; further calls give the same promise. Rejects with ConnectionError
   * (code ERR_AUTHENTICATION for refused credentials), TimeoutError, ProtocolError, UnsupportedVersionError, or
   * BrokerError REBOOTSTRAP_REQUIRED when another broker than the expected one answers. There is no second try: make
   * another Connection.
   */
  connect(): Promise<void> {
    if (!this.opening) {
      this.opening = this.open()
      this.opening.catch((error: Error) => this.end(error))
    }
    return this.opening
  }

  /**
   * Sends a request and resolves with its answer, connecting first if need be. Rejects with ConnectionError or TimeoutError,
   * whose `outcome` says whether the broker may have acted; UnsupportedVersionError; ClosedError; ERR_ABORTED.
   */
  async request<A extends Api>(
    api: A,
    request: Encodable<A['request']>,
    options: RequestOptions = {},
  ): Promise<Decoded<A['response']>> {
    try {
      return await this.start<Decoded<A['response']>>(api, request, options, 'answer')
    } catch (error) {
      // Failures come up in some socket's callback. Here, V8 still knows who awaits us; it costs nothing unless it happens.
      Error.captureStackTrace(error as Error, this.request)
      throw error
    }
  }

  /**
   * Sends a request that the broker will not answer: Produce with acks 0. Nothing tells whether it arrived. Throws
   * ClosedError when the connection is over or closing, and UnsupportedVersionError.
   */
  send<A extends Api>(api: A, request: Encodable<A['request']>, options: RequestOptions = {}): void {
    if (this.closing !== 'no' || this.currentState === 'closed')
      throw new ClosedError(`the connection to ${this.where}`, { cause: this.ending })
    if (this.currentState === 'ready') this.versionOf(api, options)
    this.start(api, request, options, 'nothing').catch((error: unknown) =>
      this.logger.warn({ broker: this.where, api: api.name, err: error }, 'a request without answer could not be sent'),
    )
  }

  /** The version that requests of this API are sent with. Throws UnsupportedVersionError. Meaningless before `ready`. */
  versionOf(api: Api, limits?: VersionLimits): number {
    return pickVersion(api, this.versions.get(api.key), limits, {
      where: this.where,
      unstable: this.options.unstableVersions ?? false,
    })
  }

  /** Refuses new requests, finishes those accepted, each within its timeout, then ends the connection. Never rejects. */
  async close(): Promise<void> {
    if (this.closing === 'no' && this.currentState !== 'closed') {
      this.closing = 'asked'
      if (this.currentState === 'ready') this.enter('draining')
      else if (this.currentState !== 'reauthenticating') this.end(new ClosedError(`the connection to ${this.where}`))
      this.endIfDrained()
    }
    await this.closed
  }

  /** Ends the connection at once: requests in flight reject, their outcome unknown. */
  destroy(error: Error = new ClosedError(`the connection to ${this.where}`)): void {
    this.end(error)
  }

  private get where(): string {
    return this.host.includes(':') ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`
  }

  private enter(next: ConnectionState, cause?: Error): void {
    const from = this.currentState
    if (!NEXT_STATES[from].includes(next))
      throw new KafkaError('ERR_ILLEGAL_STATE', `a connection cannot go from ${from} to ${next}`)
    this.currentState = next
    this.logger.debug(cause ? { broker: this.where, err: cause } : { broker: this.where }, `connection: ${from} -> ${next}`)
    this.hooks?.stateChanged?.(from, next, cause)
  }

  // ---- opening

  private async open(): Promise<void> {
    if (this.currentState === 'closed') throw this.ending ?? new ClosedError(`the connection to ${this.where}`)
    await this.dial()
    try {
      await this.negotiate(this.options.unstableVersions ? ApiVersions.request.versions[1] : ApiVersions.stable)
    } catch (error) {
      if (!(error instanceof HungUp)) throw error
      this.logger.warn({ broker: this.where }, 'the broker hung up at our version of ApiVersions; trying v0')
      await this.dial()
      await this.negotiate(0)
    }
    if (this.session) {
      this.enter('authenticating')
      await this.session.authenticate()
      this.check()
    }
    this.enter('ready')
    this.reader!.maxBytes = this.options.maxResponseBytes
    this.dispatch()
  }

  private async dial(): Promise<void> {
    this.enter('connecting')
    const { host, port, tls, connectTimeoutMs: timeoutMs } = this.options
    const reader: FrameReader = new FrameReader(
      {
        frame: frame => this.received(frame),
        failed: error => this.end(error),
        drained: () => {
          this.clogged = false
          this.dispatch()
        },
        closed: error => {
          if (reader === this.reader) this.hungUp(error)
        },
      },
      MAX_HANDSHAKE_BYTES,
    )
    this.reader = reader
    const transport = await dial({ host, port, tls, timeoutMs, signal: this.abort.signal }, this.runtime, reader)
    this.transport = transport
    if (this.currentState !== 'connecting') transport.destroy()
    this.check()
    this.enter('negotiating')
  }

  private async negotiate(firstVersion: number): Promise<void> {
    const { expected } = this.options
    this.redialOnHangUp = firstVersion > 0
    const { apiVersions, features } = await negotiate(
      (version, request) => this.handshake<Buffer>(ApiVersions, request, { version }, 'frame'),
      { where: this.where, expected, firstVersion, logger: this.logger },
    )
    this.check()
    this.redialOnHangUp = false
    this.versions = apiVersions
    this.brokerFeatures = features
  }

  /** Throws when the connection was ended while something was awaited. */
  private check(): void {
    if (this.currentState === 'closed') throw this.ending ?? new ClosedError(`the connection to ${this.where}`)
  }

  private handshakeChannel() {
    const { host, port } = this.options
    return {
      host,
      port,
      serves: (api: Api) => this.versions.has(api.key),
      exchange: <A extends Api>(api: A, request: Encodable<A['request']>, maxVersion?: number) =>
        this.handshake<Decoded<A['response']>>(api, request, { maxVersion }, 'answer'),
      exchangeToken: (token: Uint8Array) => this.handshake<Uint8Array>(ApiVersions, { token } as never, {}, 'token'),
      renewing: () => this.enter('reauthenticating'),
      renewed: () => {
        this.enter('ready')
        if (this.closing === 'asked') this.enter('draining')
        this.dispatch()
        this.endIfDrained()
      },
      failed: (error: Error) => this.end(error),
      current: () => this.currentState,
    }
  }

  /** A request of the handshake: goes out at once, past the queue. */
  private handshake<T>(api: Api, request: Encodable<Api['request']>, options: RequestOptions, expects: Expectation): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.check()
      const exchange = this.exchange(api, request, options, expects, resolve, reject)
      this.armDeadline(exchange.deadline)
      this.encode(exchange)
    })
  }

  // ---- sending

  private start<T>(api: Api, request: Encodable<Api['request']>, options: RequestOptions, expects: Expectation): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const exchange = this.exchange(api, request, options, expects, resolve, reject)
      if (this.closing !== 'no' || this.currentState === 'closed') return exchange.fail(exchange.lost(this.ending, this.options))
      if (options.signal) {
        if (options.signal.aborted) return exchange.fail(exchange.aborted(this.options))
        exchange.onAbort(() => this.callerAborted(exchange))
      }
      if (this.currentState === 'idle') void this.connect().catch(() => {})
      this.armDeadline(exchange.deadline)
      if (this.waiting.length === 0 && this.maySend()) this.encode(exchange)
      else this.waiting.push(exchange)
    })
  }

  private exchange<T>(
    api: Api,
    request: Encodable<Api['request']>,
    options: RequestOptions,
    expects: Expectation,
    resolve: (answer: T) => void,
    reject: (error: Error) => void,
  ): Exchange {
    const timeoutMs = options.timeoutMs ?? this.options.requestTimeoutMs
    return new Exchange(api, request, options, expects, { timeoutMs, now: this.runtime.clock.monotonic() }, resolve, reject)
  }

  private maySend(): boolean {
    if (this.currentState !== 'ready' && this.currentState !== 'draining') return false
    if (this.clogged || this.answering.length >= this.options.maxInFlight) return false
    if (this.quietTimer) return false
    return !this.session || this.currentState === 'draining' || this.session.maySend()
  }

  /** Sends what waits, as far as it may. */
  private dispatch(): void {
    while (this.waiting.length > 0 && this.maySend()) this.encode(this.waiting.shift()!)
  }

  private encode(exchange: Exchange): void {
    const { api, request, options, expects } = exchange
    try {
      if (expects === 'token') {
        const { token } = request as unknown as { token: Uint8Array }
        const length = Buffer.alloc(4)
        length.writeInt32BE(token.length)
        this.queue(exchange, [length, token])
        return
      }
      exchange.version = expects === 'frame' ? options.version! : this.versionOf(api, options)
      exchange.correlationId = this.lastCorrelationId = (this.lastCorrelationId + 1) & 0x7fffffff
      const { correlationId } = exchange
      this.queue(exchange, encodeRequest(api, exchange.version, { correlationId, clientId: this.options.clientId }, request))
    } catch (error) {
      exchange.fail(error as Error)
      this.endIfDrained()
    }
  }

  private queue(exchange: Exchange, chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      exchange.bytes += chunk.length
      this.chunks.push(chunk)
    }
    exchange.state = 'encoded'
    this.encoded.push(exchange)
    if (exchange.expects !== 'nothing') this.answering.push(exchange)
    if (this.flushScheduled) return
    this.flushScheduled = true
    // In a microtask, so that what is sent in one turn leaves in one writev.
    queueMicrotask(() => this.flush())
  }

  private flush(): void {
    this.flushScheduled = false
    const { encoded, chunks, transport } = this
    if (this.currentState === 'closed' || !transport || encoded.length === 0) return
    this.encoded = []
    this.chunks = []
    const now = this.runtime.clock.monotonic()
    for (const exchange of encoded) {
      if (exchange.state === 'encoded') exchange.state = 'written'
      exchange.writtenAt = now
    }
    this.clogged = !transport.write(joined(chunks))
    for (const exchange of encoded) {
      const { api, version, bytes, correlationId, expects } = exchange
      if (this.hooks?.written && expects !== 'token') this.hooks.written({ api: api.name, version, bytes, correlationId })
      if (expects === 'nothing') exchange.succeed(undefined)
    }
    this.endIfDrained()
  }

  private callerAborted(exchange: Exchange): void {
    if (exchange.state === 'waiting') {
      this.waiting.remove(exchange)
      exchange.fail(exchange.aborted(this.options))
    } else {
      exchange.abandon(exchange.aborted(this.options))
    }
  }

  // ---- receiving

  private received(frame: Frame): boolean {
    const exchange = this.answering.peek()
    try {
      if (!exchange) throw new ProtocolError(`${this.where} sent ${frame.buffer.length} bytes that nothing asked for`)
      if (exchange.state === 'encoded') throw new ProtocolError(`${this.where} answered before it was asked`)
      if (exchange.expects === 'token') return this.answered(exchange, frame, frame.buffer)
      const correlationId = peekCorrelationId(frame.buffer)
      if (correlationId !== exchange.correlationId) {
        throw new ProtocolError(
          `${this.where} answered correlation id ${correlationId} where ${exchange.correlationId} (${exchange.api.name}) was due`,
          { api: exchange.api.name },
          { retriable: true },
        )
      }
      if (exchange.expects === 'frame') return this.answered(exchange, frame, frame.buffer)
      const wanted = exchange.state !== 'abandoned'
      return this.answered(exchange, frame, wanted ? decodeResponse(exchange.api, exchange.version, frame.buffer) : undefined)
    } catch (error) {
      this.end(error as Error)
      return false
    }
  }

  private answered(exchange: Exchange, frame: Frame, answer: unknown): boolean {
    this.answering.shift()
    const { hooks } = this
    const { api, version, correlationId } = exchange
    if (hooks?.read && exchange.expects !== 'token') {
      const durationMs = this.runtime.clock.monotonic() - exchange.writtenAt
      hooks.read({ api: api.name, version, bytes: frame.buffer.length, correlationId, durationMs })
    }
    if (exchange.expects === 'answer' && answer !== undefined) {
      if (version >= api.clientThrottlesSince) this.throttle(api, (answer as { throttleTimeMs?: number }).throttleTimeMs ?? 0)
      exchange.options.frame?.(frame)
    } else if (exchange.state === 'abandoned') frame.release()
    exchange.succeed(answer)
    if (this.waiting.length > 0) this.dispatch()
    this.endIfDrained()
    return this.mayGoOn()
  }

  /** False when this turn of the loop has taken long enough: the rest of what has arrived follows in the next one. */
  private mayGoOn(): boolean {
    const { clock } = this.runtime
    if (this.turnStart === 0) {
      this.turnStart = clock.monotonic()
      clock.soon(this.turnEnded)
    } else if (clock.monotonic() - this.turnStart > TURN_BUDGET_MS) {
      this.held = true
      this.transport?.pause()
      return false
    }
    return true
  }

  private readonly turnEnded = (): void => {
    this.turnStart = 0
    if (!this.held) return
    this.held = false
    this.transport?.resume()
    this.reader?.resume()
  }

  private throttle(api: Api, throttleMs: number): void {
    if (throttleMs <= 0) return
    const { clock } = this.runtime
    this.hooks?.throttled?.({ api: api.name, throttleMs })
    this.quietUntil = Math.max(this.quietUntil, clock.monotonic() + throttleMs)
    this.quietTimer?.cancel()
    const wake = () => {
      const left = this.quietUntil - clock.monotonic()
      // A timer may fire early by a fraction of a millisecond.
      this.quietTimer = left > 0 ? clock.setTimer(Math.ceil(left), wake) : undefined
      if (!this.quietTimer) this.dispatch()
    }
    this.quietTimer = clock.setTimer(throttleMs, wake)
  }

  // ---- time

  /** One timer for all requests, at the earliest deadline; none is set again when nothing waits. */
  private armDeadline(deadline: number): void {
    if (deadline >= this.deadlineAt) return
    this.deadlineTimer?.cancel()
    this.deadlineAt = deadline
    const { clock } = this.runtime
    this.deadlineTimer = clock.setTimer(Math.max(0, Math.ceil(deadline - clock.monotonic())), () => this.deadlinePassed())
  }

  private deadlinePassed(): void {
    this.deadlineAt = Number.POSITIVE_INFINITY
    const now = this.runtime.clock.monotonic()
    const silent = [...this.answering].find(exchange => exchange.deadline <= now)
    if (silent) {
      const timeout = silent.expired(
        this.options,
        'the broker hangs or cannot be reached, or the timeout is too short for this request; the connection is dropped',
      )
      silent.fail(timeout)
      // Its answer may still come, and would then be taken for another's: the stream is of no more use.
      this.end(timeout)
      return
    }
    const late = [...this.waiting].filter(exchange => exchange.deadline <= now)
    for (const exchange of late) {
      this.waiting.remove(exchange)
      exchange.fail(exchange.expired(this.options, this.whyWaiting()))
    }
    let next = Number.POSITIVE_INFINITY
    for (const { deadline } of this.answering) next = Math.min(next, deadline)
    for (const { deadline } of this.waiting) next = Math.min(next, deadline)
    if (next < Number.POSITIVE_INFINITY) this.armDeadline(next)
    this.endIfDrained()
  }

  private whyWaiting(): string {
    if (this.quietTimer) return "the broker throttles this client; raise the client's quota or send less"
    if (this.clogged) return 'the broker does not take more bytes; it is overloaded, or hangs'
    if (this.answering.length >= this.options.maxInFlight)
      return 'the requests before it are not answered yet; the broker is slow'
    return `the connection is still ${this.currentState}`
  }

  // ---- the end

  private endIfDrained(): void {
    if (this.currentState !== 'draining' || this.closing !== 'asked') return
    if (this.waiting.length > 0 || this.answering.length > 0 || this.encoded.length > 0) return
    this.closing = 'ending'
    this.armDeadline(this.runtime.clock.monotonic() + this.options.requestTimeoutMs)
    this.deadlineTimer?.cancel()
    this.deadlineTimer = this.runtime.clock.setTimer(this.options.requestTimeoutMs, () => this.end(undefined))
    this.transport?.close()
  }

  /** The peer, or our own close, ended the stream. */
  private hungUp(error: Error | undefined): void {
    if (this.closing === 'ending') return this.end(undefined)
    if (this.redialOnHangUp) {
      this.redialOnHangUp = false
      for (const exchange of this.answering.takeAll()) exchange.fail(new HungUp())
      this.encoded = []
      this.chunks = []
      this.clogged = false
      return
    }
    const { host, port } = this.options
    const hint = HANG_UP_HINTS[this.currentState]?.(this.options.tls !== undefined) ?? ''
    const how = error ? `was lost (${error.message})` : 'was closed by the broker'
    const code = this.currentState === 'authenticating' ? 'ERR_AUTHENTICATION' : 'ERR_CONNECTION'
    this.end(
      new ConnectionError(
        `the connection to ${this.where} ${how}${hint}`,
        { host, port, outcome: 'unknown', code },
        { cause: error, retriable: true },
      ),
    )
  }

  private end(error: Error | undefined): void {
    if (this.currentState === 'closed') return
    this.ending = error
    this.enter('closed', error)
    this.abort.abort(error)
    this.reader?.stop()
    this.transport?.destroy()
    this.deadlineTimer?.cancel()
    this.quietTimer?.cancel()
    this.quietTimer = undefined
    this.encoded = []
    this.chunks = []
    for (const exchange of this.answering.takeAll()) exchange.fail(exchange.lost(error, this.options))
    for (const exchange of this.waiting.takeAll()) exchange.fail(exchange.lost(error, this.options))
    this.over.resolve(error)
  }
}

const HANG_UP_HINTS: { readonly [S in ConnectionState]?: (tls: boolean) => string } = {
  negotiating: tls =>
    ` during ApiVersions: check that a Kafka broker of 0.10 or later listens on that port${tls ? '' : '; a TLS listener hangs up like this, and needs the tls option'}`,
  authenticating: () => ' during authentication: check user and password; brokers before 1.0 hang up on wrong ones',
  reauthenticating: () => ' while it authenticated again: check that the credentials are still valid',
}

/** Runs of small chunks copied into one; large ones as they are. */
function joined(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  if (chunks.length < 2) return chunks
  const result: Uint8Array[] = []
  let small: Uint8Array[] = []
  const pack = () => {
    if (small.length > 0) result.push(small.length === 1 ? small[0]! : Buffer.concat(small))
    small = []
  }
  for (const chunk of chunks) {
    if (chunk.length < SMALL_CHUNK_BYTES) small.push(chunk)
    else {
      pack()
      result.push(chunk)
    }
  }
  pack()
  return result
}

export type { TimeoutError }
