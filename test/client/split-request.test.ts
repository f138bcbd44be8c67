import { describe, expect, test } from 'vitest'
import { FindCoordinator, ListGroups, ListOffsets, Metadata, OffsetFetch } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { Deadline } from '../../src/util/deadline.ts'
import { Deferred } from '../../src/util/deferred.ts'
import { inWorld, type World } from './simulation.ts'

const TIMEOUT_MS = 20_000
const offsetsOf = (...topics: string[]) => ({
  replicaId: -1,
  topics: topics.map(name => ({ name, partitions: [0, 1].map(partitionIndex => ({ partitionIndex, timestamp: -1n })) })),
})
const codesOf = (answer: { topics: readonly { name: string; partitions: readonly { errorCode: number }[] }[] }) =>
  answer.topics.map(({ name, partitions }) => [name, ...partitions.map(({ errorCode }) => errorCode)])
const groups = (...ids: string[]) => ({ groups: ids.map(groupId => ({ groupId, topics: null })) })

/** When each topic was asked about, since now. */
function listOffsetsTimes({ sim, broker }: World): Record<string, number[]> {
  const start = sim.clock.monotonic()
  const times: Record<string, number[]> = {}
  broker.intercept(ListOffsets, ({ topics }) => {
    for (const { name } of topics) (times[name] ??= []).push(sim.clock.monotonic() - start)
    return 'pass'
  })
  return times
}

/** When each group was asked about, since now. */
function offsetFetchTimes({ sim, broker }: World): Record<string, number[]> {
  const start = sim.clock.monotonic()
  const times: Record<string, number[]> = {}
  broker.intercept(OffsetFetch, request => {
    for (const { groupId } of request.groups) (times[groupId] ??= []).push(sim.clock.monotonic() - start)
    return 'pass'
  })
  return times
}

describe('what can be sent is sent at once, whatever the rest waits for', () => {
  test.each(['unknown', 'known'])('a topic without leaders, the other one %s', knowledge =>
    inWorld({ topics: { t: 2, u: 2 } }, async world => {
      const client = world.client()
      if (knowledge === 'known') await client.metadata.ensure(['t'])
      world.broker.intercept(Metadata, request => {
        const asked = request.topics?.some(({ name }) => name === 'u')
        return asked ? withoutLeaders(world, request.topics?.map(({ name }) => name ?? '') ?? []) : 'pass'
      })
      const times = listOffsetsTimes(world)
      const answer = await client.request(ListOffsets, offsetsOf('t', 'u'), { timeoutMs: TIMEOUT_MS })
      expect(codesOf(answer)).toEqual([
        ['t', 0, 0],
        ['u', ErrorCode.LEADER_NOT_AVAILABLE, ErrorCode.LEADER_NOT_AVAILABLE],
      ])
      expect(times.u).toBeUndefined()
      expect(Math.max(...(times.t ?? []))).toBeLessThan(100)
    }),
  )

  test('a topic whose metadata no broker tells', () =>
    inWorld({ topics: { t: 2, u: 2 } }, async world => {
      const client = world.client({ requestTimeoutMs: 3_000 })
      await client.metadata.ensure(['t'])
      world.broker.intercept(Metadata, () => 'drop')
      const times = listOffsetsTimes(world)
      const answer = await client.request(ListOffsets, offsetsOf('t', 'u'), { timeoutMs: TIMEOUT_MS })
      expect(codesOf(answer)).toEqual([
        ['t', 0, 0],
        ['u', ErrorCode.REQUEST_TIMED_OUT, ErrorCode.REQUEST_TIMED_OUT],
      ])
      expect(Math.max(...(times.t ?? []))).toBeLessThan(100)
    }))

  test('a leader that hangs: what another refused once is sent to it again meanwhile', () =>
    inWorld({ topics: { t: 2, u: 2 } }, async world => {
      const { broker, sim } = world
      for (const partition of [0, 1]) {
        broker.moveLeader('t', partition, 2)
        broker.moveLeader('u', partition, 1)
      }
      const client = world.client()
      await client.metadata.ensure(['t', 'u'])
      broker.freezeNode(1)
      for (const partition of [0, 1]) broker.moveLeader('t', partition, 3)
      let answeredAt = 0
      broker.intercept(ListOffsets, (_, { node }) => {
        if (node.id === 3) answeredAt = sim.clock.monotonic()
        return 'pass'
      })
      const start = sim.clock.monotonic()
      await client.request(ListOffsets, offsetsOf('t', 'u'), { timeoutMs: TIMEOUT_MS })
      expect(answeredAt - start).toBeGreaterThan(0)
      expect(answeredAt - start).toBeLessThan(2_000)
      broker.thawNode(1)
    }))

  test('a group without a coordinator', () =>
    inWorld({}, async world => {
      const { broker } = world
      broker.moveCoordinator('g', 1)
      broker.intercept(FindCoordinator, ({ coordinatorKeys }) => {
        if (!coordinatorKeys.includes('h')) return 'pass'
        const [host = '', port] = world.listenerOf(1).split(':')
        return {
          coordinators: coordinatorKeys.map(key =>
            key === 'h'
              ? { key, nodeId: -1, host: '', port: -1, errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, errorMessage: null }
              : { key, nodeId: 1, host, port: Number(port), errorCode: 0, errorMessage: null },
          ),
        }
      })
      const times = offsetFetchTimes(world)
      const answer = await world.client().request(OffsetFetch, groups('g', 'h'), { timeoutMs: TIMEOUT_MS })
      expect(answer.groups.map(({ groupId, errorCode }) => [groupId, errorCode])).toEqual([
        ['g', 0],
        ['h', ErrorCode.COORDINATOR_NOT_AVAILABLE],
      ])
      expect(times).toEqual({ g: [expect.closeTo(0, -2)] })
    }))

  test('a group that a hanging broker has been asked for already', () =>
    inWorld({}, async world => {
      const { broker, sim } = world
      const client = world.client()
      for (const nodeId of [1, 2, 3]) await client.request(ListGroups, {}, { nodeId })
      const asked = new Deferred<void>()
      broker.intercept(FindCoordinator, async ({ coordinatorKeys }) => {
        if (!coordinatorKeys.includes('h')) return 'pass'
        asked.resolve()
        await client.delay(5_000)
        return 'pass'
      })
      const search = client.coordinator('group', 'h', new Deadline(sim.clock, TIMEOUT_MS))
      await asked.promise
      const times = offsetFetchTimes(world)
      const answer = await client.request(OffsetFetch, groups('g', 'h', 'i'), { timeoutMs: TIMEOUT_MS })
      await search
      expect(answer.groups.map(({ groupId, errorCode }) => [groupId, errorCode])).toEqual(['g', 'h', 'i'].map(id => [id, 0]))
      expect(times).toEqual({ g: [expect.closeTo(0, -2)], h: [expect.closeTo(5_000, -2)], i: [expect.closeTo(0, -2)] })
    }))

  test('a group that brokers are asked for in vain', () =>
    inWorld({}, async world => {
      const client = world.client({ requestTimeoutMs: 3_000 })
      await client.request(OffsetFetch, groups('g'))
      world.broker.intercept(FindCoordinator, () => 'drop')
      const times = offsetFetchTimes(world)
      const answer = await client.request(OffsetFetch, groups('g', 'h'), { timeoutMs: TIMEOUT_MS })
      expect(answer.groups.map(({ groupId, errorCode }) => [groupId, errorCode])).toEqual([
        ['g', 0],
        ['h', ErrorCode.REQUEST_TIMED_OUT],
      ])
      expect(times).toEqual({ g: [expect.closeTo(0, -2)] })
    }))
})

test('a failure that concerns all parts ends the request for all of them: none is sent again afterwards', () =>
  inWorld({ topics: { t: 2, u: 2 } }, async world => {
    const client = world.client()
    await client.metadata.ensure(['t', 'u'])
    const controller = new AbortController()
    const asked: string[] = []
    world.broker.intercept(ListOffsets, ({ topics }) => {
      for (const { name, partitions } of topics)
        for (const { partitionIndex } of partitions) asked.push(`${name}-${partitionIndex}`)
      controller.abort()
      return {
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: ErrorCode.LEADER_NOT_AVAILABLE })),
        })),
      }
    })
    const { signal } = controller
    await expect(client.request(ListOffsets, offsetsOf('t', 'u'), { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' })
    await client.delay(10_000)
    expect(asked.toSorted()).toEqual(['t-0', 't-1', 'u-0', 'u-1'])
  }))

test('nor is one sent whose broker is found only then', () =>
  inWorld({ topics: { t: 2, u: 2 } }, async world => {
    const client = world.client()
    await client.metadata.ensure(['t'])
    const lookUp = new Deferred<void>()
    world.broker.intercept(Metadata, () => {
      lookUp.resolve()
      return 'pass'
    })
    const times = listOffsetsTimes(world)
    const { topics, replicaId } = offsetsOf('t', 'u')
    const unsendable = { ...topics[0]!, partitions: [{ partitionIndex: 0, timestamp: 'yesterday' as never }] }
    const request = client.request(ListOffsets, { replicaId, topics: [unsendable, topics[1]!] })
    await expect(request).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    await lookUp.promise
    await client.delay(10_000)
    expect(client.metadata.topic('u')).toBeDefined()
    expect(times).toEqual({})
  }))

test('a coordinator that is still loading is asked again, not looked up again', () =>
  inWorld({}, async world => {
    let lookUps = 0
    world.broker.intercept(FindCoordinator, () => {
      lookUps++
      return 'pass'
    })
    let asked = 0
    world.broker.intercept(OffsetFetch, ({ groups: [group] }) => {
      if (asked++ > 2) return 'pass'
      return { groups: [{ groupId: group?.groupId ?? '', topics: [], errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS }] }
    })
    const answer = await world.client().request(OffsetFetch, groups('g'))
    expect(answer.groups[0]?.errorCode).toBe(0)
    expect([lookUps, asked]).toEqual([1, 4])
  }))

test('groups looked up by the thousand in one request are all asked about, and the memory of them is bounded', () =>
  inWorld({ nodes: 1 }, async world => {
    const client = world.client()
    const ids = Array.from({ length: 12_000 }, (_, index) => `g${index}`)
    const answer = await client.request(OffsetFetch, groups(...ids))
    expect(answer.groups.filter(({ errorCode }) => errorCode === 0)).toHaveLength(ids.length)
    let found: readonly string[] = []
    world.broker.intercept(FindCoordinator, ({ coordinatorKeys }) => {
      found = coordinatorKeys
      return 'pass'
    })
    await client.request(OffsetFetch, groups('g0', 'g11999'))
    expect(found).toEqual(['g0'])
  }))

/** A Metadata answer in which t has its leaders, and any other topic none. */
function withoutLeaders({ broker, listenerOf }: World, topics: readonly string[]) {
  return {
    brokers: [1, 2, 3].map(nodeId => {
      const [host = '', port] = listenerOf(nodeId).split(':')
      return { nodeId, host, port: Number(port) }
    }),
    clusterId: broker.clusterId,
    controllerId: 1,
    topics: topics.map(name =>
      name === 't'
        ? {
            name,
            errorCode: 0,
            topicId: broker.partition(name, 0).topicId,
            partitions: [0, 1].map(partitionIndex => {
              const { leaderId, leaderEpoch } = broker.partition(name, partitionIndex)
              return {
                partitionIndex,
                errorCode: 0,
                leaderId,
                leaderEpoch,
                replicaNodes: [leaderId],
                isrNodes: [leaderId],
                offlineReplicas: [],
              }
            }),
          }
        : { name, errorCode: ErrorCode.LEADER_NOT_AVAILABLE, partitions: [] },
    ),
  }
}
