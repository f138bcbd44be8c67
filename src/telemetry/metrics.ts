import type { Clock } from '../runtime/runtime.ts'

export type Tags = Readonly<Record<string, string>>
/** `counter` only grows; `gauge` is what is true now: a count, a rate per second, an average or a maximum of the last samples. */
export type MetricKind = 'counter' | 'gauge'

export interface Metric {
  /** As Java's clients name it, such as `request-latency-avg`. */
  readonly name: string
  /** What it is about, such as `{ group: 'consumer-fetch-manager-metrics', topic: 'orders' }`. */
  readonly tags: Tags
  readonly kind: MetricKind
  /** NaN while nothing was measured. */
  readonly value: number
}

export interface MetricsOptions {
  /** Span of one sample. */
  readonly windowMs: number
  /** How many samples a rate, average or maximum covers. */
  readonly samples: number
}

/** Only grows. */
export class Counter {
  total = 0
  add(amount = 1): void {
    this.total += amount
  }
}

/** Values measured one by one: their total, and over the last samples their rate, average and maximum. */
export class Sensor {
  /** Of all values. */
  total = 0
  /** How many values there were. */
  count = 0
  private readonly clock: Clock
  private readonly windowMs: number
  private readonly starts: Float64Array
  private readonly sums: Float64Array
  private readonly counts: Float64Array
  private readonly maxima: Float64Array
  private readonly began: number
  private at = 0

  constructor(clock: Clock, { windowMs, samples }: MetricsOptions) {
    this.clock = clock
    this.windowMs = windowMs
    this.starts = new Float64Array(samples).fill(Number.NEGATIVE_INFINITY)
    this.sums = new Float64Array(samples)
    this.counts = new Float64Array(samples)
    this.maxima = new Float64Array(samples)
    this.began = clock.monotonic()
    this.starts[0] = this.began
    this.maxima[0] = Number.NEGATIVE_INFINITY
  }

  /** `now`: `Metrics.now()`, for those who record several values at once. */
  record(value: number, now = this.clock.monotonic()): void {
    this.total += value
    this.count++
    if (now - (this.starts[this.at] ?? 0) >= this.windowMs) this.turn(now)
    const { at, sums, counts, maxima } = this
    sums[at] = (sums[at] ?? 0) + value
    counts[at] = (counts[at] ?? 0) + 1
    if (value > (maxima[at] ?? 0)) maxima[at] = value
  }

  private turn(now: number): void {
    this.at = (this.at + 1) % this.starts.length
    this.starts[this.at] = now
    this.sums[this.at] = 0
    this.counts[this.at] = 0
    this.maxima[this.at] = Number.NEGATIVE_INFINITY
  }

  /** Sum per second over the last samples: of 1 each it is how often, of bytes the throughput. */
  get rate(): number {
    const { sum, spanMs } = this.window()
    return sum / (Math.max(spanMs, this.windowMs) / 1_000)
  }
  /** Values per second over the last samples. */
  get frequency(): number {
    const { count, spanMs } = this.window()
    return count / (Math.max(spanMs, this.windowMs) / 1_000)
  }
  get average(): number {
    const { sum, count } = this.window()
    return count === 0 ? Number.NaN : sum / count
  }
  get maximum(): number {
    const { max, count } = this.window()
    return count === 0 ? Number.NaN : max
  }

  private window(): { sum: number; count: number; max: number; spanMs: number } {
    const now = this.clock.monotonic()
    const oldest = now - this.windowMs * this.starts.length
    let sum = 0
    let count = 0
    let max = Number.NEGATIVE_INFINITY
    let first = now
    for (let i = 0; i < this.starts.length; i++) {
      const start = this.starts[i] ?? 0
      if (start < oldest) continue
      first = Math.min(first, start)
      sum += this.sums[i] ?? 0
      count += this.counts[i] ?? 0
      max = Math.max(max, this.maxima[i] ?? max)
    }
    return { sum, count, max, spanMs: now - first }
  }
}

interface Entry {
  readonly name: string
  readonly tags: Tags
  readonly kind: MetricKind
  readonly read: () => number
}

/** All metrics of one client. Reading costs; measuring is an addition. */
export class Metrics {
  private readonly clock: Clock
  private readonly options: MetricsOptions
  private readonly entries = new Map<string, Entry>()

  constructor(clock: Clock, options: MetricsOptions) {
    this.clock = clock
    this.options = options
  }

  /** The moment to record values at. */
  now(): number {
    return this.clock.monotonic()
  }

  /** Registers `name-total`. */
  counter(name: string, tags: Tags = {}): Counter {
    const counter = new Counter()
    this.add({ name: `${name}-total`, tags, kind: 'counter', read: () => counter.total })
    return counter
  }

  /** Registers any of `name-rate`, `name-total`, `name-avg` and `name-max`. */
  sensor(name: string, views: readonly ('rate' | 'total' | 'avg' | 'max')[], tags: Tags = {}): Sensor {
    const sensor = new Sensor(this.clock, this.options)
    const read = { rate: () => sensor.rate, total: () => sensor.total, avg: () => sensor.average, max: () => sensor.maximum }
    for (const view of views) {
      this.add({ name: `${name}-${view}`, tags, kind: view === 'total' ? 'counter' : 'gauge', read: read[view] })
    }
    return sensor
  }

  /** Registers a value that is read when somebody asks. */
  gauge(name: string, read: () => number, tags: Tags = {}): void {
    this.add({ name, tags, kind: 'gauge', read })
  }

  /** Takes out all metrics with these tags: what they were about is gone. */
  remove(tags: Tags): void {
    const wanted = Object.entries(tags)
    for (const [id, entry] of this.entries) {
      if (wanted.every(([key, value]) => entry.tags[key] === value)) this.entries.delete(id)
    }
  }

  /** What is measured now. */
  read(): Metric[] {
    return Array.from(this.entries.values(), ({ name, tags, kind, read }) => ({ name, tags, kind, value: read() }))
  }

  private add(entry: Entry): void {
    this.entries.set(`${entry.name} ${JSON.stringify(entry.tags)}`, entry)
  }
}
