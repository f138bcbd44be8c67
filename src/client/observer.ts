import { ClosedError } from '../errors.ts'
import type { ConnectionHooks } from '../net/connection.ts'
import type { ClientEvents } from '../telemetry/events.ts'
import type { BrokerRef } from '../telemetry/hooks.ts'
import type { Metrics, Sensor } from '../telemetry/metrics.ts'

interface NodeSensors {
  readonly requests: Sensor
  readonly latency: Sensor
  readonly bytesOut: Sensor
  readonly bytesIn: Sensor
}

/** Watches the connections of one client: measures them, and tells hooks and diagnostics channels if anyone listens. */
export class Observer {
  private readonly events: ClientEvents
  private readonly metrics: Metrics
  private readonly created: Sensor
  private readonly closed: Sensor
  private readonly failed: Sensor
  private readonly throttle: Sensor
  private readonly total: NodeSensors
  private readonly nodes = new Map<number, NodeSensors>()
  private open = 0

  constructor(events: ClientEvents, metrics: Metrics) {
    this.events = events
    this.metrics = metrics
    this.created = metrics.sensor('connection-creation', ['rate', 'total'])
    this.closed = metrics.sensor('connection-close', ['rate', 'total'])
    this.failed = metrics.sensor('failed-connection', ['rate', 'total'])
    this.throttle = metrics.sensor('throttle-time', ['avg', 'max'])
    this.total = this.sensors({})
    metrics.gauge('connection-count', () => this.open)
  }

  connected(ref: BrokerRef, durationMs: number): void {
    this.open++
    this.created.record(1)
    if (this.events.wanted('connect')) this.events.emit('connect', { ...ref, durationMs })
  }

  notConnected(ref: BrokerRef, durationMs: number, error: Error): void {
    this.failed.record(1)
    if (this.events.wanted('connect')) this.events.emit('connect', { ...ref, durationMs, error })
  }

  disconnected(ref: BrokerRef, error: Error | undefined): void {
    this.open--
    this.closed.record(1)
    if (!this.events.wanted('disconnect')) return
    this.events.emit('disconnect', { ...ref, error: error instanceof ClosedError ? undefined : error })
  }

  /** A broker left the cluster. */
  forget(nodeId: number): void {
    if (this.nodes.delete(nodeId)) this.metrics.remove({ node: String(nodeId) })
  }

  /** What one connection reports to. */
  hooksOf(ref: BrokerRef): ConnectionHooks {
    const { events, metrics, total } = this
    const node = this.sensorsOf(ref.nodeId)
    return {
      written: ({ api, version, bytes }) => {
        const now = metrics.now()
        total.requests.record(1, now)
        node.requests.record(1, now)
        total.bytesOut.record(bytes, now)
        node.bytesOut.record(bytes, now)
        if (events.wanted('write')) events.emit('write', { ...ref, api, version, bytes })
      },
      read: ({ api, version, bytes, durationMs }) => {
        const now = metrics.now()
        total.latency.record(durationMs, now)
        node.latency.record(durationMs, now)
        total.bytesIn.record(bytes, now)
        node.bytesIn.record(bytes, now)
        if (events.wanted('read')) events.emit('read', { ...ref, api, version, bytes, durationMs })
      },
      throttled: ({ api, throttleMs }) => {
        this.throttle.record(throttleMs)
        if (events.wanted('throttle')) events.emit('throttle', { ...ref, api, throttleMs })
      },
    }
  }

  private sensorsOf(nodeId: number): NodeSensors {
    let sensors = this.nodes.get(nodeId)
    if (!sensors) this.nodes.set(nodeId, (sensors = this.sensors({ node: String(nodeId) })))
    return sensors
  }

  private sensors(tags: Readonly<Record<string, string>>): NodeSensors {
    const { metrics } = this
    return {
      requests: metrics.sensor('request', ['rate', 'total'], tags),
      latency: metrics.sensor('request-latency', ['avg', 'max'], tags),
      bytesOut: metrics.sensor('outgoing-byte', ['rate', 'total'], tags),
      bytesIn: metrics.sensor('incoming-byte', ['rate', 'total'], tags),
    }
  }
}
