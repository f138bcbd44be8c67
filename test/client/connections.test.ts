import { describe, expect, test } from 'vitest'
import { Client } from '../../src/client/index.ts'
import { CreateTopics, ListGroups, Metadata, Produce } from '../../src/protocol/apis/index.ts'
import { WatchedRuntime } from '../chaos/watched-runtime.ts'
import { inWorld, type World } from './simulation.ts'

const THROTTLE_MS = 10_000

/** When ListGroups was asked for, since now; each answer throttles by the next of `throttles`. */
function throttled({ sim, broker }: World, throttles: number[]): number[] {
  const start = sim.clock.monotonic()
  const times: number[] = []
  broker.intercept(ListGroups, () => {
    times.push(sim.clock.monotonic() - start)
    return { errorCode: 0, groups: [], throttleTimeMs: throttles.shift() ?? 0 }
  })
  return times
}
const toNode1 = { nodeId: 1, timeoutMs: 60_000 }

describe('KIP-219: the quiet that a broker asks for', () => {
  test('outlasts the closing of idle connections', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client({ connectionsMaxIdleMs: 2_000, requestTimeoutMs: 60_000 })
      await client.connect()
      const times = throttled(world, [THROTTLE_MS])
      await client.request(ListGroups, {}, toNode1)
      const waiting = client.request(ListGroups, {}, toNode1)
      await client.delay(3_000)
      await Promise.all([waiting, client.request(ListGroups, {}, toNode1)])
      expect(times.map(time => time >= THROTTLE_MS)).toEqual([false, true, true])
    }))

  test.each(['lost', 'idle'])('outlasts a connection that is %s', how =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client({ connectionsMaxIdleMs: 1_000 })
      await client.connect()
      const times = throttled(world, [THROTTLE_MS])
      await client.request(ListGroups, {}, toNode1)
      if (how === 'lost') world.sim.hosts.reset()
      await client.delay(3_000)
      await client.request(ListGroups, {}, toNode1)
      expect(times[1]).toBeGreaterThanOrEqual(THROTTLE_MS)
    }),
  )

  test('is told to those whose time is up before', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      await client.connect()
      throttled(world, [THROTTLE_MS])
      await client.request(ListGroups, {}, toNode1)
      world.sim.hosts.reset()
      await client.delay(100)
      const failure = client.request(ListGroups, {}, { nodeId: 1, timeoutMs: 1_000 })
      await expect(failure).rejects.toMatchObject({ message: expect.stringContaining("raise the client's quota") })
    }))

  test('holds nothing back past its deadline: what was not sent by then never is, and says so', () =>
    inWorld({ nodes: 1 }, async world => {
      const written: string[] = []
      const client = world.client({ hooks: { onWrite: ({ api }) => written.push(api) } })
      await client.connect()
      throttled(world, [THROTTLE_MS, THROTTLE_MS])
      await client.request(ListGroups, {}, toNode1)
      const start = world.sim.clock.monotonic()
      const topic = { name: 'late', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
      const late = client.request(CreateTopics, { topics: [topic] }, { timeoutMs: 3_000 })
      await expect(late).rejects.toMatchObject({
        code: 'ERR_TIMEOUT',
        outcome: 'not-sent',
        message: expect.stringMatching(/within 3000 ms: .*within 3000 ms: the broker throttles this client/),
      })
      expect(world.sim.clock.monotonic() - start).toBeLessThan(3_010)
      // Without an answer nobody is told, so that it must not come later either.
      const sent = client.sendOneWay(1, Produce, { acks: 0, timeoutMs: 100, topicData: [] }, { lane: 'other', timeoutMs: 100 })
      await sent
      await client.delay(THROTTLE_MS)
      expect(written).not.toContain('CreateTopics')
      expect(written).not.toContain('Produce')
      await client.request(ListGroups, {}, toNode1)
      await expect(client.request(ListGroups, {}, { nodeId: 1, timeoutMs: 100 })).rejects.toMatchObject({ outcome: 'not-sent' })
      const closing = world.sim.clock.monotonic()
      await client.close()
      expect(world.sim.clock.monotonic() - closing).toBeLessThan(100)
    }))

  test.each(['keeps', 'loses'])(
    'is not cut short by a later answer that asks for less, whether the client %s the connection',
    how =>
      inWorld({ nodes: 1 }, async world => {
        const client = world.client()
        await client.request(Metadata, { topics: [] }, toNode1)
        const times = throttled(world, [THROTTLE_MS, 1_000])
        await Promise.all([client.request(ListGroups, {}, toNode1), client.request(ListGroups, {}, toNode1)])
        if (how === 'loses') world.sim.hosts.reset()
        await client.delay(10)
        await client.request(ListGroups, {}, toNode1)
        expect(times[1]).toBeLessThan(100)
        expect(times[2]).toBeGreaterThanOrEqual(THROTTLE_MS)
      }),
  )

  test('is no matter to other brokers: what any of them can answer goes there', () =>
    inWorld({ nodes: 3 }, async world => {
      const client = world.client()
      await client.connect()
      const times = throttled(world, [THROTTLE_MS])
      await client.request(ListGroups, {}, toNode1)
      for (let i = 0; i < 10; i++) await client.request(Metadata, { topics: [] })
      expect(times).toHaveLength(1)
      expect(world.sim.clock.monotonic()).toBeLessThan(5_000)
    }))
})

test('a connection that takes longer to set up than connections may idle does not keep the clock busy', () =>
  inWorld({ nodes: 2 }, async world => {
    const watched = new WatchedRuntime(world.sim)
    const client = new Client(
      {
        bootstrapServers: world.listenerOf(1),
        enableMetricsPush: false,
        connectionsMaxIdleMs: 1_000,
        socketConnectionSetupTimeoutMs: 30_000,
      },
      watched.runtime,
    )
    await client.request(Metadata, { topics: [] }, { nodeId: 1 })
    world.sim.hosts.partition(world.listenerOf(2))
    const lost = client.request(Metadata, { topics: [] }, { nodeId: 2 }).catch(() => {})
    await client.delay(900)
    await client.request(Metadata, { topics: [] }, { nodeId: 1 })
    await client.delay(1_500)
    const before = watched.fired
    await client.delay(5_000)
    expect(watched.fired - before).toBeLessThan(10)
    await client.close({ timeoutMs: 10 })
    await lost
    world.sim.hosts.heal()
  }))

test('a connection with a request in flight is not idle, however long the answer takes', () =>
  inWorld({ nodes: 1 }, async world => {
    const connects: number[] = []
    const onConnect = ({ nodeId }: { nodeId: number }) => connects.push(nodeId)
    const client = world.client({ connectionsMaxIdleMs: 1_000, hooks: { onConnect } })
    await client.request(Metadata, { topics: [] }, { nodeId: 1 })
    world.broker.intercept(ListGroups, () => client.delay(5_000).then(() => 'pass' as const), { times: 1 })
    const slow = client.request(ListGroups, {}, { nodeId: 1 })
    await client.delay(4_000)
    await Promise.all([slow, client.request(ListGroups, {}, { nodeId: 1 })])
    expect(connects.filter(nodeId => nodeId === 1)).toHaveLength(1)
  }))

test('a broker that was reached again is dialled again without delay when its connection is lost later', () =>
  inWorld({ nodes: 1 }, async world => {
    const { broker, sim } = world
    const client = world.client()
    const ask = () => client.request(Metadata, { topics: [] }, { nodeId: 1, timeoutMs: 60_000 })
    await ask()
    await broker.stopNode(1)
    const waiting = ask()
    await client.delay(10_000)
    await broker.startNode(1)
    await waiting
    sim.hosts.reset()
    const start = sim.clock.monotonic()
    await ask()
    expect(sim.clock.monotonic() - start).toBeLessThan(300)
  }))
