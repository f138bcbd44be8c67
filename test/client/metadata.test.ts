import { describe, expect, test } from 'vitest'
import { Fetch, ListGroups, Metadata } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { inWorld, type World } from './simulation.ts'

/** An answer that names the leader of the only partition of t. */
function leaderIs({ listenerOf, broker }: World, leaderId: number, leaderEpoch: number) {
  const nodes = listenerOf(2) === '' ? [1] : [1, 2]
  return {
    brokers: nodes.map(nodeId => {
      const [host = '', port] = listenerOf(nodeId).split(':')
      return { nodeId, host, port: Number(port) }
    }),
    clusterId: broker.clusterId,
    controllerId: 1,
    topics: [
      {
        name: 't',
        errorCode: 0,
        partitions: [
          { partitionIndex: 0, errorCode: 0, leaderId, leaderEpoch, replicaNodes: [1, 2], isrNodes: [1, 2], offlineReplicas: [] },
        ],
      },
    ],
  }
}

describe('metadata', () => {
  test('topics are created on request only, and only where the broker does so', () =>
    inWorld({ autoCreateTopics: true, topics: {} }, async world => {
      const client = world.client()
      await expect(client.metadata.ensure(['new'])).rejects.toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION' })
      await client.metadata.ensure(['new'], { allowAutoCreate: true })
      expect(client.metadata.topic('new')?.partitions.length).toBe(1)
    }))

  test('a topic that appears while it is waited for is found', () =>
    inWorld({ topics: {} }, async world => {
      const client = world.client()
      const waiting = client.metadata.ensure(['late'])
      await client.delay(150)
      world.broker.createTopic('late', 3)
      await waiting
      expect(client.metadata.topic('late')?.partitions.length).toBe(3)
    }))

  test('what cannot be had is told apart from what can', () =>
    inWorld({ topics: { t: 1 } }, async world => {
      const client = world.client()
      const failed = await client.metadata.locate(['t', 'nope', 'not/a/name'])
      expect([...failed].map(([name, error]) => [name, error.error]).sort()).toEqual([
        ['nope', 'UNKNOWN_TOPIC_OR_PARTITION'],
        ['not/a/name', 'INVALID_TOPIC_EXCEPTION'],
      ])
      expect(client.metadata.topic('t')).toBeDefined()
    }))

  test('KIP-516: topics of which only the id is known', () =>
    inWorld({ topics: { t: 2 } }, async world => {
      const client = world.client()
      const { topicId } = world.broker.partition('t', 0)
      expect(await client.metadata.locateIds([topicId])).toEqual(new Map())
      expect(client.metadata.topicById(topicId)?.name).toBe('t')
      const failed = await client.metadata.locateIds(['unknown-id-AAAAAAAAAAA'])
      expect([...failed.values()].map(error => error.error)).toEqual(['UNKNOWN_TOPIC_ID'])
      const request = {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topicId, partitions: [{ partition: 1, fetchOffset: 0n, partitionMaxBytes: 1 }] }],
      }
      const other = await world.client().request(Fetch, request)
      expect(other.responses).toMatchObject([{ topic: 't', topicId, partitions: [{ errorCode: 0 }] }])
    }))

  test('KIP-951: a hint names the new leader, and where it is', () =>
    inWorld({ nodes: 2, topics: { t: 2 } }, async world => {
      const client = world.client()
      await client.metadata.ensure(['t'])
      let changes = 0
      client.metadata.onChange(() => changes++)
      const { leaderEpoch = 0 } = client.metadata.leaderOf('t', 0) ?? {}
      const leader = { leaderId: 9, leaderEpoch: leaderEpoch + 1 }
      client.metadata.hint('t', 0, leader)
      expect(client.metadata.leaderOf('t', 0)?.nodeId).not.toBe(9)
      client.metadata.hint('t', 0, leader, [{ nodeId: 9, host: 'brokers', port: 1, rack: null }])
      expect(client.metadata.leaderOf('t', 0)).toEqual({ nodeId: 9, leaderEpoch: leaderEpoch + 1 })
      client.metadata.hint('t', 0, { leaderId: 1, leaderEpoch })
      expect(client.metadata.leaderOf('t', 0)?.nodeId).toBe(9)
      expect(changes).toBe(1)
    }))

  test('KIP-951: a hint that is no news, or says nowhere, moves no broker', () =>
    inWorld({ nodes: 2, topics: { t: 2 } }, async world => {
      const client = world.client()
      await client.metadata.ensure(['t'])
      const brokers = client.metadata.brokers()
      const { leaderEpoch = 0 } = client.metadata.leaderOf('t', 0) ?? {}
      const hint = (epoch: number, host: string, port: number) =>
        client.metadata.hint('t', 0, { leaderId: 2, leaderEpoch: epoch }, [{ nodeId: 2, host, port, rack: null }])
      hint(-1, 'stale', 1)
      hint(leaderEpoch, 'stale', 1)
      hint(leaderEpoch + 1, '', -1)
      expect(client.metadata.brokers()).toEqual(brokers)
      hint(leaderEpoch + 2, 'moved', 1)
      expect(client.metadata.brokers()).toContainEqual({ nodeId: 2, host: 'moved', port: 1, rack: null })
    }))

  test.each([
    [8, 2, -1],
    [9, 1, 5],
  ])('KAFKA-9212: an epoch that goes back in Metadata v%i: the leader is %i, its epoch %i', (version, nodeId, leaderEpoch) =>
    inWorld({ nodes: 2, maxVersions: { Metadata: version } }, async world => {
      const client = world.client()
      let answer = leaderIs(world, 1, 5)
      world.broker.intercept(Metadata, () => answer)
      await client.metadata.ensure(['t'])
      answer = leaderIs(world, 2, 4)
      await client.metadata.refresh('the leader moved')
      expect(client.metadata.leaderOf('t', 0)).toEqual({ nodeId, leaderEpoch })
    }),
  )

  test('another cluster behind the same addresses: what was known of the topics of the former one is forgotten', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      let answer = leaderIs(world, 1, 5)
      world.broker.intercept(Metadata, () => answer)
      await client.metadata.ensure(['t'])
      answer = { ...answer, clusterId: 'another', topics: [] }
      await client.metadata.refresh('whatever')
      expect(client.metadata.topic('t')).toBeUndefined()
      answer = { ...leaderIs(world, 1, 0), clusterId: 'another' }
      await client.metadata.ensure(['t'])
      expect(client.metadata.leaderOf('t', 0)).toEqual({ nodeId: 1, leaderEpoch: 0 })
    }))

  test('KIP-1102: error 129 from all brokers is waited out, from a single one passed over', () =>
    inWorld({ topics: { t: 1, u: 1 } }, async world => {
      const client = world.client()
      await client.metadata.ensure(['t'])
      const rebootstrap = { errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, brokers: [], topics: [] }
      const start = world.sim.clock.monotonic()
      const until = world.broker.intercept(Metadata, () => rebootstrap)
      world.sim.clock.setTimer(500, until)
      await client.metadata.ensure(['u'])
      expect(world.sim.clock.monotonic() - start).toBeGreaterThan(500)
      const always = world.broker.intercept(Metadata, () => rebootstrap)
      const failure = client.metadata.ensure(['v'], { timeoutMs: 2_000 })
      await expect(failure).rejects.toMatchObject({
        code: 'ERR_TIMEOUT',
        message: expect.stringContaining('sends us back to bootstrapServers'),
      })
      always()
      world.broker.intercept(Metadata, () => rebootstrap, { nodeId: 1 })
      await client.metadata.ensure(['t', 'u'])
    }))

  test('KIP-899: bootstrapServers are asked after three brokers that hang, however many there are', () =>
    inWorld({ nodes: 6, topics: { t: 1 } }, async world => {
      const port = Number(world.listenerOf(1).split(':')[1])
      world.sim.hosts.names.set('seed', ['brokers'])
      const client = world.client({ bootstrapServers: `seed:${port}` })
      await client.metadata.ensure(['t'])
      expect(client.metadata.brokers()).toHaveLength(6)
      await world.start('elsewhere', { port, nodes: 1, topics: { t: 1, u: 1 } })
      world.sim.hosts.names.set('seed', ['elsewhere'])
      world.broker.intercept(Metadata, () => 'drop')
      const start = world.sim.clock.monotonic()
      await client.metadata.ensure(['u'])
      expect(world.sim.clock.monotonic() - start).toBeGreaterThan(5_900)
      expect(world.sim.clock.monotonic() - start).toBeLessThan(7_000)
    }))

  test('a broker that no later attempt would help does not hide another that is only late', () =>
    inWorld({ nodes: 2, topics: { t: 1 } }, async world => {
      const refuse = { brokers: [], topics: [], errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED }
      world.broker.intercept(Metadata, (_, { node }) => (node.id === 1 ? refuse : 'close'), { times: 6 })
      await world.client().metadata.ensure(['t'])
    }))

  test('nothing is known to a closed client any more', () =>
    inWorld({ nodes: 1, topics: { t: 1 } }, async world => {
      const client = world.client()
      await client.metadata.ensure(['t'])
      await client.close()
      const closed = { code: 'ERR_CLOSED' }
      await expect(client.connect()).rejects.toMatchObject(closed)
      await expect(client.metadata.ensure(['t'])).rejects.toMatchObject(closed)
      await expect(client.metadata.ensure([])).rejects.toMatchObject(closed)
    }))

  test('an unfinished question does not keep others from asking theirs', () =>
    inWorld({ nodes: 1, topics: { a: 1, b: 1 } }, async world => {
      const client = world.client()
      await client.connect()
      const asked: string[][] = []
      world.broker.intercept(Metadata, request => {
        asked.push((request.topics ?? []).map(topic => topic.name ?? ''))
        return 'pass'
      })
      await Promise.all([client.metadata.ensure(['a']), client.metadata.ensure(['b']), client.metadata.ensure(['a', 'b'])])
      expect(asked[0]).toEqual(['a'])
      expect(asked.slice(1).map(names => names.sort())).toEqual([['a', 'b']])
    }))

  test('a partition without a leader is waited for', () =>
    inWorld({ nodes: 1, topics: { t: 1 } }, async world => {
      const client = world.client()
      world.broker.intercept(
        Metadata,
        async (_, { next }) => {
          const answer = await next()
          if (typeof answer !== 'object') return 'pass'
          const topics = answer.topics.map(topic => ({
            ...topic,
            partitions: topic.partitions.map(partition => ({
              ...partition,
              leaderId: -1,
              errorCode: ErrorCode.LEADER_NOT_AVAILABLE,
            })),
          }))
          return { ...answer, topics }
        },
        { times: 3 },
      )
      await client.metadata.ensure(['t'])
      expect(client.metadata.leaderOf('t', 0)).toBeUndefined()
      const request = {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 }] }],
      }
      expect((await client.request(Fetch, request)).responses[0]?.partitions[0]?.errorCode).toBe(0)
      expect(client.metadata.leaderOf('t', 0)?.nodeId).toBe(1)
    }))

  test('when no broker answers, the error says what was tried last', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client({ bootstrapServers: 'brokers:9,nowhere:9092' })
      const start = world.sim.clock.monotonic()
      await expect(client.connect()).rejects.toMatchObject({
        code: 'ERR_CONNECTION',
        message: expect.stringMatching(/brokers:9|nowhere/),
      })
      expect(world.sim.clock.monotonic() - start).toBeLessThan(1_000)
      await expect(client.metadata.ensure(['t'], { timeoutMs: 3_000 })).rejects.toMatchObject({
        code: 'ERR_TIMEOUT',
        afterMs: 3_000,
        cause: { code: 'ERR_CONNECTION' },
      })
    }))

  test.each([undefined, 5_000])('close() waits for the answer of a request in flight, whatever its own timeout (%s)', timeoutMs =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client()
      await client.request(ListGroups, {})
      const pass = (ms: number) => new Promise<void>(resolve => world.sim.clock.setTimer(ms, resolve))
      world.broker.intercept(ListGroups, () => pass(400).then(() => 'pass' as const), { times: 1 })
      const answer = client.request(ListGroups, {}, { timeoutMs })
      await pass(100)
      await client.close()
      expect((await answer).errorCode).toBe(0)
    }),
  )

  test('a timeout that is no number is refused: it would never pass', () =>
    inWorld({ nodes: 1 }, async world => {
      world.broker.intercept(ListGroups, () => 'drop')
      const refused = world.client().request(ListGroups, {}, { timeoutMs: Number.NaN })
      await expect(refused).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    }))

  test('hundreds of connects and closes leave nothing behind', () =>
    inWorld({ nodes: 1, topics: { t: 1 } }, async world => {
      for (let i = 0; i < 300; i++) {
        const client = world.client()
        await client.metadata.ensure(['t'])
        await client.close()
      }
      await new Promise<void>(resolve => world.sim.clock.setTimer(1_000, resolve))
      expect(world.sim.hosts.openConnections).toBe(0)
    }))

  test('close() at every moment of a request settles it, once, and leaves no connection', () =>
    inWorld({ nodes: 2, topics: { t: 2 }, network: { latencyMs: 2 } }, async world => {
      const topics = [{ topic: 't', partitions: [0, 1].map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 1 })) }]
      for (let ms = 0; ms < 40; ms++) {
        const client = world.client()
        let settled = 0
        const done = client.request(Fetch, { maxWaitMs: 0, minBytes: 0, topics }).then(
          () => settled++,
          (error: unknown) => {
            settled++
            expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(CLOSED|CONNECTION)$/) })
          },
        )
        await new Promise<void>(resolve => world.sim.clock.setTimer(ms, resolve))
        await client.close()
        await done
        expect(settled).toBe(1)
      }
      await new Promise<void>(resolve => world.sim.clock.setTimer(1_000, resolve))
      expect(world.sim.hosts.openConnections).toBe(0)
    }))
})
