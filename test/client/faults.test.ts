import { describe, expect, test } from 'vitest'
import type { Client } from '../../src/client/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { ConnectionError, TimeoutError } from '../../src/errors.ts'
import { Producer } from '../../src/producer/index.ts'
import { CreateTopics, ListGroups, ListOffsets, Metadata, OffsetCommit, SaslAuthenticate } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { recorder } from './fixture.ts'
import { inWorld, type World } from './simulation.ts'

const PARTITIONS = [0, 1, 2, 3, 4, 5]
const endOffsets = {
  replicaId: -1,
  topics: [{ name: 't', partitions: PARTITIONS.map(partitionIndex => ({ partitionIndex, timestamp: -1n })) }],
}
const codesOf = async (client: Client, timeoutMs?: number) => {
  const { topics } = await client.request(ListOffsets, endOffsets, { timeoutMs })
  return topics.flatMap(topic => topic.partitions.map(partition => partition.errorCode))
}
const allFine = PARTITIONS.map(() => 0)
const elapsed = async (world: World, work: () => Promise<unknown>): Promise<number> => {
  const start = world.sim.clock.monotonic()
  await work()
  return world.sim.clock.monotonic() - start
}
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    value => Promise.reject(new Error(`resolved with ${JSON.stringify(value)}`)),
    (error: unknown) => error,
  )

describe('faults of the network', () => {
  test('an operation that runs out of time on a dead address says what went wrong there', () =>
    inWorld({}, async world => {
      for (const timeoutMs of [120, 3_000, 3_333]) {
        const client = world.client({ bootstrapServers: 'brokers:1' })
        await client.connect().catch(() => {})
        const error = await failureOf(client.request(Metadata, { topics: null }, { timeoutMs }))
        expect(error).toBeInstanceOf(TimeoutError)
        expect((error as TimeoutError).message).toMatch(/cannot connect to brokers:1/)
      }
    }))

  test('a coordinator that cannot be found any more: the error says what went wrong, once', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      await client.connect()
      await world.broker.stopNode(1)
      const commit = { groupId: 'g', generationId: -1, memberId: '', topics: [] }
      for (const timeoutMs of [300, 800, 1_000]) {
        const { message } = (await failureOf(client.request(OffsetCommit, commit, { timeoutMs }))) as TimeoutError
        expect(message).toMatch(/brokers:\d+/)
        expect(message.match(/finding the coordinator/g) ?? []).toHaveLength(1)
      }
    }))

  test('an operation whose time is up before any broker has answered names the addresses', () =>
    inWorld({ network: { latencyMs: 60_000 } }, async world => {
      const error = await failureOf(world.client().request(Metadata, { topics: null }, { timeoutMs: 100 }))
      expect((error as TimeoutError).message).toContain(world.listenerOf(1))
    }))

  test('F4: resets at any moment: what may be repeated succeeds', () =>
    inWorld({ network: { connectionLifeMs: [2, 40], latencyMs: 1, jitterMs: 3, splitChance: 0.3 }, seed: 7 }, async world => {
      const client = world.client()
      for (let i = 0; i < 50; i++) expect(await codesOf(client)).toEqual(allFine)
    }))

  test('F4: a reset while a request that must not be repeated is out says that its outcome is unknown', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      await client.connect()
      world.broker.intercept(CreateTopics, () => {
        world.sim.hosts.reset()
        return 'pass'
      })
      const failure = await failureOf(client.request(CreateTopics, { topics: [] }))
      expect(failure).toMatchObject({ code: 'ERR_CONNECTION', outcome: 'unknown' })
    }))

  test('F5: a bootstrap server that accepts and never answers does not hold up the others', () =>
    inWorld({}, async world => {
      world.broker.freezeNode(1)
      world.broker.freezeNode(2)
      const client = world.client()
      const ms = await elapsed(world, () => client.connect())
      expect(ms).toBeLessThan(5_000)
      expect(client.metadata.brokers().length).toBe(3)
    }))

  test('F5: a leader that hangs: its partitions time out, the others are answered', () =>
    inWorld({}, async world => {
      const client = world.client()
      await client.metadata.ensure(['t'])
      world.broker.freezeNode(2)
      const codes = await codesOf(client, 40_000)
      for (const partition of PARTITIONS) {
        const hangs = world.broker.partition('t', partition).leaderId === 2
        expect(codes[partition]).toBe(hangs ? ErrorCode.REQUEST_TIMED_OUT : ErrorCode.NONE)
      }
      world.broker.thawNode(2)
      expect(await codesOf(client)).toEqual(allFine)
    }))

  test('F6: an answer that comes after its caller gave up is dropped, and not taken for another', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      await client.connect()
      world.broker.intercept(
        ListGroups,
        async (_, { next }) => {
          const answer = await next()
          await client.delay(500)
          return typeof answer === 'object' ? answer : 'close'
        },
        { times: 1 },
      )
      const failure = await failureOf(client.request(ListGroups, {}, { timeoutMs: 100 }))
      expect(failure).toBeInstanceOf(TimeoutError)
      expect(await codesOf(client)).toEqual(allFine)
      expect(world.sim.hosts.openConnections).toBeGreaterThan(0)
    }))

  test('F7, F8: bytes one by one or all at once, slow and jittery lines', () =>
    inWorld({ network: { splitChance: 0.95, latencyMs: 150, jitterMs: 100, bytesPerMs: 20 } }, async world => {
      const client = world.client()
      const [a, b] = await Promise.all([codesOf(client), codesOf(client)])
      expect([a, b]).toEqual([allFine, allFine])
    }))

  test('F9: a client cut off for a minute goes on within seconds of being back', () =>
    inWorld({}, async world => {
      const client = world.client()
      await codesOf(client)
      world.sim.hosts.partition('client')
      const asked = codesOf(client, 120_000)
      await client.delay(60_000)
      world.sim.hosts.heal('client')
      const ms = await elapsed(world, async () => expect(await asked).toEqual(allFine))
      expect(ms).toBeLessThan(5_000)
    }))

  test('R24: half-open connections are given up after the request timeout, and replaced', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client({ requestTimeoutMs: 3_000 })
      await codesOf(client)
      world.sim.hosts.halfOpen()
      const ms = await elapsed(world, async () => expect(await codesOf(client)).toEqual(allFine))
      expect(ms).toBeGreaterThanOrEqual(3_000)
      expect(ms).toBeLessThan(4_000)
    }))
})

describe('faults of the cluster', () => {
  test('F10: a group that moves between brokers is followed', () =>
    inWorld({}, async world => {
      const client = world.client()
      const commit = {
        groupId: 'g',
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: null }] }],
      }
      for (const nodeId of [1, 2, 3, 1]) {
        world.broker.moveCoordinator('g', nodeId)
        const { topics } = await client.request(OffsetCommit, commit)
        expect(topics[0]?.partitions[0]?.errorCode).toBe(0)
      }
    }))

  test('F10: a coordinator that dies is replaced', () =>
    inWorld({}, async world => {
      const client = world.client()
      const commit = { groupId: 'g', topics: [] }
      world.broker.moveCoordinator('g', 2)
      await client.request(OffsetCommit, commit)
      await world.broker.stopNode(2)
      await client.request(OffsetCommit, commit)
    }))

  test('F11: metadata of a broker that lags behind does not send requests back to the old leader', () =>
    inWorld({}, async world => {
      const client = world.client()
      await client.metadata.ensure(['t'])
      const before = client.metadata.leaderOf('t', 0)
      let stale: unknown
      const stop = world.broker.intercept(Metadata, async (_, { next }) => {
        stale ??= await next()
        return stale as never
      })
      await client.metadata.refresh('a copy is taken')
      stop()
      const next = ((before?.nodeId ?? 1) % 3) + 1
      world.broker.moveLeader('t', 0, next)
      await client.metadata.refresh('the leader moved')
      expect(client.metadata.leaderOf('t', 0)).toMatchObject({ nodeId: next })
      world.broker.intercept(Metadata, () => stale as never)
      await client.metadata.refresh('a broker that lags behind')
      expect(client.metadata.leaderOf('t', 0)).toMatchObject({ nodeId: next })
      expect(await codesOf(client)).toEqual(allFine)
    }))

  test('F12: a topic deleted and created again under the same name is another topic', () =>
    inWorld({}, async world => {
      const client = world.client()
      await client.metadata.ensure(['t'])
      const { topicId } = client.metadata.topic('t') ?? { topicId: '' }
      world.broker.deleteTopic('t')
      world.broker.createTopic('t', 2)
      let changes = 0
      client.metadata.onChange(() => changes++)
      await client.metadata.refresh('recreated')
      expect(changes).toBe(1)
      expect(client.metadata.topic('t')?.topicId).not.toBe(topicId)
      expect(client.metadata.topic('t')?.partitions.length).toBe(2)
      expect(client.metadata.topicById(topicId)).toBeUndefined()
    }))

  test.each([
    ['fewer partitions', 3],
    ['earlier leader epochs', 6],
  ])('F12: without topic ids (before 2.8) a topic created again with %s is written and read all the same', (_, partitions) =>
    inWorld({ nodes: 2, maxVersions: { Metadata: 9, Produce: 8, Fetch: 11 } }, async world => {
      const { broker } = world
      const client = world.client()
      const producer = new Producer({ client, lingerMs: 0 })
      const consumer = new Consumer({ client: world.client(), autoOffsetReset: 'earliest' })
      const leadTo = (nodeId: number, count: number) => {
        for (let partition = 0; partition < count; partition++) broker.moveLeader('t', partition, nodeId)
      }
      for (const nodeId of [1, 2, 1, 2]) leadTo(nodeId, 6)
      for (const partition of PARTITIONS) await producer.send({ topic: 't', partition, value: Buffer.from('of the first') })
      consumer.assign([0, 1, 2].map(partition => ({ topic: 't', partition })))
      const readOfEach = async (text: string) => {
        const seen = new Set<number>()
        while (seen.size < 3)
          for (const { partition, value } of await consumer.poll({ timeoutMs: 60_000 }))
            if (String(value) === text) seen.add(partition)
      }
      await readOfEach('of the first')
      broker.deleteTopic('t')
      broker.createTopic('t', partitions)
      leadTo(1, partitions)
      // The consumer may go on at its old position, behind the first record.
      for (const text of ['below the old position', 'of the second'])
        for (const partition of [0, 1, 2]) await producer.send({ topic: 't', partition, value: Buffer.from(text) })
      expect(client.metadata.topic('t')?.partitions).toHaveLength(partitions)
      expect(await elapsed(world, () => readOfEach('of the second'))).toBeLessThan(10_000)
      await consumer.close()
      await producer.close()
    }),
  )

  test('F12: partitions that are added are found by the next refresh, and reached', () =>
    inWorld({}, async world => {
      const client = world.client()
      await client.metadata.ensure(['t'])
      const { topicId } = client.metadata.topic('t') ?? { topicId: '' }
      let changes = 0
      client.metadata.onChange(() => changes++)
      world.broker.addPartitions('t', 3)
      await client.metadata.refresh('partitions were added')
      expect(changes).toBe(1)
      expect(client.metadata.topic('t')).toMatchObject({ topicId })
      expect(client.metadata.topic('t')?.partitions.length).toBe(9)
      const leaders = [6, 7, 8].map(partition => client.metadata.leaderOf('t', partition)?.nodeId)
      expect(new Set(leaders).size).toBe(3)
      const partitions = [...PARTITIONS, 6, 7, 8].map(partitionIndex => ({ partitionIndex, timestamp: -1n }))
      const { topics } = await client.request(ListOffsets, { replicaId: -1, topics: [{ name: 't', partitions }] })
      expect(topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual(partitions.map(() => 0))
    }))

  test('F12: a request for a partition that was added just now is answered without anybody asking for a refresh', () =>
    inWorld({}, async world => {
      const client = world.client()
      expect(await codesOf(client)).toEqual(allFine)
      world.broker.addPartitions('t', 1)
      const partitions = [{ partitionIndex: 6, timestamp: -1n }]
      const { topics } = await client.request(ListOffsets, { replicaId: -1, topics: [{ name: 't', partitions }] })
      expect(topics[0]?.partitions).toMatchObject([{ partitionIndex: 6, errorCode: 0 }])
    }))

  test('F15, R18: a broker that throttles is left alone for as long as it says, then served again', () =>
    inWorld({ nodes: 1 }, async world => {
      for (const ms of [1, 4_000]) {
        const client = world.client()
        await codesOf(client)
        world.broker.throttle(ListOffsets, ms)
        await codesOf(client)
        world.broker.throttle(ListOffsets, 0)
        const waited = await elapsed(world, () => codesOf(client))
        expect(waited).toBeGreaterThanOrEqual(ms - 1)
        expect(waited).toBeLessThan(ms + 50)
        expect(await elapsed(world, () => codesOf(client))).toBeLessThan(50)
        await client.close()
      }
    }))

  test('R20: while all brokers are down they are dialled at a bounded rate, with jitter; and close() returns at once', () =>
    inWorld({}, async world => {
      const dials: number[] = []
      const client = world.client({
        hooks: {
          onConnect: ({ error }) => {
            if (error) dials.push(world.sim.clock.monotonic())
          },
        },
      })
      await codesOf(client)
      for (const nodeId of [1, 2, 3]) await world.broker.stopNode(nodeId)
      const start = world.sim.clock.monotonic()
      const failure = await failureOf(client.request(ListOffsets, endOffsets, { timeoutMs: 60_000 }))
      expect(failure).toMatchObject({ code: 'ERR_TIMEOUT' })
      expect(world.sim.clock.monotonic() - start).toBeLessThanOrEqual(60_001)
      // Three brokers and three bootstrap servers, each at most about once a second.
      expect(dials.length).toBeGreaterThan(30)
      expect(dials.length).toBeLessThan(6 * 60 * 1.5)
      const gaps = new Set(dials.slice(-20).map((at, index, all) => Math.round(at - (all[index - 1] ?? 0))))
      expect(gaps.size).toBeGreaterThan(3)
      const pending = failureOf(client.request(ListOffsets, endOffsets))
      expect(await elapsed(world, () => client.close())).toBeLessThan(10)
      expect(await pending).toMatchObject({ code: 'ERR_CLOSED' })
    }))

  test('R21: bootstrap servers that are gone do not matter while the brokers they named are there', () =>
    inWorld({}, async world => {
      const seed = await world.start('seed', { nodes: 1 })
      world.sim.hosts.names.set('first', ['seed'])
      seed.intercept(Metadata, () => ({
        brokers: world.broker.bootstrapServers.split(',').map((server, index) => ({
          nodeId: index + 1,
          host: server.split(':')[0] ?? '',
          port: Number(server.split(':')[1]),
        })),
        clusterId: world.broker.clusterId,
        controllerId: 1,
        topics: [],
      }))
      const client = world.client({ bootstrapServers: `first:${seed.bootstrapServers.split(':')[1]}` })
      await client.connect()
      await seed.close()
      world.sim.hosts.names.delete('first')
      expect(await codesOf(client)).toEqual(allFine)
      await client.metadata.refresh('again')
      expect(client.metadata.brokers().length).toBe(3)
    }))

  test('R22: a broker that comes back at another address is found there', () =>
    inWorld({ nodes: 1, clusterId: 'one-cluster-AAAAAAAAAA' }, async world => {
      const moved = await world.start('elsewhere', { nodes: 1, clusterId: 'one-cluster-AAAAAAAAAA', topics: { t: 6 } })
      const client = world.client()
      expect(await codesOf(client)).toEqual(allFine)
      const [host = '', port] = moved.bootstrapServers.split(':')
      world.broker.intercept(Metadata, async (_, { next }) => {
        const answer = await next()
        return typeof answer === 'object' ? { ...answer, brokers: [{ nodeId: 1, host, port: Number(port) }] } : 'pass'
      })
      let asked = 0
      moved.intercept(ListOffsets, () => {
        asked++
        return 'pass'
      })
      await client.metadata.refresh('it moved')
      expect(await codesOf(client)).toEqual(allFine)
      expect(asked).toBe(1)
    }))

  test('R22: requests that are waiting while a broker moves to and fro are sent all the same', () =>
    inWorld({ nodes: 1, clusterId: 'one-cluster-AAAAAAAAAA', network: { latencyMs: 2, jitterMs: 3 } }, async world => {
      const moved = await world.start('elsewhere', { nodes: 1, clusterId: 'one-cluster-AAAAAAAAAA', topics: { t: 6 } })
      const client = world.client()
      const [host = '', port] = moved.bootstrapServers.split(':')
      let there = false
      for (const broker of [world.broker, moved]) {
        broker.intercept(Metadata, async (_, { next }) => {
          const answer = await next()
          if (typeof answer !== 'object') return 'pass'
          const [home] = world.broker.bootstrapServers.split(':').slice(1)
          return {
            ...answer,
            brokers: [there ? { nodeId: 1, host, port: Number(port) } : { nodeId: 1, host: 'brokers', port: Number(home) }],
          }
        })
      }
      let over = false
      const flows = Array.from({ length: 5 }, async () => {
        while (!over) expect(await codesOf(client)).toEqual(allFine)
      })
      for (let i = 0; i < 30; i++) {
        there = !there
        await client.metadata.refresh('it moved')
        await client.delay(7)
      }
      over = true
      await Promise.all(flows)
    }))

  test('F20: all brokers replaced, the name of the bootstrap server leads to the new ones', () =>
    inWorld({}, async world => {
      const clusterId = 'the-cluster-AAAAAAAAAA'
      const blue = await world.start('blue', { port: 9092, clusterId, nodes: 2, topics: { t: 6 } })
      world.sim.hosts.names.set('kafka', ['blue'])
      const client = world.client({ bootstrapServers: 'kafka:9092' })
      expect(await codesOf(client)).toEqual(allFine)
      await blue.close()
      await world.start('green', { port: 9092, clusterId, nodes: 3, topics: { t: 6 } })
      world.sim.hosts.names.set('kafka', ['green'])
      expect(await codesOf(client)).toEqual(allFine)
      expect(client.metadata.brokers().map(broker => broker.host)).toEqual(['green', 'green', 'green'])
    }))

  test("F20: with metadataRecoveryStrategy 'none' the known brokers are waited for", () =>
    inWorld({}, async world => {
      const blue = await world.start('blue', { port: 9092, nodes: 1, topics: { t: 6 } })
      world.sim.hosts.names.set('kafka', ['blue'])
      const client = world.client({ bootstrapServers: 'kafka:9092', metadataRecoveryStrategy: 'none' })
      await codesOf(client)
      await blue.close()
      await world.start('green', { port: 9092, nodes: 1, topics: { t: 6 } })
      world.sim.hosts.names.set('kafka', ['green'])
      expect(await failureOf(codesOf(client, 5_000))).toMatchObject({ code: 'ERR_TIMEOUT' })
    }))

  test('KIP-1242: an address taken over by another cluster is noticed, and the bootstrap servers are asked again', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client({ bootstrapServers: 'kafka:9092' })
      const ours = await world.start('ours', { port: 9092, nodes: 1, topics: { t: 6 } })
      world.sim.hosts.names.set('kafka', ['ours'])
      expect(await codesOf(client)).toEqual(allFine)
      const { clusterId } = client.metadata
      await ours.close()
      const stranger = await world.start('ours', { port: 9092, nodes: 1, topics: { t: 6 } })
      const green = await world.start('green', { port: 9092, nodes: 1, topics: { t: 6 }, clusterId: clusterId ?? '' })
      world.sim.hosts.names.set('kafka', ['green'])
      let mistaken = 0
      stranger.intercept(ListOffsets, () => {
        mistaken++
        return 'pass'
      })
      expect(await codesOf(client)).toEqual(allFine)
      expect(mistaken).toBe(0)
      expect(client.metadata.clusterId).toBe(green.clusterId)
    }))

  test('KIP-1102: error 129 in a metadata answer sends the client back to its bootstrap servers', () =>
    inWorld({}, async world => {
      const client = world.client()
      await codesOf(client)
      world.broker.intercept(Metadata, () => ({ errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, brokers: [], topics: [] }), {
        times: 1,
      })
      await client.metadata.refresh('whatever')
      expect(client.metadata.brokers().length).toBe(3)
      expect(await codesOf(client)).toEqual(allFine)
    }))
})

describe('credentials', () => {
  const sasl = { mechanisms: ['SCRAM-SHA-256' as const], users: { alice: 'open-sesame' } }
  const login = (password: string) => ({ mechanism: 'SCRAM-SHA-256' as const, username: 'alice', password })

  test('F16: refused credentials end everything at once, and never show', () =>
    inWorld({ sasl }, async world => {
      const { logger, lines } = recorder()
      const events: string[] = []
      const note = (event: object) =>
        void events.push(JSON.stringify(event, (_, value: unknown) => (value instanceof Error ? value.stack : value)))
      const client = world.client({
        sasl: login('wr0ng-secret'),
        logger,
        hooks: { onConnect: note, onDisconnect: note, onWrite: note, onRead: note },
      })
      const ms = await elapsed(world, async () => {
        for (const attempt of [client.connect(), client.request(ListOffsets, endOffsets), client.metadata.ensure(['t'])]) {
          const failure = await failureOf(attempt)
          expect(failure).toMatchObject({ code: 'ERR_AUTHENTICATION' })
          expect(String((failure as Error).stack) + JSON.stringify(failure)).not.toMatch(/wr0ng-secret/)
        }
      })
      expect(ms).toBeLessThan(1_000)
      expect(lines.length).toBeGreaterThan(0)
      expect(events.length).toBeGreaterThan(0)
      expect(lines.join('\n') + events.join('\n')).not.toMatch(/wr0ng-secret/)
      expect(JSON.stringify(client.options, (_, value: unknown) => (typeof value === 'bigint' ? 0 : value))).not.toMatch(
        /wr0ng-secret/,
      )
    }))

  test('a function that gives no TLS options does not come to mean plain text, nor one that hangs the end of all connecting', () =>
    inWorld({ nodes: 1, sasl }, async world => {
      const nothing = world.client({ tls: (async () => {}) as never, sasl: login('open-sesame') })
      const failure = await failureOf(nothing.connect())
      expect(failure).toMatchObject({ code: 'ERR_CONFIG' })
      expect(String(failure)).toMatch(/gave undefined, not options/)
      // Neither does it get better by asking again.
      expect(world.sim.clock.monotonic()).toBeLessThan(100)
      let asked = 0
      const hang = () => {
        asked++
        return new Promise<never>(() => {})
      }
      const hanging = world.client({ tls: hang, socketConnectionSetupTimeoutMs: 1_000 })
      const hung = await failureOf(hanging.metadata.ensure(['t'], { timeoutMs: 10_000 }))
      expect(String(hung)).toMatch(/the tls option failed \(the function did not finish within 1000 ms/)
      expect(asked).toBeGreaterThan(3)
    }))

  test('a broker that dies in the middle of SASL has not refused the credentials: the operation goes on', () =>
    inWorld({ nodes: 1, sasl }, async world => {
      world.broker.intercept(SaslAuthenticate, () => 'close', { times: 2 })
      await world.client({ sasl: login('open-sesame') }).metadata.ensure(['t'])
    }))

  test('TLS options given as a function are asked for at each connection: renewed certificates are picked up', () =>
    inWorld({ tls: {}, nodes: 1 }, async world => {
      let asked = 0
      const client = world.client({
        tls: async () => {
          asked++
          return { ca: `certificate ${asked}` }
        },
      })
      await codesOf(client)
      const before = asked
      world.sim.hosts.reset()
      await codesOf(client)
      expect(asked).toBe(before + 1)
      const failing = world.client({
        tls: () => {
          throw new Error('no such file: client.pem')
        },
      })
      const failure = await failureOf(failing.connect())
      expect(String(failure)).toMatch(/client\.pem/)
    }))

  test('R23: re-authentication while requests flow loses none', () =>
    inWorld({ sasl: { ...sasl, maxReauthMs: 2_000 }, nodes: 1 }, async world => {
      const client = world.client({ sasl: login('open-sesame') })
      const start = world.sim.clock.monotonic()
      while (world.sim.clock.monotonic() - start < 8_000) {
        const answers = await Promise.all(Array.from({ length: 4 }, () => codesOf(client)))
        expect(answers).toEqual(answers.map(() => allFine))
        await client.delay(50)
      }
    }))
})

describe('tokens', () => {
  test('R23: tokens that take their time are renewed under load: no request fails, and none waits for them', () =>
    inWorld({ nodes: 1, sasl: { mechanisms: ['OAUTHBEARER'], maxReauthMs: 10_000 } }, async world => {
      let fetched = 0
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const client = world.client({
        sasl: {
          mechanism: 'OAUTHBEARER',
          token: async () => {
            fetched++
            await new Promise<void>(done => world.sim.clock.setTimer(400, done))
            const iat = world.sim.clock.now() / 1_000
            return { value: `${part({ alg: 'none' })}.${part({ sub: 'alice', iat, exp: iat + 60 })}.` }
          },
        },
      })
      await client.connect()
      expect(await codesOf(client)).toEqual(allFine)
      const before = fetched
      const start = world.sim.clock.monotonic()
      let longest = 0
      let answered = 0
      await Promise.all(
        Array.from({ length: 5 }, async () => {
          while (world.sim.clock.monotonic() - start < 30_000) {
            const asked = world.sim.clock.monotonic()
            expect(await codesOf(client)).toEqual(allFine)
            longest = Math.max(longest, world.sim.clock.monotonic() - asked)
            answered++
            await client.delay(7)
          }
        }),
      )
      expect(fetched - before).toBeGreaterThanOrEqual(3)
      expect(answered).toBeGreaterThan(6_000)
      expect(longest).toBeLessThan(100)
    }))
})

describe('rest', () => {
  test('R19: an idle client does nothing but refresh its metadata by age, and closes what it does not use', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client({ metadataMaxAgeMs: 300_000, connectionsMaxIdleMs: 540_000 })
      await codesOf(client)
      await client.delay(1_000)
      const before = world.sim.clock.happened
      await client.delay(290_000)
      expect(world.sim.clock.happened - before).toBeLessThanOrEqual(3)
      let refreshes = 0
      world.broker.intercept(Metadata, () => {
        refreshes++
        return 'pass'
      })
      await client.delay(600_000)
      expect(refreshes).toBe(2)
    }))

  test('idle connections are closed, and opened again when needed', () =>
    inWorld({}, async world => {
      const closed: string[] = []
      const client = world.client({
        connectionsMaxIdleMs: 10_000,
        metadataMaxAgeMs: 0,
        hooks: { onDisconnect: ({ nodeId, error }) => void (nodeId > 0 && closed.push(`${nodeId} ${error}`)) },
      })
      await codesOf(client)
      await client.delay(25_000)
      expect(closed.sort()).toEqual(['1 undefined', '2 undefined', '3 undefined'])
      expect(await codesOf(client)).toEqual(allFine)
    }))

  test('topics that nobody asks about are no longer refreshed, tracked ones are', () =>
    inWorld({ topics: { t: 1, u: 1 } }, async world => {
      const client = world.client({ metadataMaxAgeMs: 10_000, metadataMaxIdleMs: 30_000 })
      const untrack = client.metadata.track(['u'])
      await client.metadata.ensure(['t', 'u'])
      let asked: (string | null)[] = []
      world.broker.intercept(Metadata, request => {
        asked = (request.topics ?? []).map(topic => topic.name)
        return 'pass'
      })
      await client.delay(15_000)
      expect(asked.sort()).toEqual(['t', 'u'])
      await client.delay(60_000)
      expect(asked).toEqual(['u'])
      expect(client.metadata.topic('t')).toBeUndefined()
      untrack()
      await client.delay(60_000)
      expect(asked).toEqual([])
    }))

  test('trackAll asks for every topic', () =>
    inWorld({ topics: { t: 1, u: 1 } }, async world => {
      const client = world.client()
      const untrack = client.metadata.trackAll()
      await client.metadata.refresh('everything')
      expect(
        client.metadata
          .topics()
          .map(topic => topic.name)
          .sort(),
      ).toEqual(['t', 'u'])
      untrack()
    }))

  test('many refreshes at once are one request, and those that follow are at most one per retryBackoffMs', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      await client.metadata.ensure(['t'])
      await client.delay(1_000)
      let asked = 0
      world.broker.intercept(Metadata, () => {
        asked++
        return 'pass'
      })
      await Promise.all(Array.from({ length: 100 }, () => client.metadata.refresh('crowd')))
      expect(asked).toBe(1)
      const ms = await elapsed(world, async () => {
        for (let i = 0; i < 5; i++) await client.metadata.refresh('again')
      })
      expect(asked).toBe(6)
      expect(ms).toBeGreaterThanOrEqual(5 * 100)
    }))

  test('close() lets requests in flight finish, and refuses new ones; destroyed after its timeout', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      await codesOf(client)
      world.broker.intercept(ListOffsets, async (_, { next }) => {
        const answer = await next()
        await new Promise<void>(resolve => world.sim.clock.setTimer(300, resolve))
        return typeof answer === 'object' ? answer : 'close'
      })
      const sent = client.sendTo(1, ListOffsets, endOffsets, { lane: 'other' })
      await client.delay(50)
      const closing = client.close()
      expect(client.close()).toBe(closing)
      expect((await sent).topics.length).toBe(1)
      await closing
      expect(await failureOf(client.request(ListOffsets, endOffsets))).toMatchObject({ code: 'ERR_CLOSED' })

      const hasty = world.client()
      await hasty.connect()
      const lost = failureOf(hasty.sendTo(1, ListOffsets, endOffsets, { lane: 'other' }))
      await hasty.delay(50)
      expect(await elapsed(world, () => hasty.close({ timeoutMs: 100 }))).toBeLessThan(150)
      expect(await lost).toMatchObject({ outcome: 'unknown' })
    }))

  test('sendTo is one attempt, and says whether the broker can have acted', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client({ requestTimeoutMs: 500 })
      await client.connect()
      world.broker.intercept(ListOffsets, () => 'drop', { times: 1 })
      const hung = await failureOf(client.sendTo(1, ListOffsets, endOffsets, { lane: 'other' }))
      expect(hung).toBeInstanceOf(TimeoutError)
      expect(hung).toMatchObject({ outcome: 'unknown' })
      await world.broker.stopNode(1)
      const down = await failureOf(client.sendTo(1, ListOffsets, endOffsets, { lane: 'fetch' }))
      expect(down).toBeInstanceOf(ConnectionError)
      expect(down).toMatchObject({ outcome: 'not-sent' })
      expect(await failureOf(client.sendTo(9, ListOffsets, endOffsets, { lane: 'fetch' }))).toMatchObject({ outcome: 'not-sent' })
    }))

  test('lanes have connections of their own: one that is held back does not hold up another', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      await client.connect()
      world.broker.intercept(ListGroups, () => new Promise(() => {}))
      const held = failureOf(client.sendTo(1, ListGroups, {}, { lane: 'group', timeoutMs: 5_000 }))
      await client.delay(10)
      expect(await elapsed(world, () => client.sendTo(1, ListOffsets, endOffsets, { lane: 'other' }))).toBeLessThan(20)
      expect(await held).toBeInstanceOf(TimeoutError)
    }))
})
