// Every connection dies at the age of half a second to one and a half, without warning. Clients must not show it.
import { expect, test } from 'vitest'
import { type Release, startBroker } from '../../src/broker/index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { DyingConnections } from './dying-connections.ts'
import { expectAllKept } from './kept.ts'
import { type Outcome, PARTITIONS, workload } from './workload.ts'

/** CHAOS_SEEDS=1000 tries as many. */
const SEEDS = Array.from({ length: Number(process.env.CHAOS_SEEDS ?? 50) }, (_, i) => i + 1)
const TOPIC = 'chaos'

async function simulated(seed: number, asVersion?: Release): Promise<{ outcome: Outcome; deaths: number; hash: string }> {
  const network = { latencyMs: 1, jitterMs: 4, splitChance: 0.1 }
  const sim = new SimulatedRuntime({ seed, network })
  const dying = new DyingConnections(sim, { seed })
  const outcome = await sim.run(
    async () => {
      const runtime = sim.on('127.0.0.1')
      const broker = await startBroker({ nodes: 3, topics: { [TOPIC]: PARTITIONS }, runtime, asVersion })
      const { bootstrapServers } = broker
      const result = await workload({ bootstrapServers, topic: TOPIC, runtime: dying.runtime, calm: sim, runMs: 6_000 })
      await broker.close()
      return result
    },
    { limitMs: 600_000 },
  )
  await sim.advance(100)
  expect(sim.hosts.openConnections).toBe(0)
  expect(sim.clock.pending).toBe(0)
  return { outcome, deaths: dying.deaths, hash: sim.trace.hash }
}

test.each(SEEDS)(
  'on virtual time (seed %i)',
  async seed => {
    const { outcome, deaths } = await simulated(seed)
    if (process.env.CHAOS_SEEDS)
      console.log(seed, { deaths, sent: outcome.sent, read: [...outcome.read.values()].reduce((n, { times }) => n + times, 0) })
    expect(deaths).toBeGreaterThan(30)
    expect(outcome.sent).toBeGreaterThan(500)
    expectAllKept(outcome)
  },
  60_000,
)

/** Each has versions of its own for producing, fetching and groups; before 0.11 there was no idempotence to hold on to. */
const RELEASES: readonly Release[] = ['0.11.0', '1.1', '2.8', '3.9', '4.0']

test.each(RELEASES)(
  'on virtual time, on a cluster that speaks as %s does',
  async release => {
    for (const seed of [101, 102]) expectAllKept((await simulated(seed, release)).outcome)
  },
  60_000,
)

test('the same seed gives the same history', async () => {
  expect((await simulated(77)).hash).toBe((await simulated(77)).hash)
}, 60_000)

test('over real sockets', async () => {
  const run = async (seed: number) => {
    const broker = await startBroker({ nodes: 3, topics: { [TOPIC]: PARTITIONS } })
    try {
      const dying = new DyingConnections(nodeRuntime, { seed })
      const { bootstrapServers } = broker
      const { runtime } = dying
      const outcome = await workload({ bootstrapServers, topic: TOPIC, runtime, calm: nodeRuntime, runMs: 6_000 })
      expect(dying.deaths).toBeGreaterThan(10)
      expect(dying.open).toBe(0)
      return outcome
    } finally {
      await broker.close()
    }
  }
  for (const outcome of await Promise.all([1, 2, 3].map(run))) expectAllKept(outcome)
}, 120_000)
