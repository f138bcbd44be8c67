import { expect, test } from 'vitest'
import { type Broker, startBroker } from '../../src/broker/index.ts'
import { Client, type ClientOptionsInput } from '../../src/client/index.ts'
import { AddressOrder } from '../../src/net/address-order.ts'
import { Heartbeat } from '../../src/protocol/apis/index.ts'
import type { Transport } from '../../src/runtime/runtime.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { connectionTo, failureOf, simulated, sleep } from './connecting.ts'

const beat = { groupId: 'g', generationId: 1, memberId: 'm' }

interface World {
  readonly sim: SimulatedRuntime
  readonly broker: Broker
  /** Accepts connections at the first address of the name, and does this to each. */
  accept(reaction: (transport: Transport) => void): Promise<() => number>
  client(options?: Partial<ClientOptionsInput>): Client
}

/** A name with two addresses, of which only the second is a broker's. */
async function twoAddresses(body: (world: World) => Promise<void>): Promise<void> {
  const sim = new SimulatedRuntime()
  await sim.run(async () => {
    const host = '10.0.0.2'
    const broker = await startBroker({
      host,
      advertisedHost: 'kafka.example',
      port: 9092,
      topics: { t: 1 },
      runtime: sim.on(host),
    })
    sim.hosts.names.set('kafka.example', ['10.0.0.1', host])
    const clients: Client[] = []
    await body({
      sim,
      broker,
      accept: async reaction => {
        let count = 0
        await sim.on('10.0.0.1').network.listen({ host: '10.0.0.1', port: 9092 }, transport => {
          count++
          sim.clock.soon(() => reaction(transport))
          const space = Buffer.alloc(1_024)
          return { space: () => space, filled() {}, drained() {}, closed() {} }
        })
        return () => count
      },
      client: options => {
        const client = new Client({ bootstrapServers: 'kafka.example:9092', enableMetricsPush: false, ...options }, sim)
        clients.push(client)
        return client
      },
    })
    for (const client of clients) await client.close()
    await broker.close()
  })
}

test.each<[string, (transport: Transport) => void, number]>([
  ['hangs up', transport => transport.close(), 2_000],
  ['stays silent', () => {}, 35_000],
])('an address that takes connections and then %s is left for the next one (KIP-602)', async (_, reaction, withinMs) => {
  await twoAddresses(async ({ sim, accept, client }) => {
    const accepted = await accept(reaction)
    await client().metadata.ensure(['t'], { timeoutMs: 60_000 })
    expect(sim.clock.monotonic()).toBeLessThan(withinMs)
    // ApiVersions is asked for once more, as old brokers want it; and the broker itself has the same name.
    expect(accepted()).toBeLessThanOrEqual(4)
  })
})

test('an address that swallows packets is waited for once, not by each connection', async () => {
  await twoAddresses(async ({ sim, client }) => {
    sim.hosts.partition('client', '10.0.0.1')
    const took: number[] = []
    const hooks = {
      onConnect: ({ nodeId, durationMs }: { nodeId: number; durationMs: number }) => nodeId === 1 && took.push(durationMs),
    }
    const asking = client({ hooks })
    await asking.metadata.ensure(['t'], { timeoutMs: 60_000 })
    for (const lane of ['other', 'group', 'fetch', 'produce'] as const) await asking.sendTo(1, Heartbeat, beat, { lane })
    sim.hosts.reset('10.0.0.2')
    await sleep(sim, 1)
    await asking.sendTo(1, Heartbeat, beat, { lane: 'other' })
    expect(took.length).toBe(5)
    expect(took.filter(ms => ms > 100).length).toBeLessThanOrEqual(2)
  })
})

test('an address that a connection was lost from is the last to go back to; one that was closed by ourselves comes first', async () => {
  await simulated(async ({ broker, runtime }) => {
    runtime.hosts.names.set('kafka.example', ['broker', 'other'])
    const order = new AddressOrder()
    const connected = async () => {
      const connection = connectionTo({ host: 'kafka.example', port: 9_092 }, runtime, { addresses: order })
      await connection.request(Heartbeat, beat)
      return connection
    }
    await (await connected()).close()
    expect(order.of(['other', 'broker'])).toEqual(['broker', 'other'])
    broker.transports.length = 0
    const lost = await connected()
    runtime.hosts.reset('broker')
    await lost.closed
    expect(order.of(['broker', 'other'])).toEqual(['other', 'broker'])
    // What the name server does not name any more is forgotten.
    expect(order.of(['other'])).toEqual(['other'])
    expect(order.of(['broker', 'other'])).toEqual(['broker', 'other'])
  })
})

test('each failure in a row leaves the next attempt twice the time, up to its bound (KIP-601)', async () => {
  await twoAddresses(async ({ sim, client }) => {
    sim.hosts.partition('client', '*')
    const took: number[] = []
    const impatient = client({
      bootstrapServers: '10.0.0.2:9092',
      socketConnectionSetupTimeoutMs: 1_000,
      socketConnectionSetupTimeoutMaxMs: 5_000,
      hooks: { onConnect: ({ durationMs }) => took.push(Math.round(durationMs / 100) / 10) },
    })
    await failureOf(impatient.metadata.ensure(['t'], { timeoutMs: 30_000 }))
    await sleep(sim, 1)
    expect(took.slice(0, 5)).toEqual([1, 2, 4, 5, 5])
  })
})
