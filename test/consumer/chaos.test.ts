// Groups on a cluster that fails, by seed: research's scenario of three members, brokers killed and frozen, members killed.
import { describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { string } from '../../src/serde/index.ts'
import { write } from './written.ts'

const PARTITIONS = 6
const RECORDS = 600
/** CHAOS_SEEDS=1000 tries as many. */
const SEEDS = Array.from({ length: Number(process.env.CHAOS_SEEDS ?? 4) }, (_, i) => i + 1)

interface Outcome {
  readonly processed: Map<string, number>
  /** Records processed before one below them in the same partition. */
  readonly skipped: string[]
  /** Longest time without any record processed while some were to be had. */
  readonly longestStallMs: number
  readonly crashes: unknown[]
  readonly hash: string
}

async function chaos(seed: number, how: 'records' | 'batches' | 'poll' | 'run'): Promise<Outcome> {
  const runtime = new SimulatedRuntime({ seed, network: { jitterMs: 3, splitChance: 0.1, connectionLifeMs: [2_000, 20_000] } })
  const random = (n: number) => Math.floor(runtime.random() * n)
  const pass = (ms: number) => new Promise<void>(resolve => runtime.clock.setTimer(ms, resolve))
  const processed = new Map<string, number>()
  const reached = new Map<string, number>()
  const skipped: string[] = []
  let lastAt = 0
  let longestStallMs = 0
  const crashes: unknown[] = []
  await runtime.run(
    async () => {
      const broker = await startBroker({ nodes: 3, topics: { t: PARTITIONS }, runtime: runtime.on('127.0.0.1') })
      const consumers = new Set<Consumer<Uint8Array | null, string>>()
      let over = false
      let incarnation = 0
      const member = async () => {
        const consumer = new Consumer(
          {
            bootstrapServers: broker.bootstrapServers,
            clientId: `member-${incarnation++}`,
            groupId: 'g',
            autoOffsetReset: 'earliest',
            value: string,
            sessionTimeoutMs: 6_000,
            heartbeatIntervalMs: 1_000,
            autoCommitIntervalMs: 500,
            requestTimeoutMs: 3_000,
            defaultApiTimeoutMs: 20_000,
            isolationLevel: seed % 2 ? 'read_committed' : 'read_uncommitted',
          },
          runtime,
        )
        consumers.add(consumer)
        consumer.subscribe('t')
        const handle = ({ value }: { value: string }) => {
          processed.set(value, (processed.get(value) ?? 0) + 1)
          const [partition = '', place = ''] = value.split('-')
          const expected = (reached.get(partition) ?? -1) + 1
          if (Number(place) > expected) skipped.push(`${value} before ${partition}-${expected}`)
          reached.set(partition, Math.max(reached.get(partition) ?? -1, Number(place)))
          longestStallMs = Math.max(longestStallMs, runtime.clock.monotonic() - lastAt)
          lastAt = runtime.clock.monotonic()
        }
        try {
          if (how === 'records') for await (const record of consumer) handle(record)
          else if (how === 'batches') for await (const batch of consumer.batches()) for (const record of batch) handle(record)
          else if (how === 'run')
            await consumer.run({
              concurrency: 3,
              eachRecord: async record => {
                await pass(1 + random(4))
                handle(record)
              },
            })
          else {
            while (consumers.has(consumer)) {
              for (const record of await consumer.poll({ timeoutMs: 200, maxRecords: 20 })) handle(record)
            }
          }
        } catch (error) {
          if (consumers.has(consumer)) crashes.push(error)
        }
      }
      const killMember = async (consumer: Consumer<Uint8Array | null, string>, gently: boolean) => {
        consumers.delete(consumer)
        // Not gently: as a crash, with no last commit; its session has to run out, or it has left at least.
        await consumer.close({ timeoutMs: 2_000, autoCommit: gently }).catch((error: unknown) => crashes.push(error))
      }
      const running = [member(), member(), member()]

      const producing = (async () => {
        for (let i = 0; i < RECORDS; i++) {
          await pass(random(200))
          await write(broker, 't', i % PARTITIONS, [`${i % PARTITIONS}-${Math.floor(i / PARTITIONS)}`])
        }
      })()
      const nemesis = (async () => {
        while (!over) {
          await pass(2_000 + random(4_000))
          const node = 1 + random(3)
          switch (random(5)) {
            case 0:
              await broker.stopNode(node)
              await pass(random(3_000))
              await broker.startNode(node)
              break
            case 1:
              broker.freezeNode(node)
              await pass(random(5_000))
              broker.thawNode(node)
              break
            case 2:
              broker.moveCoordinator('g', node)
              break
            case 3:
              broker.moveLeader('t', random(PARTITIONS), node)
              break
            default: {
              const victims = [...consumers]
              const victim = victims[random(victims.length)]
              if (victim) await killMember(victim, runtime.random() < 0.5)
              running.push(member())
            }
          }
        }
      })()
      await producing
      over = true
      await nemesis
      for (let waited = 0; processed.size < RECORDS && waited < 120_000; waited += 100) await pass(100)
      await Promise.all([...consumers].map(consumer => killMember(consumer, true)))
      await Promise.all(running)
      await broker.close()
    },
    { limitMs: 3_600_000 },
  )
  return { processed, skipped, longestStallMs, crashes, hash: runtime.trace.hash }
}

describe.each(['records', 'batches', 'poll', 'run'] as const)('a group reading by %s on a failing cluster', how => {
  test.each(SEEDS)(
    'processes every record, in order, without a crash (seed %i)',
    async seed => {
      const { processed, skipped, longestStallMs, crashes } = await chaos(seed, how)
      expect(crashes).toEqual([])
      const missing = Array.from({ length: RECORDS }, (_, i) => `${i % PARTITIONS}-${Math.floor(i / PARTITIONS)}`).filter(
        value => !processed.has(value),
      )
      expect(missing).toEqual([])
      expect(skipped).toEqual([])
      expect(longestStallMs).toBeLessThan(30_000)
      const again = [...processed.values()].reduce((sum, count) => sum + count - 1, 0)
      if (process.env.CHAOS_SEEDS) console.log(how, seed, { again, longestStallMs })
      // A crashed member leaves what it did since its last commit, at most 500 ms before.
      expect(again / RECORDS).toBeLessThan(0.2)
    },
    60_000,
  )
})

test('one seed gives one history', async () => {
  const [a, b] = [await chaos(7, 'records'), await chaos(7, 'records')]
  expect(a.hash).toBe(b.hash)
}, 60_000)
