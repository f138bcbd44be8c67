import { describe, expect, test } from 'vitest'
import { Client } from '../../src/client/index.ts'
import { BrokerError, PartialFailureError, TimeoutError, UnsupportedVersionError } from '../../src/errors.ts'
import {
  ApiVersions,
  CreateTopics,
  DescribeCluster,
  DescribeConfigs,
  DescribeGroups,
  DescribeProducers,
  Fetch,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  ListGroups,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  Produce,
} from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import type { Api, Encodable } from '../../src/protocol/schema.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { Deadline } from '../../src/util/deadline.ts'
import { brokerWith, clientOf, clusterOf } from './fixture.ts'
import { ScriptedBroker } from './scripted-broker.ts'
import { inWorld } from './simulation.ts'

const listOffsets = (partitions: readonly number[], topic = 't') => ({
  replicaId: -1,
  topics: [{ name: topic, partitions: partitions.map(partitionIndex => ({ partitionIndex, timestamp: -1n })) }],
})
const codes = (answer: { topics: readonly { partitions: readonly { partitionIndex: number; errorCode: number }[] }[] }) =>
  answer.topics.flatMap(topic => topic.partitions.map(({ partitionIndex, errorCode }) => [partitionIndex, errorCode]))

describe('requests to leaders', () => {
  test('each partition goes to its leader; the answers are joined, in the order asked', async () => {
    const { broker, client } = await clusterOf(3, { t: 6, u: 3 })
    const asked: [number, number[]][] = []
    broker.intercept(ListOffsets, (request, { node }) => {
      asked.push([node.id, request.topics.flatMap(topic => topic.partitions.map(each => each.partitionIndex))])
      return 'pass'
    })
    const answer = await client.request(ListOffsets, {
      replicaId: -1,
      topics: [...listOffsets([5, 0, 3, 1]).topics, ...listOffsets([2], 'u').topics],
    })
    expect(answer.topics.map(topic => topic.name)).toEqual(['t', 'u'])
    expect(codes(answer)).toEqual([
      [5, 0],
      [0, 0],
      [3, 0],
      [1, 0],
      [2, 0],
    ])
    const leader = (topic: string, partition: number) => broker.partition(topic, partition).leaderId
    for (const [nodeId, partitions] of asked) {
      for (const partition of partitions) expect(nodeId).toBe(leader(partition === 2 ? 'u' : 't', partition))
    }
    expect(new Set(asked.map(([nodeId]) => nodeId)).size).toBe(asked.length)
  })

  test('F11: a moved leader is found, and only what failed is asked again', async () => {
    const { broker, client } = await clusterOf(3)
    await client.metadata.ensure(['t'])
    const moved = broker.partition('t', 0).leaderId
    const stayed = [0, 1, 2, 3, 4, 5].filter(partition => broker.partition('t', partition).leaderId !== moved)
    broker.moveLeader('t', 0, (moved % 3) + 1)
    const asked: number[] = []
    broker.intercept(ListOffsets, request => {
      asked.push(...request.topics.flatMap(topic => topic.partitions.map(each => each.partitionIndex)))
      return 'pass'
    })
    const answer = await client.request(ListOffsets, listOffsets([0, ...stayed]))
    expect(codes(answer).map(([, code]) => code)).toEqual([0, ...stayed.map(() => 0)])
    expect(asked.filter(partition => partition !== 0).sort()).toEqual(stayed)
    expect(asked.filter(partition => partition === 0).length).toBeGreaterThan(1)
    expect(client.metadata.leaderOf('t', 0)?.nodeId).toBe((moved % 3) + 1)
  })

  test('a topic or partition that does not exist is an error code of its own; the others are answered', async () => {
    const { client } = await clusterOf(1, { t: 2 })
    const answer = await client.request(ListOffsets, {
      replicaId: -1,
      topics: [...listOffsets([0, 7]).topics, ...listOffsets([0], 'nope').topics],
    })
    expect(codes(answer)).toEqual([
      [0, 0],
      [7, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ])
    expect(answer.topics[1]?.name).toBe('nope')
  })

  test('topic ids are filled in, and names in the answer, as the version needs', async () => {
    const { broker, client } = await clusterOf(2, { t: 2 })
    const request = (topic: object) => ({
      maxWaitMs: 0,
      minBytes: 0,
      topics: [{ ...topic, partitions: [{ partition: 1, fetchOffset: 0n, partitionMaxBytes: 1_000 }] }],
    })
    for (const version of [12, 13]) {
      const { responses } = await client.request(Fetch, request({ topic: 't' }), { version })
      expect(responses.map(({ topic, partitions }) => [topic, partitions[0]?.errorCode])).toEqual([['t', 0]])
    }
    const { topicId } = broker.partition('t', 1)
    const byId = await client.request(Fetch, request({ topicId }))
    expect(byId.responses[0]).toMatchObject({ topicId, partitions: [{ partitionIndex: 1, errorCode: 0 }] })
  })

  test('a cluster whose topics have no ids yet (an older inter-broker protocol) is asked by their names', () =>
    inWorld({ nodes: 1, topics: { t: 1 } }, async ({ broker, client, listenerOf }) => {
      const [host = '', port] = listenerOf(1).split(':')
      const partition = { partitionIndex: 0, errorCode: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] }
      broker.intercept(Metadata, () => ({
        brokers: [{ nodeId: 1, host, port: Number(port) }],
        topics: [{ errorCode: 0, name: 't', partitions: [partition] }],
      }))
      const asked: [number, string | undefined][] = []
      broker.intercept(Fetch, ({ topics }, { version }) => {
        asked.push([version, topics[0]?.topic])
        return 'pass'
      })
      const partitions = [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000 }]
      const { responses } = await client().request(Fetch, { maxWaitMs: 0, minBytes: 0, topics: [{ topic: 't', partitions }] })
      expect(responses[0]).toMatchObject({ topic: 't', partitions: [{ errorCode: 0 }] })
      expect(asked).toEqual([[12, 't']])
    }))

  test('a leader is asked five times whether it has a partition, and then believed', () =>
    inWorld({ nodes: 1, topics: { t: 1 } }, async ({ broker, client }) => {
      let asked = 0
      broker.intercept(ListOffsets, () => {
        asked++
        const partitions = [{ partitionIndex: 0, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }]
        return { topics: [{ name: 't', partitions }] }
      })
      const answer = await client().request(ListOffsets, listOffsets([0]))
      expect(codes(answer)).toEqual([[0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]])
      expect(asked).toBe(5)
    }))

  test('partitions given as plain numbers', () => {
    const sim = new SimulatedRuntime()
    return sim.run(async () => {
      const broker = await ScriptedBroker.listen(sim, 'broker')
      const partition = (partitionIndex: number) => ({
        errorCode: 0,
        partitionIndex,
        leaderId: 1,
        leaderEpoch: 0,
        replicaNodes: [1],
        isrNodes: [1],
      })
      broker
        .on(Metadata, () => ({
          brokers: [{ nodeId: 1, host: 'broker', port: 9092 }],
          topics: [{ errorCode: 0, name: 't', partitions: [partition(0), partition(1), partition(2)] }],
        }))
        .on(DescribeProducers, ({ topics }) => ({
          throttleTimeMs: 0,
          topics: topics.map(({ name, partitionIndexes }) => ({
            name,
            // Whatever the order of the answer, the caller sees that of the request.
            partitions: partitionIndexes
              .toReversed()
              .map(partitionIndex => ({ partitionIndex, errorCode: 0, errorMessage: null, activeProducers: [] })),
          })),
        }))
      const client = new Client({ bootstrapServers: broker.address, enableMetricsPush: false }, sim)
      const answer = await client.request(DescribeProducers, { topics: [{ name: 't', partitionIndexes: [2, 0] }] })
      expect(codes(answer)).toEqual([
        [2, 0],
        [0, 0],
      ])
      await client.close()
    })
  })

  test('a leader that cannot be reached fails its partitions only', () =>
    inWorld({ nodes: 2, topics: { t: 2 } }, async ({ broker, client }) => {
      const asker = client()
      await asker.metadata.ensure(['t'])
      broker.intercept(ListOffsets, () => 'close', { nodeId: broker.partition('t', 1).leaderId })
      const answer = await asker.request(ListOffsets, listOffsets([0, 1]), { timeoutMs: 2_000 })
      expect(codes(answer)).toEqual([
        [0, 0],
        [1, ErrorCode.NETWORK_EXCEPTION],
      ])
      const alone = asker.request(ListOffsets, listOffsets([1]), { timeoutMs: 2_000 })
      await expect(alone).rejects.toMatchObject({ code: 'ERR_TIMEOUT', cause: { code: 'ERR_CONNECTION' } })
    }))

  test('Produce without acks is not waited for', async () => {
    const { client } = await clusterOf(1, { t: 1 })
    const records = Buffer.alloc(0)
    const request = { acks: 0, timeoutMs: 0, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }
    const answer = await client.request(Produce, request)
    expect(answer.responses[0]).toMatchObject({ name: 't', partitionResponses: [{ index: 0, errorCode: 0 }] })
  })
})

describe('requests to the controller', () => {
  test('NOT_CONTROLLER: the controller is looked up again', async () => {
    const { broker, client } = await clusterOf(2)
    const topics = [{ name: 'new', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    let refusals = 0
    broker.intercept(
      CreateTopics,
      () => {
        refusals++
        return { topics: [{ name: 'new', errorCode: ErrorCode.NOT_CONTROLLER }] }
      },
      { times: 2 },
    )
    let lookUps = 0
    broker.intercept(Metadata, () => {
      lookUps++
      return 'pass'
    })
    const answer = await client.request(CreateTopics, { topics })
    expect(answer.topics).toMatchObject([{ name: 'new', errorCode: 0 }])
    expect(refusals).toBe(2)
    expect(lookUps).toBeGreaterThan(1)
  })

  test('the time the broker may take is filled in, so that the answer is the outcome', async () => {
    const { broker, client } = await clusterOf(1)
    const seen: number[] = []
    broker.intercept(CreateTopics, request => {
      seen.push(request.timeoutMs)
      return 'pass'
    })
    await client.request(CreateTopics, { topics: [] })
    await client.request(CreateTopics, { topics: [], timeoutMs: 7 })
    expect(seen[0]).toBeGreaterThan(0)
    expect(seen[1]).toBe(7)
  })

  test('a request that must not be applied twice is not repeated when its outcome is unknown', async () => {
    const { broker, client } = await clusterOf(1)
    let asked = 0
    broker.intercept(CreateTopics, () => {
      asked++
      return 'close'
    })
    const failure = await client.request(CreateTopics, { topics: [] }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'ERR_CONNECTION', outcome: 'unknown' })
    expect(asked).toBe(1)
  })

  test('one that only reads, or may be applied twice, is repeated', async () => {
    const { broker, client } = await clusterOf(1)
    broker.intercept(DescribeConfigs, () => 'close', { times: 2 })
    const answer = await client.request(DescribeConfigs, {
      resources: [{ resourceType: 2, resourceName: 't', configurationKeys: null }],
    })
    expect(answer.results).toMatchObject([{ errorCode: 0, resourceName: 't' }])
  })
})

describe('requests to coordinators', () => {
  const commit = (groupId: string) => ({
    groupId,
    topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 5n, committedMetadata: null }] }],
  })

  test('F10: NOT_COORDINATOR: it is looked up again; loading is waited for', async () => {
    const { broker, client } = await clusterOf(3)
    let lookUps = 0
    broker.intercept(FindCoordinator, () => {
      lookUps++
      return 'pass'
    })
    const refuse = (errorCode: number) => () => ({
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, errorCode }] }],
    })
    broker.intercept(OffsetCommit, refuse(ErrorCode.NOT_COORDINATOR), { times: 1 })
    const answer = await client.request(OffsetCommit, commit('g'))
    expect(codes(answer)).toEqual([[0, 0]])
    expect(lookUps).toBe(2)
    broker.intercept(OffsetCommit, refuse(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS), { times: 2 })
    expect(codes(await client.request(OffsetCommit, commit('g')))).toEqual([[0, 0]])
    expect(lookUps).toBe(2)
  })

  test("a result that belongs to the caller's role is given back at once", async () => {
    const { client } = await clusterOf(1)
    const answer = await client.request(Heartbeat, { groupId: 'g', generationId: 7, memberId: 'nobody' })
    expect(answer.errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  test('many keys: looked up in one request, one request to each coordinator, results in the order asked', async () => {
    const { broker, client } = await clusterOf(3)
    const groups = ['a', 'b', 'c', 'd', 'e', 'f']
    for (const group of groups) await client.request(OffsetCommit, commit(group))
    const other = clientOf(broker.bootstrapServers)
    const lookUps: number[] = []
    broker.intercept(FindCoordinator, request => {
      lookUps.push(request.coordinatorKeys.length)
      return 'pass'
    })
    const asked: string[][] = []
    broker.intercept(OffsetFetch, request => {
      asked.push(request.groups.map(group => group.groupId))
      return 'pass'
    })
    const request = { groups: groups.map(groupId => ({ groupId, topics: null })) }
    const answer = await other.request(OffsetFetch, request)
    expect(answer.groups.map(group => [group.groupId, group.topics[0]?.partitions[0]?.committedOffset])).toEqual(
      groups.map(group => [group, 5n]),
    )
    expect(lookUps).toEqual([6])
    expect(asked.length).toBeLessThanOrEqual(3)
    expect(asked.flat().sort()).toEqual(groups)
  })

  test('of many keys only those that failed are asked again', async () => {
    const { broker, client } = await clusterOf(1)
    const asked: string[][] = []
    broker.intercept(DescribeGroups, async (request, { next }) => {
      asked.push(request.groups)
      const answer = await next()
      if (asked.length > 1 || typeof answer !== 'object') return 'pass'
      return {
        groups: request.groups.map(groupId => ({
          groupId,
          errorCode: groupId === 'b' ? ErrorCode.COORDINATOR_LOAD_IN_PROGRESS : 0,
          groupState: 'Stable',
          protocolType: '',
          protocolData: '',
          members: [],
        })),
      }
    })
    const answer = await client.request(DescribeGroups, { groups: ['a', 'b', 'c'] })
    expect(asked).toEqual([['a', 'b', 'c'], ['b']])
    expect(answer.groups.map(group => group.groupId)).toEqual(['a', 'b', 'c'])
  })

  test('brokers before 3.0 are asked group by group, and before 2.4 coordinator by coordinator', async () => {
    const broker = await brokerWith({ topics: { t: 1 }, maxVersions: { OffsetFetch: 5, FindCoordinator: 2 } })
    const client = clientOf(broker.bootstrapServers)
    await client.request(OffsetCommit, commit('a'))
    const topics = [{ name: 't', partitionIndexes: [0] }]
    const answer = await client.request(OffsetFetch, {
      groups: [
        { groupId: 'a', topics },
        { groupId: 'b', topics },
      ],
    })
    expect(answer.groups.map(group => [group.groupId, group.errorCode, group.topics[0]?.partitions[0]?.committedOffset])).toEqual(
      [
        ['a', 0, 5n],
        ['b', 0, -1n],
      ],
    )
  })

  test('a request without a key goes to any broker', async () => {
    const { client } = await clusterOf(2)
    const answer = await client.request(InitProducerId, { transactionalId: null, transactionTimeoutMs: 0 })
    expect(answer.errorCode).toBe(0)
    expect(answer.producerId).toBeGreaterThanOrEqual(0n)
  })

  test('a coordinator that is asked for twice at once is looked up once, and remembered', async () => {
    const { broker, client } = await clusterOf(2)
    let lookUps = 0
    broker.intercept(FindCoordinator, () => {
      lookUps++
      return 'pass'
    })
    const deadline = () => new Deadline(client.runtime.clock, 1_000)
    const [a, b] = await Promise.all([client.coordinator('group', 'g', deadline()), client.coordinator('group', 'g', deadline())])
    expect(a).toBe(b)
    await client.coordinator('group', 'g', deadline())
    expect(lookUps).toBe(1)
    client.forgetCoordinator('group', 'g')
    await client.coordinator('group', 'g', deadline())
    expect(lookUps).toBe(2)
  })
})

describe('requests to each broker, one broker, or any', () => {
  test('each broker is asked, and the lists joined', async () => {
    const { broker, client } = await clusterOf(3)
    broker.intercept(ListGroups, (_, { node }) => ({ errorCode: 0, groups: [{ groupId: `g${node.id}`, protocolType: '' }] }))
    const { groups } = await client.request(ListGroups, {})
    expect(groups.map(group => group.groupId).sort()).toEqual(['g1', 'g2', 'g3'])
  })

  test('each broker is asked, and one cannot be reached: the error says what the others answered', async () => {
    const { broker, client } = await clusterOf(3)
    broker.intercept(ListGroups, (_, { node }) =>
      node.id === 2 ? 'drop' : { errorCode: 0, groups: [{ groupId: `g${node.id}`, protocolType: '' }] },
    )
    const failure = await client.request(ListGroups, {}, { timeoutMs: 700 }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(PartialFailureError)
    const { results, message } = failure as PartialFailureError
    expect(results).toMatchObject([
      { status: 'fulfilled', value: { groups: [{ groupId: 'g1' }] } },
      { status: 'rejected', reason: { code: 'ERR_TIMEOUT' } },
      { status: 'fulfilled', value: { groups: [{ groupId: 'g3' }] } },
    ])
    expect(message).toMatch(/1 of 3 brokers \(1, 2, 3\) asked for ListGroups failed/)
  })

  test('each broker is asked, and one leaves the cluster: it is not waited for', () =>
    inWorld({}, async ({ broker, client, listenerOf, sim }) => {
      const asker = client()
      await asker.connect()
      broker.intercept(ListGroups, (_, { node }) => ({ errorCode: 0, groups: [{ groupId: `g${node.id}`, protocolType: '' }] }))
      broker.freezeNode(3)
      const brokers = [1, 2].map(nodeId => {
        const [host = '', port] = listenerOf(nodeId).split(':')
        return { nodeId, host, port: Number(port) }
      })
      broker.intercept(Metadata, () => ({ brokers, topics: [], controllerId: 1 }))
      const start = sim.clock.monotonic()
      const answer = asker.request(ListGroups, {})
      await asker.delay(1_000)
      await asker.metadata.refresh('a broker has left')
      expect((await answer).groups.map(({ groupId }) => groupId)).toEqual(['g1', 'g2'])
      expect(sim.clock.monotonic() - start).toBeLessThan(2_000)
      broker.thawNode(3)
    }))

  test('no broker can be reached: the error is the plain one', async () => {
    const { broker, client } = await clusterOf(3)
    broker.intercept(ListGroups, () => 'drop')
    await expect(client.request(ListGroups, {}, { timeoutMs: 700 })).rejects.toBeInstanceOf(TimeoutError)
  })

  test('settings are read where they live; what a broker did not answer says so in its place', async () => {
    const { broker, client } = await clusterOf(3)
    broker.intercept(DescribeConfigs, (_, { node }) => (node.id === 2 ? 'drop' : 'pass'))
    const resources = [
      { resourceType: 4, resourceName: '2', configurationKeys: null },
      { resourceType: 4, resourceName: '3', configurationKeys: null },
      { resourceType: 2, resourceName: 't', configurationKeys: null },
    ]
    const { results } = await client.request(DescribeConfigs, { resources }, { timeoutMs: 700 })
    const told = results.map(({ resourceType, resourceName, errorCode, configs }) => ({
      thing: `${resourceType} ${resourceName}`,
      errorCode,
      some: configs.length > 0,
    }))
    expect(told.find(({ thing }) => thing === '4 2')).toEqual({
      thing: '4 2',
      errorCode: ErrorCode.REQUEST_TIMED_OUT,
      some: false,
    })
    expect(told.find(({ thing }) => thing === '4 3')).toMatchObject({ errorCode: 0, some: true })
    // Kept from node 2 itself, which any broker may be: the topic is asked for at another, or fails like it.
    expect(told.find(({ thing }) => thing === '2 t')).toBeDefined()
    expect(results.find(({ resourceName }) => resourceName === '2')?.errorMessage).toMatch(/DescribeConfigs/)
  })

  test('nodeId overrules the route', async () => {
    const { broker, client } = await clusterOf(3)
    const asked: number[] = []
    broker.intercept(Metadata, (_, { node }) => {
      asked.push(node.id)
      return 'pass'
    })
    for (const nodeId of [3, 1, 2]) await client.request(Metadata, { topics: [] }, { nodeId })
    expect(asked.slice(-3)).toEqual([3, 1, 2])
    const unknown = client.request(Metadata, { topics: [] }, { nodeId: 99, timeoutMs: 100 })
    await expect(unknown).rejects.toThrow(/99/)
  })

  test('error codes of parts are the answer, not a reason to ask again', async () => {
    const { broker, client } = await clusterOf(1)
    await client.connect()
    let asked = 0
    broker.intercept(Metadata, () => {
      asked++
      return 'pass'
    })
    const answer = await client.request(Metadata, { topics: [{ name: 'nope' }], allowAutoTopicCreation: false })
    expect(answer.topics).toMatchObject([{ name: 'nope', errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }])
    expect(asked).toBe(1)
  })
})

describe('versions', () => {
  test('no version in common: an error that names both ranges', async () => {
    const broker = await brokerWith({ maxVersions: { ListGroups: 1 } })
    const client = clientOf(broker.bootstrapServers)
    const failure = await client.request(ListGroups, {}, { minVersion: 4 }).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(UnsupportedVersionError)
    expect(String(failure)).toMatch(/v0 to v1.*v0 to v\d+.*v4/)
    expect(await client.versionOf(1, ListGroups)).toBe(1)
  })

  test('brokers of different versions in one cluster: each is spoken to in its own', async () => {
    const { broker, client } = await clusterOf(2, { t: 2 })
    const old = broker.partition('t', 1).leaderId
    broker.intercept(
      ApiVersions,
      async (_, { next }) => {
        const answer = await next()
        if (typeof answer !== 'object') return 'pass'
        const apiKeys = answer.apiKeys.map(each => (each.apiKey === ListOffsets.key ? { ...each, maxVersion: 4 } : each))
        return { ...answer, apiKeys }
      },
      { nodeId: old },
    )
    const seen = new Map<number, number>()
    broker.intercept(ListOffsets, (_, { version, node }) => {
      seen.set(node.id, version)
      return 'pass'
    })
    expect(codes(await client.request(ListOffsets, listOffsets([0, 1])))).toEqual([
      [0, 0],
      [1, 0],
    ])
    expect(seen.get(old)).toBe(4)
    expect(seen.get(3 - old)).toBeGreaterThan(4)
  })
})

describe('limits', () => {
  test('a signal ends a request at once', async () => {
    const { broker, client } = await clusterOf(1)
    const abort = new AbortController()
    broker.intercept(ListGroups, () => {
      abort.abort(new Error('enough'))
      return 'drop'
    })
    await expect(client.request(ListGroups, {}, { signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await expect(client.request(ListGroups, {}, { signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' })
  })

  test('the timeout covers all attempts, and the error tells what went wrong last', () =>
    inWorld({}, async ({ broker, client }) => {
      broker.intercept(ListGroups, () => 'close')
      const failure = await client()
        .request(ListGroups, {}, { timeoutMs: 2_000 })
        .catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(TimeoutError)
      expect(failure).toMatchObject({ afterMs: 2_000, cause: { code: 'ERR_CONNECTION' } })
    }))

  test('retries: 0 tries once', async () => {
    const { broker, client } = await clusterOf(1, {}, { retries: 0 })
    let asked = 0
    broker.intercept(ListGroups, () => {
      asked++
      return 'close'
    })
    await expect(client.request(ListGroups, {})).rejects.toThrow()
    expect(asked).toBe(1)
  })

  test('an error code that persists is in the answer when the time is up', async () => {
    const { broker, client } = await clusterOf(1)
    broker.intercept(ListGroups, () => ({ errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, groups: [] }))
    const answer = await client.request(ListGroups, {}, { timeoutMs: 100 })
    expect(answer.errorCode).toBe(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
  })

  test('a topic that does not exist is reported after a few answers, not at the end of the timeout', async () => {
    const { client } = await clusterOf(1)
    const failure = await client.metadata.ensure(['nope']).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(BrokerError)
    expect(failure).toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'nope' })
  })
})

describe('a request that has no try left ends in what went wrong last, and says nothing of a time that has not passed', () => {
  test.each([
    ['to a leader', ListOffsets, listOffsets([0])],
    ['to any broker', DescribeCluster, {}],
    ['to the coordinator of several keys', DescribeGroups, { groups: ['g'] }],
    ['to a coordinator', OffsetCommit, { groupId: 'g', topics: [] }],
  ] as [string, Api, object][])('%s', (_, api, request) =>
    inWorld({}, async ({ broker, client, sim }) => {
      const asker = client({ retries: 2 })
      await asker.metadata.ensure(['t'])
      let asked = 0
      broker.intercept(api, () => {
        asked++
        return 'close'
      })
      const start = sim.clock.monotonic()
      const answer = asker.request(api, request as Encodable<Api['request']>)
      await expect(answer).rejects.toMatchObject({ code: 'ERR_CONNECTION', outcome: 'unknown' })
      expect(asked).toBe(3)
      expect(sim.clock.monotonic() - start).toBeLessThan(5_000)
    }),
  )
})
