import { ClosedError, KafkaError } from '../errors.ts'
import type { BrokerFeatures, Frame } from '../net/connection.ts'
import { describe } from '../protocol/misfit.ts'
import type { Api, Decoded, Encodable } from '../protocol/schema.ts'
import { nodeRuntime } from '../runtime/node.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { ClientEvents } from '../telemetry/events.ts'
import type { RetryEvent } from '../telemetry/hooks.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { Deadline } from '../util/deadline.ts'
import { harmless, type Logger } from '../util/logger.ts'
import { isObject } from '../util/options.ts'
import { Brokers, type Lane } from './brokers.ts'
import { checkCall, refusalOf, VERSION_LIMITS } from './call-options.ts'
import { type CoordinatorKind, Coordinators } from './coordinators.ts'
import { Lifetime } from './lifetime.ts'
import { Metadata } from './metadata.ts'
import { Observer } from './observer.ts'
import { type ClientOptions, type ClientOptionsInput, parseClientOptions } from './options.ts'
import { checkRouteFields } from './route-fields.ts'
import { Router } from './router.ts'
import { TelemetryPush } from './telemetry-push.ts'

export interface RequestOptions {
  /** The whole time, retries included. Default: `defaultApiTimeoutMs`. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Send to this broker, whatever the API's own route. */
  readonly nodeId?: number | undefined
  /** Exactly this version; the only way to one that Kafka may still change. */
  readonly version?: number | undefined
  /** At least this version: UnsupportedVersionError where a broker has none. */
  readonly minVersion?: number | undefined
  readonly maxVersion?: number | undefined
}

export interface SendOptions {
  readonly lane: Lane
  /** Default: `requestTimeoutMs`. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly version?: number | undefined
  readonly minVersion?: number | undefined
  readonly maxVersion?: number | undefined
  /** Receives the frame that the answer's byte fields are views of, and whether the request had left whole by then. */
  readonly frame?: ((frame: Frame, sentWhole: boolean) => void) | undefined
}

const REQUEST_OPTIONS = ['timeoutMs', 'signal', 'nodeId', ...VERSION_LIMITS]
const SEND_OPTIONS = ['lane', 'timeoutMs', 'signal', 'frame', ...VERSION_LIMITS]
function checkApi(of: string, api: unknown): void {
  if (isObject(api) && 'key' in api && 'request' in api && 'route' in api) return
  throw new KafkaError(
    'ERR_INVALID_ARGUMENT',
    `${of} takes an API first, such as Metadata of kafkawire/protocol, not ${describe(api)}`,
  )
}

/**
 * What producers, consumers and admins stand on: sends a request to whoever must answer it, within a deadline.
 * Nothing is dialled before the first request or `connect()`.
 */
export class Client {
  readonly options: ClientOptions
  readonly runtime: Runtime
  readonly logger: Logger
  readonly metadata: Metadata
  /** What this client measures; producers and consumers add theirs. */
  readonly metrics: Metrics
  private readonly lifetime: Lifetime
  private readonly events: ClientEvents
  private readonly brokers: Brokers
  private readonly coordinators: Coordinators
  private readonly router: Router
  private readonly telemetry: TelemetryPush
  private closing: Promise<void> | undefined

  /** Throws ConfigError. */
  constructor(options: ClientOptionsInput, runtime: Runtime = nodeRuntime) {
    this.options = parseClientOptions(options)
    this.runtime = runtime
    this.logger = harmless(this.options.logger)
    this.lifetime = new Lifetime(runtime.clock)
    this.events = new ClientEvents(this.options.hooks, this.logger)
    const { metricsSampleWindowMs: windowMs, metricsNumSamples: samples } = this.options
    this.metrics = new Metrics(runtime.clock, { windowMs, samples })
    this.brokers = new Brokers(this.options, runtime, this.lifetime, this.logger, new Observer(this.events, this.metrics))
    this.metadata = new Metadata(this.options, runtime, this.lifetime, this.logger, this.brokers)
    this.coordinators = new Coordinators(this.lifetime, this.brokers, this.metadata, this.options.requestTimeoutMs)
    this.telemetry = new TelemetryPush(this)
    if (this.options.enableMetricsPush) {
      const once = this.metadata.onChange(() => {
        once()
        this.telemetry.start()
      })
    }
    this.router = new Router({
      client: this,
      lifetime: this.lifetime,
      brokers: this.brokers,
      coordinators: this.coordinators,
    })
  }

  get closed(): boolean {
    return this.lifetime.ended !== undefined
  }

  /** Resolves once the cluster answered: for those who want to fail fast. Rejects with what went wrong last. */
  async connect(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<void> {
    checkCall('connect()', options, ['timeoutMs', 'signal'])
    const { timeoutMs = this.options.defaultApiTimeoutMs, signal } = options
    await this.metadata.known(new Deadline(this.runtime.clock, timeoutMs), signal, 'one')
  }

  /**
   * Sends any request of the protocol to whoever must answer it: the leader of each partition, the controller, a
   * coordinator, each broker or any. It is split and its answers merged where need be, and retried as the error table says,
   * with exponential backoff, until `timeoutMs` have passed. Error codes inside the answer are left to the caller.
   * A request that must not be applied twice is not repeated when its outcome is unknown (`repeatable.ts` lists which may).
   */
  async request<A extends Api>(
    api: A,
    request: Encodable<A['request']>,
    options: RequestOptions = {},
  ): Promise<Decoded<A['response']>> {
    checkApi('request()', api)
    checkCall('request()', options, REQUEST_OPTIONS)
    if (options.nodeId === undefined) checkRouteFields(api, request)
    return this.router.request(api, request, options)
  }

  /**
   * One attempt, to one broker, over its connection of that lane. Rejects with ConnectionError or TimeoutError, whose
   * `outcome` says whether the broker may have acted on it, or with UnsupportedVersionError.
   */
  async sendTo<A extends Api>(
    nodeId: number,
    api: A,
    request: Encodable<A['request']>,
    options: SendOptions,
  ): Promise<Decoded<A['response']>> {
    checkApi('sendTo()', api)
    checkCall('sendTo()', options, SEND_OPTIONS)
    const { lane, signal, version, minVersion, maxVersion, frame } = options
    const deadline = new Deadline(this.runtime.clock, options.timeoutMs ?? this.options.requestTimeoutMs)
    return this.brokers.use(nodeId, lane, { ms: deadline.timeoutMs, signal }, connection =>
      connection.request(api, request, {
        timeoutMs: deadline.remainingMs,
        version,
        minVersion,
        maxVersion,
        signal,
        frame,
      }),
    )
  }

  /** Sends what is never answered: Produce with acks 0. Resolves once it was handed to the connection. */
  async sendOneWay<A extends Api>(
    nodeId: number,
    api: A,
    request: Encodable<A['request']>,
    options: SendOptions,
  ): Promise<undefined> {
    checkApi('sendOneWay()', api)
    checkCall('sendOneWay()', options, SEND_OPTIONS)
    const { lane, signal, version, minVersion, maxVersion } = options
    const deadline = new Deadline(this.runtime.clock, options.timeoutMs ?? this.options.requestTimeoutMs)
    await this.brokers.use(nodeId, lane, { ms: deadline.timeoutMs, signal }, connection =>
      connection.send(api, request, { timeoutMs: deadline.remainingMs, version, minVersion, maxVersion, signal }),
    )
  }

  /** The version that a broker and this client would use. Opens the connection if need be; UnsupportedVersionError if there is none. */
  async versionOf(
    nodeId: number,
    api: Api,
    options: { lane?: Lane | undefined; timeoutMs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<number> {
    checkCall('versionOf()', options, ['lane', 'timeoutMs', 'signal'])
    const { lane = 'other', timeoutMs: ms = this.options.requestTimeoutMs, signal } = options
    return this.brokers.use(nodeId, lane, { ms, signal }, connection => connection.versionOf(api))
  }

  /**
   * The feature levels that a broker supports, and those that its cluster has agreed on, such as `metadata.version` (KIP-584):
   * as it told when the connection was made, which is opened if need be. Both are empty before Kafka 2.7.
   */
  async featuresOf(
    nodeId: number,
    options: { timeoutMs?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<BrokerFeatures> {
    checkCall('featuresOf()', options, ['timeoutMs', 'signal'])
    const { timeoutMs: ms = this.options.requestTimeoutMs, signal } = options
    return this.brokers.use(nodeId, 'other', { ms, signal }, connection => connection.features)
  }

  /** Node id of a coordinator, found by asking and then remembered. Rejects with BrokerError or TimeoutError. */
  coordinator(kind: CoordinatorKind, key: string, deadline: Deadline, signal?: AbortSignal): Promise<number> {
    return this.coordinators.find(kind, key, deadline, signal)
  }

  /** For NOT_COORDINATOR and lost connections: the next `coordinator()` asks again. */
  forgetCoordinator(kind: CoordinatorKind, key: string): void {
    this.coordinators.forget(kind, key)
  }

  /** How long to wait after so many failures (1 for the first), with jitter (KIP-580). */
  retryBackoffMs(attempts: number): number {
    return this.metadata.retryBackoffMs(attempts)
  }

  /** Tells whoever watches that something is sent again: here, or by what is built on a client and repeats by a schedule of its own. */
  retrying(event: RetryEvent): void {
    if (this.events.wanted('retry')) this.events.emit('retry', event)
  }

  /** Resolves after `ms` on the runtime's clock. Rejects when the signal fires or the client closes. */
  delay(ms: number, signal?: AbortSignal): Promise<void> {
    return this.lifetime.delay(ms, signal)
  }

  /**
   * The id under which the brokers know the metrics that this client pushes to them (KIP-714). Rejects with
   * UnsupportedVersionError where they take none, with ERR_ILLEGAL_STATE where `enableMetricsPush` is false.
   */
  clientInstanceId(): Promise<string> {
    return this.lifetime.within(this.telemetry.clientInstanceId(), {
      ms: this.options.defaultApiTimeoutMs,
      operation: 'asking for the client instance id',
    })
  }

  /** What this client is used as, for the names of the metrics it pushes. */
  set role(role: 'producer' | 'consumer' | 'admin' | 'client') {
    this.telemetry.role = role
  }

  /**
   * Whatever waits is rejected with ClosedError; requests in flight are still answered, fetches excepted, and a last push of
   * metrics is made where brokers subscribed to them: all within `timeoutMs` (default 5 s).
   * A second call returns the same promise.
   */
  close(options: { timeoutMs?: number | undefined } = {}): Promise<void> {
    const refused = refusalOf('close()', options, ['timeoutMs'])
    if (refused) return refused
    this.closing ??= this.shutDown(new Deadline(this.runtime.clock, options.timeoutMs ?? 5_000))
    return this.closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async shutDown(deadline: Deadline): Promise<void> {
    await this.telemetry.stop(deadline.remainingMs)
    this.metadata.close()
    this.lifetime.end(new ClosedError('the client'))
    await this.brokers.close(deadline.remainingMs)
  }
}
