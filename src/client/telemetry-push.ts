import { KafkaError, UnsupportedVersionError } from '../errors.ts'
import { GetTelemetrySubscriptions } from '../protocol/apis/71-get-telemetry-subscriptions.ts'
import { PushTelemetry } from '../protocol/apis/72-push-telemetry.ts'
import { compress } from '../protocol/compression/index.ts'
import { brokerError, ErrorCode } from '../protocol/error-codes.ts'
import { type Decoded, NO_UUID } from '../protocol/schema.ts'
import type { Timer } from '../runtime/runtime.ts'
import type { Metric } from '../telemetry/metrics.ts'
import { encodeMetricsData } from '../telemetry/otlp.ts'
import { Deadline } from '../util/deadline.ts'
import { Deferred } from '../util/deferred.ts'
import type { Client } from './client.ts'

type Subscription = Decoded<(typeof GetTelemetrySubscriptions)['response']>

/** Compression types of the protocol. zstd is left out: it may need a package that is not there, or a WASM module for this alone. */
const CODECS = ['none', 'gzip', 'snappy', 'lz4'] as const
const EVERYTHING = '*'
/** All names of KIP-714 begin with it. */
const PREFIX = 'org.apache.kafka.'
/** How long closing may wait for the last push. */
const TERMINATING_MS = 500
/** When a broker is asked again that could not be reached. */
const RETRY_MS = 30_000

/** Pushes client metrics to brokers whose operators subscribed to them (KIP-714). Without a subscription it asks now and then. */
export class TelemetryPush {
  /** `producer`, `consumer`, `admin` or `client`: part of the metrics' names. */
  role = 'client'
  private readonly client: Client
  private readonly startedMs: number
  private readonly id = new Deferred<string>()
  private instanceId = NO_UUID
  private subscription: Subscription | undefined
  private state: 'waiting' | 'running' | 'off' = 'waiting'
  private timer: Timer | undefined
  /** Totals of the last push, for brokers that want differences. */
  private pushed = new Map<string, number>()
  private lastPushMs: number

  constructor(client: Client) {
    this.client = client
    this.startedMs = this.lastPushMs = client.runtime.clock.now()
    this.id.promise.catch(() => {})
  }

  /** Called when the cluster became known. Asks for a subscription, once. */
  start(): void {
    if (this.state !== 'waiting') return
    this.state = 'running'
    void this.subscribe()
  }

  /**
   * The id under which the brokers know this client's metrics. Rejects with UnsupportedVersionError where they take none, with
   * ERR_ILLEGAL_STATE where `enableMetricsPush` is false.
   */
  async clientInstanceId(): Promise<string> {
    if (!this.client.options.enableMetricsPush)
      throw new KafkaError(
        'ERR_ILLEGAL_STATE',
        'a client that pushes no metrics has no instance id: leave enableMetricsPush true',
      )
    this.start()
    return this.id.promise
  }

  /** Pushes a last time, if there is a subscription: within `withinMs`, and half a second. */
  async stop(withinMs: number): Promise<void> {
    const { subscription, state } = this
    this.off()
    if (state !== 'running' || !subscription || subscription.requestedMetrics.length === 0 || withinMs === 0) return
    await this.push(subscription, { terminating: true, timeoutMs: Math.min(TERMINATING_MS, withinMs) }).catch((error: unknown) =>
      this.note(error),
    )
  }

  private off(): void {
    this.timer?.cancel()
    this.timer = undefined
    this.state = 'off'
  }

  /** The timer does not keep the process alive. */
  private after(ms: number, step: () => Promise<void>): void {
    if (this.state !== 'running') return
    this.timer?.cancel()
    this.timer = this.client.runtime.clock.setTimer(ms, () => void step())
    this.timer.unref()
  }

  private note(error: unknown): void {
    this.client.logger.debug({ err: error }, 'client metrics could not be pushed')
  }

  private async subscribe(): Promise<void> {
    try {
      const { clock } = this.client.runtime
      const nodeId = await this.client.metadata.anyBroker(new Deadline(clock, this.client.options.requestTimeoutMs))
      const answer = await this.client.sendTo(
        nodeId,
        GetTelemetrySubscriptions,
        { clientInstanceId: this.instanceId },
        { lane: 'other' },
      )
      if (answer.errorCode !== ErrorCode.NONE) throw brokerError(answer.errorCode, { api: 'GetTelemetrySubscriptions' })
      this.instanceId = answer.clientInstanceId
      this.id.resolve(answer.clientInstanceId)
      this.subscription = answer
      const { random } = this.client.runtime
      // Clients that start together do not push together (KIP-714: 0.5 to 1.5 of the interval at first).
      const first = answer.requestedMetrics.length === 0 ? 1 : 0.5 + random()
      this.after(Math.max(1_000, answer.pushIntervalMs * first), () => this.next())
    } catch (error) {
      this.note(error)
      if (error instanceof UnsupportedVersionError || this.client.closed) {
        this.id.reject(error)
        this.off()
      } else this.after(RETRY_MS, () => this.subscribe())
    }
  }

  private async next(): Promise<void> {
    const { subscription } = this
    if (!subscription || subscription.requestedMetrics.length === 0) return this.subscribe()
    try {
      const code = await this.push(subscription, { terminating: false, timeoutMs: this.client.options.requestTimeoutMs })
      switch (code) {
        case ErrorCode.UNKNOWN_SUBSCRIPTION_ID:
        case ErrorCode.UNSUPPORTED_COMPRESSION_TYPE:
          return await this.subscribe()
        case ErrorCode.INVALID_REQUEST:
          return this.off()
        default:
          if (code !== ErrorCode.NONE) this.note(brokerError(code, { api: 'PushTelemetry' }))
      }
    } catch (error) {
      this.note(error)
    }
    this.after(Math.max(1_000, subscription.pushIntervalMs), () => this.next())
  }

  /** Gives the error code of the answer. */
  private async push(
    subscription: Subscription,
    { terminating, timeoutMs }: { terminating: boolean; timeoutMs: number },
  ): Promise<number> {
    const { client } = this
    const deadline = new Deadline(client.runtime.clock, timeoutMs)
    const nowMs = client.runtime.clock.now()
    const metrics = this.selected(subscription)
    const context = {
      startedMs: subscription.deltaTemporality ? this.lastPushMs : this.startedMs,
      nowMs,
      delta: subscription.deltaTemporality,
      attributes: client.options.rack === '' ? {} : { client_rack: client.options.rack },
    }
    const encoded = encodeMetricsData(metrics, context)
    // The broker lists what it takes in the order it prefers.
    const type = subscription.acceptedCompressionTypes.find(each => CODECS[each] !== undefined) ?? 0
    const codec = CODECS[type] ?? 'none'
    const data = codec === 'none' ? encoded : await compress(codec, encoded, undefined, client.runtime.offload)
    if (subscription.telemetryMaxBytes > 0 && data.length > subscription.telemetryMaxBytes) return ErrorCode.TELEMETRY_TOO_LARGE
    const nodeId = await client.metadata.anyBroker(deadline)
    const request = {
      clientInstanceId: this.instanceId,
      subscriptionId: subscription.subscriptionId,
      terminating,
      compressionType: type,
      metrics: data,
    }
    const answer = await client.sendTo(nodeId, PushTelemetry, request, { lane: 'other', timeoutMs: deadline.remainingMs })
    this.lastPushMs = nowMs
    return answer.errorCode
  }

  /** What the subscription asks for, under the names of KIP-714. */
  private selected({ requestedMetrics, deltaTemporality }: Subscription): Metric[] {
    const selected: Metric[] = []
    for (const metric of this.client.metrics.read()) {
      const { group = this.role, ...tags } = metric.tags
      const name = `${PREFIX}${group.replace(/-metrics$/, '')}.${metric.name}`.replaceAll('-', '.')
      if (Number.isNaN(metric.value) || !requestedMetrics.some(wanted => wanted === EVERYTHING || name.startsWith(wanted)))
        continue
      selected.push({ name, tags, kind: metric.kind, value: deltaTemporality ? this.sinceLast(name, metric) : metric.value })
    }
    return selected
  }

  private sinceLast(name: string, { kind, value, tags }: Metric): number {
    if (kind !== 'counter') return value
    const id = `${name} ${JSON.stringify(tags)}`
    const before = this.pushed.get(id) ?? 0
    this.pushed.set(id, value)
    return value - before
  }
}
