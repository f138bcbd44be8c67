import type { Metric } from './metrics.ts'

/** What a push says about when and how its values were measured. */
export interface OtlpContext {
  /** When the client began to measure, and when it read the values: milliseconds since the epoch. */
  readonly startedMs: number
  readonly nowMs: number
  /** Counters as differences to the last push instead of totals since the start. */
  readonly delta: boolean
  /** Who measures: such as `client_rack`. */
  readonly attributes: Readonly<Record<string, string>>
}

const TEMPORALITY_DELTA = 1
const TEMPORALITY_CUMULATIVE = 2

/**
 * OpenTelemetry's `MetricsData` (opentelemetry/proto/metrics/v1) in protobuf: what PushTelemetry carries (KIP-714).
 * Counters become monotonic sums, the rest gauges; values are doubles, as Java's clients send them.
 */
export function encodeMetricsData(metrics: readonly Metric[], context: OtlpContext): Uint8Array {
  const resource = message(Object.entries(context.attributes).map(([key, value]) => field(1, attribute(key, value))))
  const scope = message(metrics.map(metric => field(2, encodeMetric(metric, context))))
  const resourceMetrics = message([field(1, resource), field(2, scope)])
  return message([field(1, resourceMetrics)])
}

function encodeMetric({ name, tags, kind, value }: Metric, { startedMs, nowMs, delta }: OtlpContext): Uint8Array {
  const point = message([
    ...(kind === 'counter' ? [fixed64(2, startedMs)] : []),
    fixed64(3, nowMs),
    double(4, value),
    ...Object.entries(tags).map(([key, text]) => field(7, attribute(key, text))),
  ])
  const data =
    kind === 'counter'
      ? field(
          7,
          message([field(1, point), varintField(2, delta ? TEMPORALITY_DELTA : TEMPORALITY_CUMULATIVE), varintField(3, 1)]),
        )
      : field(5, message([field(1, point)]))
  return message([text(1, name), data])
}

/** `KeyValue { key, value: AnyValue { string_value } }` */
const attribute = (key: string, value: string) => message([text(1, key), field(2, message([text(1, value)]))])

const message = (parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts)
const text = (number: number, value: string) => field(number, Buffer.from(value))

function field(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}
function varintField(number: number, value: number): Uint8Array {
  return Buffer.concat([varint(number * 8), varint(value)])
}
/** Nanoseconds since the epoch, from milliseconds. */
function fixed64(number: number, milliseconds: number): Uint8Array {
  const bytes = Buffer.alloc(9)
  bytes[0] = number * 8 + 1
  bytes.writeBigUInt64LE(BigInt(Math.round(milliseconds)) * 1_000_000n, 1)
  return bytes
}
function double(number: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(9)
  bytes[0] = number * 8 + 1
  bytes.writeDoubleLE(value, 1)
  return bytes
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}
