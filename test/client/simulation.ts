import { type Broker, startBroker } from '../../src/broker/index.ts'
import { Client, type ClientOptionsInput } from '../../src/client/index.ts'
import { type NetworkConditions, SimulatedRuntime } from '../../src/runtime/simulated/index.ts'

type BrokerOptions = NonNullable<Parameters<typeof startBroker>[0]>

/** A cluster and clients on virtual time, over a simulated network. */
export interface World {
  readonly sim: SimulatedRuntime
  readonly broker: Broker
  client(options?: Partial<ClientOptionsInput>): Client
  /** Another cluster, on a host of its own. */
  start(host: string, options?: BrokerOptions): Promise<Broker>
  /** `host:port` of a node. */
  listenerOf(nodeId: number): string
}

export interface WorldOptions extends BrokerOptions {
  readonly seed?: number
  readonly network?: Partial<NetworkConditions>
}

/** Runs a test in a world of its own; whatever it started is closed in the end. */
export async function inWorld(
  { seed = 1, network = {}, ...broker }: WorldOptions,
  test: (world: World) => Promise<void>,
): Promise<void> {
  const sim = new SimulatedRuntime({ seed, network })
  await sim.run(async () => {
    const closers: { close(options?: { timeoutMs?: number }): Promise<void> }[] = []
    const start = async (host: string, options: BrokerOptions = {}) => {
      const started = await startBroker({ host, runtime: sim.on(host), autoCreateTopics: false, ...options })
      closers.push(started)
      return started
    }
    try {
      const first = await start('brokers', { nodes: 3, topics: { t: 6 }, ...broker })
      await test({
        sim,
        broker: first,
        start,
        client: options => {
          const client = new Client({ bootstrapServers: first.bootstrapServers, enableMetricsPush: false, ...options }, sim)
          closers.push(client)
          return client
        },
        listenerOf: nodeId => first.bootstrapServers.split(',')[nodeId - 1] ?? '',
      })
    } finally {
      for (const each of closers.reverse()) await each.close({ timeoutMs: 10 })
    }
  })
}
