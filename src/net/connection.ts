import { inspect } from 'node:util'
import { ClosedError, ConnectionError, KafkaError, ProtocolError } from '../errors.ts'
import { ApiVersions } from '../protocol/apis/18-api-versions.ts'
import { SaslAuthenticate } from '../protocol/apis/36-sasl-authenticate.ts'
import type { Api, Decoded, Encodable } from '../protocol/schema.ts'
import type { Runtime, Timer, TlsOptions, Transport } from '../runtime/runtime.ts'
import { addressText } from '../util/address.ts'
import { Deferred } from '../util/deferred.ts'
import type { Logger } from '../util/logger.ts'
import { AddressOrder } from './address-order.ts'
import { type ConnectionState, NEXT_STATES } from './connection-state.ts'
import { Dialer } from './dialer.ts'
import type { Expectation, RequestOptions } from './exchange.ts'
import { FrameReader } from './frame-reader.ts'
import { type BrokerFeatures, negotiate } from './negotiation.ts'
import { Pipeline } from './pipeline.ts'
import type { SaslAuthenticator } from './sasl/sasl.ts'
import { SessionKeeper } from './sasl/session-keeper.ts'
import { pickVersion, type VersionLimits, type VersionRange } from './version-range.ts'

export type { RequestOptions } from './exchange.ts'
export type { Frame } from './frame-reader.ts'
export type { BrokerFeatures } from './negotiation.ts'

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
  /** What is remembered of the host's addresses from one connection to the next. Default: nothing. */
  readonly addresses?: AddressOrder | undefined
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
  private readonly where: string
  /** Settles, never rejects, when the connection is over: with why, or undefined when `close()` ended it. */
  readonly closed: Promise<Error | undefined>
  private currentState: ConnectionState = 'idle'
  private readonly options: ConnectionOptions
  private readonly runtime: Runtime
  private readonly logger: Logger
  private readonly over = new Deferred<Error | undefined>()
  private readonly addresses: AddressOrder
  private dialer: Dialer | undefined
  private readonly session: SessionKeeper | undefined
  private opening: Promise<void> | undefined
  private closing: 'no' | 'asked' | 'ending' = 'no'
  private ending: Error | undefined
  private versions: ReadonlyMap<number, VersionRange> = new Map()
  private readonly picked = new Map<Api, number>()
  private brokerFeatures = NO_FEATURES

  private transport: Transport | undefined
  private reader: FrameReader | undefined
  private readonly pipeline: Pipeline
  private closeTimer: Timer | undefined
  private redialOnHangUp = false

  constructor(options: ConnectionOptions, runtime: Runtime) {
    this.options = options
    this.runtime = runtime
    this.host = options.host
    this.port = options.port
    this.where = addressText(options)
    this.logger = options.logger
    this.addresses = options.addresses ?? new AddressOrder()
    this.closed = this.over.promise
    this.pipeline = new Pipeline(
      {
        where: this.where,
        versionOf: (api, limits) => this.versionOf(api, limits),
        maySend: () => this.maySend(),
        whyNot: () => this.whyNot(),
        progressed: () => this.endIfDrained(),
        fatal: error => this.end(error),
      },
      options,
      runtime.clock,
    )
    if (options.authenticator) this.session = new SessionKeeper(options.authenticator, this.handshakeChannel(), runtime, options)
  }

  /** Whatever prints a client prints its connections, and `options.tls` holds the private key. */
  [inspect.custom](): string {
    return `Connection to ${this.where} (${this.currentState})`
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
    return this.pipeline.inFlight
  }

  /** Requests that wait to be sent. */
  get queued(): number {
    return this.pipeline.queued
  }

  /** Until when, on the monotonic clock, the broker wants no requests (KIP-219); 0 when it never said. */
  get throttledUntil(): number {
    return this.pipeline.throttledUntil
  }

  /**
   * Dials, negotiates versions and authenticates; further calls give the same promise. Rejects with ConnectionError
   * (code ERR_AUTHENTICATION for refused credentials), TimeoutError, ProtocolError, UnsupportedVersionError, ConfigError, or
   * BrokerError REBOOTSTRAP_REQUIRED when another broker than the expected one answers. There is no second try: make
   * another Connection.
   */
  connect(): Promise<void> {
    if (!this.opening) {
      this.opening = this.opened()
      this.opening.catch(() => {})
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
    const unlimited = limits?.version === undefined && limits?.minVersion === undefined && limits?.maxVersion === undefined
    const known = unlimited ? this.picked.get(api) : undefined
    if (known !== undefined) return known
    const version = pickVersion(api, this.versions.get(api.key), limits, this.where)
    if (unlimited) this.picked.set(api, version)
    return version
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

  private enter(next: ConnectionState, cause?: Error): void {
    const from = this.currentState
    if (!NEXT_STATES[from].includes(next))
      throw new KafkaError('ERR_ILLEGAL_STATE', `a connection cannot go from ${from} to ${next}`)
    this.currentState = next
    this.logger.debug(cause ? { broker: this.where, err: cause } : { broker: this.where }, `connection: ${from} -> ${next}`)
    this.options.hooks?.stateChanged?.(from, next, cause)
  }

  // ---- opening

  private async opened(): Promise<void> {
    try {
      await this.open()
    } catch (error) {
      this.end(error as Error)
      // A request of the handshake that was cut off names itself; what ended the connection says more.
      const reason = this.ending ?? (error as Error)
      Error.captureStackTrace(reason, this.opened)
      throw reason
    }
  }

  private async open(): Promise<void> {
    if (this.currentState === 'closed') throw this.ending ?? new ClosedError(`the connection to ${this.where}`)
    await this.dial()
    try {
      await this.negotiate(ApiVersions.stable)
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
    this.addresses.served(this.transport!.remote.host)
    this.reader!.maxBytes = this.options.maxResponseBytes
    this.pipeline.dispatch()
  }

  private async dial(): Promise<void> {
    this.enter('connecting')
    const { host, port, tls, connectTimeoutMs: timeoutMs } = this.options
    const reader: FrameReader = new FrameReader(
      {
        frame: frame => this.pipeline.received(frame),
        failed: error =>
          this.end(new ProtocolError(`${this.where} cannot be understood: ${error.message}`, error, { cause: error })),
        drained: () => this.pipeline.drained(),
        closed: error => {
          if (reader === this.reader) this.hungUp(error)
        },
      },
      MAX_HANDSHAKE_BYTES,
    )
    this.reader = reader
    this.dialer = new Dialer({ host, port, tls, timeoutMs, order: this.addresses }, this.runtime)
    const transport = await this.dialer.dial(reader)
    this.dialer = undefined
    this.transport = transport
    if (this.currentState !== 'connecting') transport.destroy()
    this.check()
    this.pipeline.attach(transport, reader)
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
        this.pipeline.dispatch()
        this.endIfDrained()
      },
      failed: (error: Error) => this.end(error),
      current: () => this.currentState,
    }
  }

  /** A request of the handshake, which is the only one that may be sent now. */
  private handshake<T>(api: Api, request: Encodable<Api['request']>, options: RequestOptions, expects: Expectation): Promise<T> {
    this.check()
    return this.pipeline.startUrgent<T>(api, request, options, expects)
  }

  // ---- requests

  private start<T>(api: Api, request: Encodable<Api['request']>, options: RequestOptions, expects: Expectation): Promise<T> {
    if (this.closing !== 'no' || this.currentState === 'closed')
      throw new ClosedError(`the connection to ${this.where}`, { cause: this.ending })
    if (this.currentState === 'idle') void this.connect().catch(() => {})
    return this.pipeline.start<T>(api, request, options, expects)
  }

  private maySend(): boolean {
    return (this.currentState === 'ready' || this.currentState === 'draining') && (this.session?.maySend() ?? true)
  }

  private whyNot(): string {
    if (this.currentState === 'ready' || this.currentState === 'draining')
      return 'the session is about to expire and there are no new credentials yet; check their source'
    return `the connection is still ${this.currentState}`
  }

  // ---- the end

  private endIfDrained(): void {
    if (this.currentState !== 'draining' || this.closing !== 'asked') return
    if (!this.pipeline.isEmpty) return
    this.closing = 'ending'
    // The peer may have stopped reading.
    this.closeTimer = this.runtime.clock.setTimer(this.options.requestTimeoutMs, () => this.end(undefined))
    this.transport?.close()
  }

  /** The peer, or our own close, ended the stream. */
  private hungUp(error: Error | undefined): void {
    if (this.closing === 'ending') return this.end(undefined)
    // An alert of TLS is not about ApiVersions: with TLS 1.3 a missing client certificate is told only now.
    const alert = error !== undefined && 'code' in error && String(error.code).startsWith('ERR_SSL')
    if (this.redialOnHangUp && !alert) {
      this.redialOnHangUp = false
      this.pipeline.detach(new HungUp())
      return
    }
    const { host, port } = this.options
    // Kafka answers ApiVersions to anybody, and hangs up on the next request of a client that skipped SASL.
    const skippedSasl = this.currentState === 'ready' && !this.session && !this.pipeline.hasAnswered
    const hint = alert
      ? ALERT_HINT
      : skippedSasl
        ? SASL_HINT
        : (HANG_UP_HINTS[this.currentState]?.(this.options.tls !== undefined) ?? '')
    const how = error ? `was lost (${error.message})` : 'was closed by the broker'
    // Since 1.0 brokers say that they refuse credentials (KIP-152); before, hanging up was their only word for it.
    const refused = this.currentState === 'authenticating' && !this.versions.has(SaslAuthenticate.key)
    const code = refused ? 'ERR_AUTHENTICATION' : 'ERR_CONNECTION'
    this.end(
      new ConnectionError(
        `the connection to ${this.where} ${how}${hint}`,
        { host, port, outcome: 'unknown', code },
        { cause: error, retriable: !alert },
      ),
    )
  }

  private end(error: Error | undefined): void {
    if (this.currentState === 'closed') return
    this.ending = error
    this.enter('closed', error)
    if (error && this.transport && !(error instanceof ClosedError)) this.addresses.failed(this.transport.remote.host)
    const reason = error ?? new ClosedError(`the connection to ${this.where}`)
    this.dialer?.cancel(reason)
    this.session?.end(reason)
    this.reader?.stop()
    this.transport?.destroy()
    this.closeTimer?.cancel()
    this.pipeline.end(error)
    this.over.resolve(error)
  }
}

const SASL_HINT = ' at the first request: if this listener wants SASL, give the sasl option'
const ALERT_HINT = ': check whether the broker asks for a client certificate (tls.cert, tls.key), and whether it trusts this one'
const HANG_UP_HINTS: { readonly [S in ConnectionState]?: (tls: boolean) => string } = {
  negotiating: tls =>
    ` during ApiVersions: check that a Kafka broker of 0.10 or later listens on that port${tls ? '' : '; a TLS listener hangs up like this, and needs the tls option'}`,
  authenticating: () =>
    ' during authentication: check whether the broker restarts, and user and password; brokers before 1.0 hang up on wrong ones',
  reauthenticating: () => ' while it authenticated again: check that the credentials are still valid',
}
