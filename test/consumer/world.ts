// Consumers and an embedded cluster in one simulated world: virtual time, one seed.
import { type Broker, type BrokerOptions, startBroker } from '../../src/broker/index.ts'
import type { ClientOptionsInput } from '../../src/client/index.ts'
import { Consumer, type ConsumerOwnOptions } from '../../src/consumer/index.ts'
import { Fetch } from '../../src/protocol/apis/01-fetch.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { string } from '../../src/serde/index.ts'

export const T0 = { topic: 't', partition: 0 } as const
export const T1 = { topic: 't', partition: 1 } as const

type Options = Omit<ConsumerOwnOptions<string | null, string>, 'key' | 'value'> &
  Partial<Omit<ClientOptionsInput, 'bootstrapServers'>>

export class World {
  readonly runtime: SimulatedRuntime
  readonly broker: Broker
  readonly errors: Error[] = []
  private readonly consumers: Consumer<Uint8Array | null, string>[] = []

  private constructor(runtime: SimulatedRuntime, broker: Broker) {
    this.runtime = runtime
    this.broker = broker
  }

  static async run(options: Partial<BrokerOptions> & { seed?: number }, body: (world: World) => Promise<void>): Promise<void> {
    const { seed = 1, ...brokerOptions } = options
    const runtime = new SimulatedRuntime({ seed })
    await runtime.run(
      async () => {
        const broker = await startBroker({ topics: { t: 1 }, ...brokerOptions, runtime: runtime.on('127.0.0.1') })
        const world = new World(runtime, broker)
        try {
          await body(world)
        } finally {
          for (const consumer of world.consumers) await consumer.close({ timeoutMs: 1_000 }).catch(() => {})
          await broker.close()
        }
      },
      { limitMs: 3_600_000 },
    )
  }

  get now(): number {
    return this.runtime.clock.monotonic()
  }
  pass(ms: number): Promise<void> {
    return new Promise(resolve => this.runtime.clock.setTimer(ms, resolve))
  }
  /** Lets time pass, a little at a time, until the condition holds. */
  async until(condition: () => boolean, limitMs = 120_000): Promise<void> {
    const end = this.now + limitMs
    while (!condition()) {
      if (this.now >= end) throw new Error(`not within ${limitMs} ms: ${condition}`)
      await this.pass(5)
    }
  }

  consumer(options: Options = {}): Consumer<Uint8Array | null, string> {
    const { bootstrapServers } = this.broker
    const consumer = new Consumer<Uint8Array | null, string>(
      { bootstrapServers, autoOffsetReset: 'earliest', value: string, onError: error => this.errors.push(error), ...options },
      this.runtime,
    )
    this.consumers.push(consumer)
    return consumer
  }

  /** Counts the requests of an API from now on. */
  count(api: Api): { count: number } {
    const counter = { count: 0 }
    this.broker.intercept(api, () => {
      counter.count++
      return 'pass'
    })
    return counter
  }
}

/** Polls until so many records are there, or `ms` of virtual time are over. */
export async function take(consumer: Consumer<Uint8Array | null, string>, count: number, timeoutMs = 30_000): Promise<string[]> {
  const values: string[] = []
  while (values.length < count) {
    const records = await consumer.poll({ timeoutMs, maxRecords: count - values.length })
    if (records.isEmpty) return values
    for (const record of records) values.push(record.value)
  }
  return values
}

export { Fetch }
