// What an idle client does by itself (R19), and what one leaves behind that is closed at any moment (R20, R25).
import { describe, expect, test } from 'vitest'
import { Admin } from '../../src/admin/index.ts'
import { type Broker, startBroker } from '../../src/broker/index.ts'
import { Client } from '../../src/client/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { Producer } from '../../src/producer/index.ts'
import { Heartbeat, Metadata } from '../../src/protocol/apis/index.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { WatchedRuntime } from './watched-runtime.ts'

interface World {
  readonly watched: WatchedRuntime
  readonly runtime: Runtime
  readonly sim: SimulatedRuntime
  readonly broker: Broker
  readonly bootstrapServers: string
  /** How many timers of the clients fire within so many milliseconds. */
  firedIn(ms: number): Promise<number>
  pass(ms: number): Promise<void>
}

async function inWorld(seed: number, body: (world: World) => Promise<void>): Promise<void> {
  const sim = new SimulatedRuntime({ seed, network: { jitterMs: 2 } })
  await sim.run(async () => {
    const broker = await startBroker({ nodes: 3, topics: { t: 3 }, runtime: sim.on('127.0.0.1') })
    const watched = new WatchedRuntime(sim)
    const pass = (ms: number) => new Promise<void>(resolve => void sim.clock.setTimer(ms, resolve))
    const firedIn = async (ms: number) => {
      const before = watched.fired
      await pass(ms)
      return watched.fired - before
    }
    await body({ watched, runtime: watched.runtime, sim, broker, bootstrapServers: broker.bootstrapServers, firedIn, pass })
    await broker.close()
  })
  await sim.advance(100)
  expect(sim.hosts.openConnections).toBe(0)
  expect(sim.clock.pending).toBe(0)
}

/** What watched over the last request or record looks once more when its time is up: at most `deliveryTimeoutMs` later. */
const SETTLING_MS = 125_000
/** After that, neither the age of the metadata (5 minutes) nor idle connections (9 minutes) are due in it. */
const QUIET_MS = 150_000

describe('an idle client sets no timer off before its metadata is old', () => {
  test('R19: a client that has asked every broker, and what it still has to do keeps no process alive', () =>
    inWorld(1, async ({ runtime, watched, bootstrapServers, firedIn, pass }) => {
      const client = new Client({ bootstrapServers, enableMetricsPush: false }, runtime)
      await client.metadata.ensure(['t'])
      for (const { nodeId } of client.metadata.brokers()) await client.request(Metadata, { topics: [] }, { nodeId })
      await pass(SETTLING_MS)
      expect(await firedIn(QUIET_MS)).toBe(0)
      expect(watched.timers).toBeGreaterThan(1)
      expect(watched.holding).toBe(0)
      await client.close()
    }))

  test('R19: a producer whose records are all acknowledged', () =>
    inWorld(2, async ({ runtime, bootstrapServers, firedIn, pass }) => {
      const producer = new Producer({ bootstrapServers, enableMetricsPush: false }, runtime)
      for (const partition of [0, 1, 2]) await producer.send({ topic: 't', partition, value: Buffer.from('v') })
      await pass(SETTLING_MS)
      expect(await firedIn(QUIET_MS)).toBe(0)
      await producer.close()
    }))

  test('R19: an administrator', () =>
    inWorld(3, async ({ runtime, bootstrapServers, firedIn, pass }) => {
      const admin = new Admin({ bootstrapServers, enableMetricsPush: false }, runtime)
      await admin.describeTopics(['t'])
      await pass(SETTLING_MS)
      expect(await firedIn(QUIET_MS)).toBe(0)
      await admin.close()
    }))

  test('R19: a consumer without a group whose partitions are paused', () =>
    inWorld(4, async ({ runtime, bootstrapServers, firedIn, pass }) => {
      const consumer = new Consumer({ bootstrapServers, enableMetricsPush: false }, runtime)
      const partitions = [0, 1, 2].map(partition => ({ topic: 't', partition }))
      consumer.assign(partitions)
      await consumer.poll({ timeoutMs: 500 })
      consumer.pause(partitions)
      await pass(SETTLING_MS)
      expect(await firedIn(QUIET_MS)).toBe(0)
      await consumer.close()
    }))

  test('R19: a member of a group whose partitions are paused wakes up for its heartbeats only', () =>
    inWorld(5, async ({ runtime, broker, bootstrapServers, firedIn, pass }) => {
      const consumer = new Consumer(
        { bootstrapServers, groupId: 'g', enableMetricsPush: false, heartbeatIntervalMs: 3_000, maxPollIntervalMs: 600_000 },
        runtime,
      )
      consumer.subscribe('t')
      for (let i = 0; i < 20 && consumer.assignment().length < 3; i++) await consumer.poll({ timeoutMs: 500 })
      consumer.pause(consumer.assignment())
      await pass(SETTLING_MS)
      let heartbeats = 0
      broker.intercept(Heartbeat, () => {
        heartbeats++
        return 'pass'
      })
      const fired = await firedIn(QUIET_MS)
      expect(heartbeats).toBeGreaterThan(45)
      // The watch over the answers moves on once per session timeout.
      expect(fired).toBeLessThanOrEqual(heartbeats + 1 + Math.ceil(QUIET_MS / 45_000))
      await consumer.close()
    }))
})

describe('closed at any moment, whatever the brokers do', () => {
  const troubles = {
    fine: () => {},
    hung: (broker: Broker) => {
      for (const nodeId of [1, 2, 3]) broker.freezeNode(nodeId)
    },
    gone: (broker: Broker) => {
      for (const nodeId of [1, 2, 3]) void broker.stopNode(nodeId)
    },
  }
  const TIMEOUT_MS = 2_000

  test.each(Object.keys(troubles) as (keyof typeof troubles)[])(
    'R20, R25: every promise settles, and no timer or connection is left (brokers: %s)',
    async trouble => {
      const unhandled: unknown[] = []
      const note = (error: unknown) => unhandled.push(error)
      process.on('unhandledRejection', note)
      for (let seed = 1; seed <= 40; seed++) {
        await inWorld(seed, async ({ watched, runtime, sim, broker, bootstrapServers, pass }) => {
          const client = new Client({ bootstrapServers }, runtime)
          const producer = new Producer({ bootstrapServers }, runtime)
          const admin = new Admin({ bootstrapServers }, runtime)
          const consumer = new Consumer({ bootstrapServers, groupId: 'g', autoOffsetReset: 'earliest' }, runtime)
          consumer.subscribe('t')
          let over = false
          const flow = async (ask: () => Promise<unknown>) => {
            while (!over) {
              await ask()
              await pass(1)
            }
          }
          const flows = [
            flow(() => client.request(Metadata, { topics: null })),
            flow(() => producer.send({ topic: 't', value: Buffer.from('v') })),
            flow(() => admin.describeTopics(['t'])),
            flow(() => consumer.poll({ timeoutMs: 100 })),
          ]
          const outcomes = Promise.allSettled(flows)
          await pass(sim.random() * 40)
          troubles[trouble](broker)
          await pass(sim.random() * 200)
          over = true
          const started = sim.clock.monotonic()
          await Promise.all([
            client.close({ timeoutMs: TIMEOUT_MS }),
            producer.close({ timeoutMs: TIMEOUT_MS }),
            admin.close({ timeoutMs: TIMEOUT_MS }),
            consumer.close({ timeoutMs: TIMEOUT_MS }),
          ])
          expect(sim.clock.monotonic() - started, `seed ${seed}`).toBeLessThanOrEqual(TIMEOUT_MS + 100)
          for (const outcome of await outcomes)
            if (outcome.status === 'rejected')
              expect(outcome.reason.code, String(outcome.reason.stack)).toMatch(/^ERR_(CLOSED|TIMEOUT)$/)
          expect(watched.timers, `timers, seed ${seed}`).toBe(0)
          await pass(10)
          expect(watched.connections, `connections, seed ${seed}`).toBe(0)
          for (const nodeId of [1, 2, 3]) broker.thawNode(nodeId)
        })
      }
      await new Promise(resolve => setImmediate(resolve))
      process.off('unhandledRejection', note)
      expect(unhandled).toEqual([])
    },
    60_000,
  )
})
