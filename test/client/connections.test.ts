import { describe, expect, test } from 'vitest'
import { Client } from '../../src/client/index.ts'
import { ApiVersions, CreateTopics, ListGroups, Metadata, Produce } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
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

  test('keeps the connection of what waits: it is not idle', () =>
    inWorld({ nodes: 1 }, async world => {
      const connects: number[] = []
      const onConnect = ({ nodeId }: { nodeId: number }) => connects.push(nodeId)
      const client = world.client({ connectionsMaxIdleMs: 2_000, requestTimeoutMs: 60_000, hooks: { onConnect } })
      await client.connect()
      throttled(world, [THROTTLE_MS])
      await client.request(ListGroups, {}, toNode1)
      const waiting = client.request(ListGroups, {}, toNode1)
      await client.delay(5_000)
      await Promise.all([waiting, client.request(ListGroups, {}, toNode1)])
      expect(connects.filter(nodeId => nodeId === 1)).toHaveLength(1)
    }))

  test('goes for all connections of the kind it was said on, and for no others', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client({ requestTimeoutMs: 60_000 })
      await client.request(Metadata, { topics: [] }, toNode1)
      const times = throttled(world, [THROTTLE_MS])
      for (const lane of ['fetch:1', 'other', 'fetch:2'] as const) await client.sendTo(1, ListGroups, {}, { lane })
      expect(times.map(time => time >= THROTTLE_MS)).toEqual([false, false, true])
    }))

  test('is over for a broker that moved: another process serves there', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client({ requestTimeoutMs: 60_000 })
      await client.metadata.ensure(['t'])
      const times = throttled(world, [THROTTLE_MS])
      await client.request(ListGroups, {}, toNode1)
      world.sim.hosts.names.set('alias', ['brokers'])
      const port = Number(world.listenerOf(1).split(':')[1])
      client.metadata.hint('t', 0, { leaderId: 1, leaderEpoch: 99 }, [{ nodeId: 1, host: 'alias', port, rack: null }])
      await client.sendTo(1, ListGroups, {}, { lane: 'other' })
      expect(times[1]).toBeLessThan(1_000)
    }))

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

describe('a name with several addresses', () => {
  const foreign: [string, (request: Buffer) => Buffer][] = [
    ['speaks HTTP', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['announces 2 GB', () => Buffer.from('7fffffff', 'hex')],
    [
      'answers ApiVersions with an error',
      request => Buffer.concat([Buffer.from('0000000a', 'hex'), request.subarray(8, 12), Buffer.from('ffff00000000', 'hex')]),
    ],
  ]
  /** Something at 10.0.0.1 that is no broker, and one at 10.0.0.2, both behind one name. */
  const behindOneName = async ({ sim, start }: World, answer?: (request: Buffer) => Buffer) => {
    const seen = { dialled: 0 }
    if (answer) {
      await sim.on('10.0.0.1').network.listen({ host: '10.0.0.1', port: 9092 }, transport => {
        seen.dialled++
        const request = Buffer.alloc(1 << 10)
        return { space: () => request, filled: () => void transport.write([answer(request)]), drained() {}, closed() {} }
      })
    }
    await start('10.0.0.2', { port: 9092, nodes: 1, topics: { t: 1 }, advertisedHost: 'kafka.example' })
    sim.hosts.names.set('kafka.example', ['10.0.0.1', '10.0.0.2'])
    return seen
  }

  test.each(foreign)('of which the first %s leads to the broker at the second', (_, answer) =>
    inWorld({ nodes: 1 }, async world => {
      const seen = await behindOneName(world, answer)
      const client = world.client({ bootstrapServers: 'kafka.example:9092' })
      await client.metadata.ensure(['t'])
      expect(seen.dialled).toBe(1)
    }),
  )

  test.each(foreign)('of which all %s fails at once, as one address does', (_, answer) =>
    inWorld({ nodes: 1 }, async world => {
      const seen = await behindOneName(world, answer)
      world.sim.hosts.names.set('kafka.example', ['10.0.0.1'])
      await expect(world.client({ bootstrapServers: 'kafka.example:9092' }).connect()).rejects.toMatchObject({ retriable: false })
      expect(seen.dialled).toBe(1)
    }),
  )

  test('of which one swallows packets is waited for once, by the bootstrap server and the broker together', () =>
    inWorld({ nodes: 1 }, async world => {
      await behindOneName(world)
      world.sim.hosts.partition('10.0.0.1')
      const waits: number[] = []
      const onConnect = ({ durationMs }: { durationMs: number }) => waits.push(durationMs)
      const client = world.client({ bootstrapServers: 'kafka.example:9092', hooks: { onConnect } })
      await client.request(ListGroups, {}, { nodeId: 1 })
      expect(waits.map(ms => ms > 1_000)).toEqual([true, false])
      world.sim.hosts.heal()
    }))
})

test('brokers that all say they are others are dialled with growing pauses; one that is itself again, at once', () =>
  inWorld({ nodes: 3 }, async world => {
    const client = world.client()
    let dialled = 0
    const pass = world.broker.intercept(ApiVersions, request => {
      dialled++
      return (request.nodeId ?? -1) >= 0 ? { errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, apiKeys: [] } : 'pass'
    })
    const ask = (nodeId: number) => client.request(ListGroups, {}, { nodeId, timeoutMs: 20_000 })
    await Promise.allSettled([ask(1), ask(2), ask(3)])
    expect(dialled).toBeGreaterThan(20)
    expect(dialled).toBeLessThan(150)
    pass()
    await client.delay(2_000)
    await Promise.all([ask(1), ask(2), ask(3)])
    const start = world.sim.clock.monotonic()
    world.sim.hosts.reset()
    await Promise.all([ask(1), ask(2), ask(3)])
    expect(world.sim.clock.monotonic() - start).toBeLessThan(500)
  }))

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
