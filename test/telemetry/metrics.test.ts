import { describe, expect, test } from 'vitest'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { encodeMetricsData } from '../../src/telemetry/otlp.ts'

function setUp() {
  const time = { now: 0 }
  const clock = { now: () => time.now, monotonic: () => time.now, setTimer: () => ({ cancel() {}, unref() {} }), soon() {} }
  return { time, metrics: new Metrics(clock, { windowMs: 1_000, samples: 2 }) }
}
const valuesOf = (metrics: Metrics) => Object.fromEntries(metrics.read().map(({ name, value }) => [name, value]))

describe('client metrics', () => {
  test('averages and maxima cover the last samples, totals everything', () => {
    const { time, metrics } = setUp()
    const sensor = metrics.sensor('latency', ['avg', 'max', 'total'])
    sensor.record(10)
    sensor.record(30)
    expect(valuesOf(metrics)).toEqual({ 'latency-avg': 20, 'latency-max': 30, 'latency-total': 40 })
    time.now = 1_500
    sensor.record(5)
    expect(valuesOf(metrics)).toEqual({ 'latency-avg': 15, 'latency-max': 30, 'latency-total': 45 })
    time.now = 2_600
    sensor.record(7)
    expect(valuesOf(metrics)).toEqual({ 'latency-avg': 6, 'latency-max': 7, 'latency-total': 52 })
    time.now = 60_000
    expect(valuesOf(metrics)).toEqual({ 'latency-avg': Number.NaN, 'latency-max': Number.NaN, 'latency-total': 52 })
  })

  test('a rate is per second, and not absurd in the first instant', () => {
    const { time, metrics } = setUp()
    const sensor = metrics.sensor('request', ['rate'])
    sensor.record(1)
    expect(valuesOf(metrics)['request-rate']).toBe(1)
    for (let i = 0; i < 9; i++) sensor.record(1)
    time.now = 2_000
    expect(valuesOf(metrics)['request-rate']).toBe(5)
  })

  test('metrics of what is gone are taken out by their tags', () => {
    const { metrics } = setUp()
    metrics.counter('hits', { node: '1' }).add(3)
    metrics.gauge('queue', () => 7)
    expect(metrics.read()).toEqual([
      { name: 'hits-total', tags: { node: '1' }, kind: 'counter', value: 3 },
      { name: 'queue', tags: {}, kind: 'gauge', value: 7 },
    ])
    metrics.remove({ node: '1' })
    expect(metrics.read().map(metric => metric.name)).toEqual(['queue'])
  })
})

describe('OTLP', () => {
  /** Field numbers and payloads of a protobuf message; enough to look inside. */
  function fieldsOf(bytes: Buffer): { number: number; value: Buffer | number }[] {
    const fields: { number: number; value: Buffer | number }[] = []
    let at = 0
    const varint = () => {
      let value = 0
      for (let shift = 0; ; shift += 7) {
        const byte = bytes.readUInt8(at++)
        value += (byte & 127) * 2 ** shift
        if (byte < 128) return value
      }
    }
    while (at < bytes.length) {
      const tag = varint()
      const number = tag >> 3
      if ((tag & 7) === 0) fields.push({ number, value: varint() })
      else {
        const length = (tag & 7) === 1 ? 8 : varint()
        fields.push({ number, value: bytes.subarray(at, at + length) })
        at += length
      }
    }
    return fields
  }
  const inside = (bytes: Buffer, ...path: number[]): Buffer =>
    path.reduce((at, wanted) => fieldsOf(at).find(({ number }) => number === wanted)?.value as Buffer, bytes)

  test('a counter is a monotonic sum, anything else a gauge, with times in nanoseconds and tags as attributes', () => {
    const data = Buffer.from(
      encodeMetricsData(
        [
          { name: 'hits', tags: { node: '1' }, kind: 'counter', value: 300 },
          { name: 'age', tags: {}, kind: 'gauge', value: 1.5 },
        ],
        { startedMs: 1_000, nowMs: 2_000, delta: true, attributes: { client_rack: 'r1' } },
      ),
    )
    const resource = inside(data, 1, 1, 1)
    expect(inside(resource, 1).toString()).toBe('client_rack')
    const [hits, age] = fieldsOf(inside(data, 1, 2))
      .filter(({ number }) => number === 2)
      .map(({ value }) => value as Buffer)
    expect(inside(hits as Buffer, 1).toString()).toBe('hits')
    const sum = inside(hits as Buffer, 7)
    expect(fieldsOf(sum).slice(1)).toEqual([
      { number: 2, value: 1 },
      { number: 3, value: 1 },
    ])
    const point = inside(sum, 1)
    expect(inside(point, 2).readBigUInt64LE()).toBe(1_000_000_000n)
    expect(inside(point, 3).readBigUInt64LE()).toBe(2_000_000_000n)
    expect(inside(point, 4).readDoubleLE()).toBe(300)
    expect(inside(point, 7, 2, 1).toString()).toBe('1')
    expect(inside(age as Buffer, 5, 1, 4).readDoubleLE()).toBe(1.5)
  })
})
