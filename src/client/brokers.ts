import { BrokerError, ClosedError, ConfigError, ConnectionError } from '../errors.ts'
import { AddressOrder } from '../net/address-order.ts'
import { Connection, type ConnectionOptions } from '../net/connection.ts'
import { ErrorCode } from '../protocol/error-codes.ts'
import type { Runtime, Timer, TlsOptions } from '../runtime/runtime.ts'
import type { BrokerRef } from '../telemetry/hooks.ts'
import { type Address, addressText, sameAddress } from '../util/address.ts'
import { backoffMs } from '../util/backoff.ts'
import { Deferred } from '../util/deferred.ts'
import type { Logger } from '../util/logger.ts'
import type { Lifetime } from './lifetime.ts'
import type { Observer } from './observer.ts'
import type { ClientOptions } from './options.ts'
import { isFatal, isRetriable } from './retry.ts'

/** Which of the connections to a broker: what may block for long is kept apart from what must not wait. */
export type Lane = 'produce' | 'fetch' | 'group' | 'other' | PrivateLane
/** A connection of its own for one of several consumers that share a client: their long polls must not wait for one another. */
export type PrivateLane = `${'fetch' | 'group'}:${number}`

export interface BrokerMetadata extends Address {
  readonly nodeId: number
  readonly rack: string | null
}

export interface OpenOptions {
  /** How long to wait for the connection. */
  readonly ms: number
  /** The whole budget of which `ms` are left, for the message. */
  readonly of?: number | undefined
  readonly signal?: AbortSignal | undefined
}

interface Link {
  /** Undefined for the moment it takes to find out the TLS options. */
  connection: Connection | undefined
  readonly ready: Promise<Connection>
  isReady: boolean
  lastUsed: number
}

interface Broker {
  endpoint: BrokerMetadata
  /** In a row, over all lanes: a broker that is down is not asked four times as often. */
  failures: number
  retryAt: number
  /** Until when it wants no requests of a kind (KIP-219), whatever becomes of the connection that it said so on. */
  readonly quietUntil: Map<string, number>
  /** Shared by all that stand for this host and port: `bootstrapServers` too. */
  addresses: AddressOrder
  readonly links: Map<Lane, Link>
}

/** Connections in flight are bounded where requests are made; this only keeps one connection's memory finite. */
const MAX_IN_FLIGHT = 1_024

/** The brokers one client knows, and its connections: one per (broker, lane), made when first needed. */
export class Brokers {
  /** Set when the cluster is known, so that each broker can be told whom we expect (KIP-1242). */
  clusterId: string | null = null
  /** Called when a broker said that it is another than the one we took it for. */
  onStranger: () => void = () => {}
  private readonly options: ClientOptions
  private readonly runtime: Runtime
  private readonly lifetime: Lifetime
  private readonly logger: Logger
  private readonly observer: Observer
  private readonly known = new Map<number, Broker>()
  /** How often in a row each broker said that it is another one, which makes us forget all that we know of it. */
  private readonly strangers = new Map<number, number>()
  private readonly draining = new Map<Connection, Promise<void>>()
  private idleTimer: Timer | undefined
  /** A connection was made with what the `tls` option gave. */
  private tlsWorked = false

  constructor(options: ClientOptions, runtime: Runtime, lifetime: Lifetime, logger: Logger, observer: Observer) {
    this.options = options
    this.runtime = runtime
    this.lifetime = lifetime
    this.logger = logger
    this.observer = observer
    options.bootstrapServers.forEach(({ host, port }, index) => {
      this.add({ nodeId: -1 - index, host, port, rack: null })
    })
  }

  /** Node ids of the brokers that metadata named. */
  get nodeIds(): number[] {
    return [...this.known.keys()].filter(nodeId => nodeId >= 0)
  }

  /** Ids that stand for the addresses of `bootstrapServers`: negative. */
  get bootstrapIds(): number[] {
    return [...this.known.keys()].filter(nodeId => nodeId < 0)
  }

  endpoint(nodeId: number): BrokerMetadata | undefined {
    return this.known.get(nodeId)?.endpoint
  }

  /** Takes in addresses; with `complete`, brokers that are not among them are gone from the cluster. */
  learn(endpoints: Iterable<BrokerMetadata>, complete: boolean): void {
    const seen = new Set<number>()
    for (const endpoint of endpoints) {
      if (endpoint.nodeId < 0 || endpoint.host === '' || endpoint.port <= 0) continue
      seen.add(endpoint.nodeId)
      const broker = this.known.get(endpoint.nodeId)
      if (!broker) {
        this.add(endpoint)
        continue
      }
      if (!sameAddress(broker.endpoint, endpoint)) {
        this.logger.info(
          { nodeId: endpoint.nodeId, from: addressText(broker.endpoint), to: addressText(endpoint) },
          'a broker changed its address',
        )
        this.retire(broker)
        broker.failures = 0
        broker.retryAt = 0
        broker.quietUntil.clear()
        broker.addresses = this.addressesOf(endpoint)
      }
      broker.endpoint = endpoint
    }
    if (complete) for (const nodeId of this.nodeIds) if (!seen.has(nodeId)) this.forget(nodeId)
  }

  private add(endpoint: BrokerMetadata): void {
    const failures = this.strangers.get(endpoint.nodeId) ?? 0
    this.known.set(endpoint.nodeId, {
      endpoint,
      failures,
      retryAt: failures > 0 ? this.nextTry(failures) : 0,
      quietUntil: new Map(),
      addresses: this.addressesOf(endpoint),
      links: new Map(),
    })
  }

  private addressesOf(endpoint: Address): AddressOrder {
    for (const broker of this.known.values()) if (sameAddress(broker.endpoint, endpoint)) return broker.addresses
    return new AddressOrder()
  }

  private nextTry(failures: number): number {
    const { reconnectBackoffMs: baseMs, reconnectBackoffMaxMs: maxMs } = this.options
    return this.runtime.clock.monotonic() + backoffMs(failures, { baseMs, maxMs, random: this.runtime.random })
  }

  /** Back to `bootstrapServers` (KIP-899). */
  forgetAll(): void {
    for (const nodeId of this.nodeIds) this.forget(nodeId)
    this.clusterId = null
  }

  /** The connections that served to learn the cluster: from now on each broker has one under its own id. */
  retireBootstrap(): void {
    for (const nodeId of this.bootstrapIds) {
      const broker = this.known.get(nodeId)
      if (!broker) continue
      for (const [lane, link] of broker.links) {
        if (!link.isReady || !link.connection) continue
        broker.links.delete(lane)
        this.drain(link.connection)
      }
    }
  }

  private forget(nodeId: number): void {
    const broker = this.known.get(nodeId)
    if (!broker) return
    this.known.delete(nodeId)
    this.observer.forget(nodeId)
    this.retire(broker)
  }

  /** Requests in flight are still answered; new ones open a new connection. */
  private retire(broker: Broker): void {
    for (const link of broker.links.values()) if (link.connection) this.drain(link.connection)
    broker.links.clear()
  }

  private drain(connection: Connection): void {
    const done = connection.close().catch((error: unknown) => this.logger.debug({ err: error }, 'closing a connection failed'))
    this.draining.set(connection, done)
    void done.then(() => this.draining.delete(connection))
  }

  /** How well a broker would serve a request that any of them can answer: smaller is better. */
  load(nodeId: number): number {
    const broker = this.known.get(nodeId)
    if (!broker) return Number.POSITIVE_INFINITY
    const now = this.runtime.clock.monotonic()
    if (quietUntil(broker, 'other') > now) return 500_000
    const link = broker.links.get('other')
    if (link?.isReady && link.connection) return link.connection.inFlight
    if (link) return 1_000
    return broker.retryAt > now ? 1_000_000 + broker.failures : 10_000
  }

  /**
   * Opens the connection to a broker, if need be, and does something with it. A connection that we close meanwhile, because
   * it idled or the broker moved, is no reason for callers to give up: they get a ConnectionError, outcome 'not-sent'.
   */
  async use<T>(nodeId: number, lane: Lane, wait: OpenOptions, work: (connection: Connection) => T | Promise<T>): Promise<T> {
    try {
      return await work(await this.open(nodeId, lane, wait))
    } catch (error) {
      if (!(error instanceof ClosedError) || this.lifetime.ended) throw error
      const { host, port } = this.known.get(nodeId)?.endpoint ?? NOWHERE
      const message = `the connection to broker ${nodeId} was closed before the request was sent`
      throw new ConnectionError(message, { host, port, outcome: 'not-sent' }, { cause: error })
    }
  }

  /**
   * The connection to a broker, ready for requests. Waits for the reconnect backoff and for the connection to be set up,
   * which goes on for others when this caller gives up. Rejects with ConnectionError or TimeoutError, outcome 'not-sent'.
   */
  private async open(nodeId: number, lane: Lane, { ms, of, signal }: OpenOptions): Promise<Connection> {
    const clock = this.runtime.clock
    const end = clock.monotonic() + ms
    for (;;) {
      this.lifetime.check()
      const broker = this.known.get(nodeId)
      if (!broker) {
        throw new ConnectionError(`broker ${nodeId} is not part of the cluster's metadata (any more)`, {
          ...NOWHERE,
          outcome: 'not-sent',
        })
      }
      const link = broker.links.get(lane)
      if (link?.isReady && link.connection) {
        link.lastUsed = clock.monotonic()
        return link.connection
      }
      const left = Math.max(0, end - clock.monotonic())
      const wait = {
        ms: left,
        of: of ?? ms,
        signal,
        outcome: 'not-sent' as const,
        operation: `connecting to ${this.name(broker)}`,
        hint: 'check that a Kafka broker listens there, and whether something on the way drops packets',
      }
      if (link) return this.lifetime.within(link.ready, wait)
      const quiet = quietUntil(broker, lane)
      const pause = Math.max(broker.retryAt, quiet) - clock.monotonic()
      if (pause <= 0) return this.lifetime.within(this.connect(broker, lane).ready, wait)
      await this.lifetime.within(this.lifetime.delay(Math.min(pause, left), signal), { ...wait, ms: left + 1 })
      if (pause > left) {
        const why =
          quiet > broker.retryAt
            ? "throttles this client: raise the client's quota or send less"
            : `cannot be reached: the last ${broker.failures} attempts failed`
        throw new ConnectionError(`${this.name(broker)} ${why}`, { ...broker.endpoint, outcome: 'not-sent' })
      }
    }
  }

  private name({ endpoint }: Broker): string {
    return endpoint.nodeId < 0
      ? `bootstrap server ${addressText(endpoint)}`
      : `broker ${endpoint.nodeId} at ${addressText(endpoint)}`
  }

  private connect(broker: Broker, lane: Lane): Link {
    const ready = new Deferred<Connection>()
    const link: Link = { connection: undefined, ready: ready.promise, lastUsed: this.runtime.clock.monotonic(), isReady: false }
    broker.links.set(lane, link)
    this.setUp(broker, lane, link).then(ready.resolve, ready.reject)
    return link
  }

  private async setUp(broker: Broker, lane: Lane, link: Link): Promise<Connection> {
    const { host, port, nodeId } = broker.endpoint
    const ref: BrokerRef = { nodeId, host, port, lane }
    const clock = this.runtime.clock
    const started = clock.monotonic()
    try {
      const tls = await this.tlsOptions(ref)
      this.lifetime.check()
      const connection = new Connection(this.connectionOptions(broker, ref, tls), this.runtime)
      link.connection = connection
      await connection.connect()
      // A microtask after its end a connection may be here still.
      if (connection.state === 'closed' || connection.state === 'draining') throw new ClosedError(this.name(broker))
      this.tlsWorked = true
      link.isReady = true
      link.lastUsed = clock.monotonic()
      broker.failures = 0
      this.strangers.delete(nodeId)
      this.observer.connected(ref, clock.monotonic() - started)
      void connection.closed.then(error => {
        link.isReady = false
        this.observer.disconnected(ref, error)
        this.ended(broker, lane, link, error)
      })
      this.armIdle()
      return connection
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause))
      this.observer.notConnected(ref, clock.monotonic() - started, error)
      this.ended(broker, lane, link, error)
      if (error instanceof ConfigError && this.tlsWorked) {
        const message = `what the function given as the tls option gives cannot be used any more (${error.message}): are its files just being renewed?`
        throw new ConnectionError(message, { host, port, outcome: 'not-sent' }, { cause: error })
      }
      if (!(error instanceof BrokerError && error.errorCode === ErrorCode.REBOOTSTRAP_REQUIRED)) {
        // What answers at one address of the name may be no broker, and a broker answer at another (KIP-602).
        if (isRetriable(error) || isFatal(error) || !broker.addresses.hasUntried) throw error
        const message = `${this.name(broker)} failed at one of its addresses: ${error.message}`
        throw new ConnectionError(message, { host, port, outcome: 'not-sent' }, { cause: error })
      }
      this.strangers.set(nodeId, broker.failures)
      this.onStranger()
      throw new ConnectionError(
        `${this.name(broker)} is not the one we knew there: ${error.message}`,
        { host, port, outcome: 'not-sent' },
        { cause: error },
      )
    }
  }

  private async tlsOptions({ host, port }: BrokerRef): Promise<TlsOptions | undefined> {
    const { tls, socketConnectionSetupTimeoutMs: ms } = this.options
    if (!tls) return undefined
    try {
      const pending = Promise.resolve(tls())
      const options: unknown = await this.lifetime.within(pending, { ms, operation: 'the function', outcome: 'not-sent' })
      // Nothing must not come to mean plain text: the next thing sent may be a password.
      if (typeof options === 'object' && options !== null) return options as TlsOptions
      const message = `the function gave ${options === null ? null : typeof options}, not options of node:tls`
      throw new ConfigError([{ path: 'tls', message }])
    } catch (cause) {
      if (this.lifetime.ended || cause instanceof ConfigError) throw cause
      const why = cause instanceof Error ? cause.message : String(cause)
      const message = `the function given as the tls option failed (${why}): check the files or the service it reads`
      throw new ConnectionError(message, { host, port, outcome: 'not-sent' }, { cause })
    }
  }

  /** A connection is over, or never came to be. */
  private ended(broker: Broker, lane: Lane, link: Link, error: Error | undefined): void {
    if (broker.links.get(lane) !== link) return
    broker.links.delete(lane)
    if (!error || this.lifetime.ended) return
    broker.retryAt = this.nextTry(++broker.failures)
  }

  private connectionOptions(broker: Broker, ref: BrokerRef, tls: TlsOptions | undefined): ConnectionOptions {
    const { failures, addresses } = broker
    const { nodeId, host, port, lane } = ref
    const hooks = this.observer.hooksOf(ref)
    const { options, clusterId } = this
    return {
      host,
      port,
      clientId: options.clientId,
      connectTimeoutMs: Math.min(
        options.socketConnectionSetupTimeoutMaxMs,
        options.socketConnectionSetupTimeoutMs * 2 ** Math.min(failures, 20),
      ),
      requestTimeoutMs: options.requestTimeoutMs,
      maxResponseBytes: options.maxResponseBytes,
      maxInFlight: MAX_IN_FLIGHT,
      addresses,
      hooks: {
        ...hooks,
        throttled: event => {
          const until = this.runtime.clock.monotonic() + event.throttleMs
          broker.quietUntil.set(kindOf(ref.lane), Math.max(until, quietUntil(broker, ref.lane)))
          hooks.throttled?.(event)
        },
      },
      logger: this.logger.child({ nodeId, lane }),
      ...(tls ? { tls } : {}),
      ...(options.sasl ? { authenticator: options.sasl } : {}),
      ...(options.metadataClusterCheck && nodeId >= 0 && clusterId !== null ? { expected: { clusterId, nodeId } } : {}),
    }
  }

  /** One timer for all connections, at the moment the least used one has been idle for long enough. */
  private armIdle(): void {
    if (this.idleTimer || this.options.connectionsMaxIdleMs === 0 || this.lifetime.ended) return
    const links = [...this.known.values()].flatMap(broker => [...broker.links.values()])
    const uses = links.flatMap(({ isReady, lastUsed }) => (isReady ? [lastUsed] : []))
    if (uses.length === 0) return
    const now = this.runtime.clock.monotonic()
    this.idleTimer = this.runtime.clock.setTimer(Math.max(1, Math.min(...uses) + this.options.connectionsMaxIdleMs - now), () => {
      this.idleTimer = undefined
      this.closeIdle()
      this.armIdle()
    })
    this.idleTimer.unref()
  }

  private closeIdle(): void {
    const limit = this.runtime.clock.monotonic() - this.options.connectionsMaxIdleMs
    for (const broker of this.known.values()) {
      for (const [lane, link] of broker.links) {
        if (!link.isReady || !link.connection || link.lastUsed > limit) continue
        if (link.connection.inFlight > 0 || link.connection.queued > 0) {
          link.lastUsed = this.runtime.clock.monotonic()
          continue
        }
        broker.links.delete(lane)
        this.drain(link.connection)
      }
    }
  }

  /** Drains all connections; those still busy after `timeoutMs` are cut. */
  async close(timeoutMs: number): Promise<void> {
    this.idleTimer?.cancel()
    this.idleTimer = undefined
    // A broker may hold a fetch back for `fetchMaxWaitMs`, and nobody wants its records any more.
    const isFetch = (lane: Lane) => lane === 'fetch' || lane.startsWith('fetch:')
    for (const broker of this.known.values()) {
      for (const [lane, { connection }] of broker.links) if (isFetch(lane)) connection?.destroy(new ClosedError('the client'))
      this.retire(broker)
    }
    const timer = this.runtime.clock.setTimer(timeoutMs, () => {
      for (const connection of this.draining.keys()) connection.destroy()
    })
    await Promise.all(this.draining.values())
    timer.cancel()
  }
}

const NOWHERE: Address = { host: '', port: 0 }

/** Quotas are kept per client and kind of request: consumers with connections of their own share them. */
const kindOf = (lane: string): string => lane.split(':', 1)[0] ?? lane
const quietUntil = (broker: Broker, lane: string): number => broker.quietUntil.get(kindOf(lane)) ?? 0
