import { describe, expect, test } from 'vitest'
import { Client } from '../../src/client/index.ts'
import { BrokerError } from '../../src/errors.ts'
import {
  AlterPartitionReassignments,
  AlterUserScramCredentials,
  CreateTopics,
  DeleteAcls,
  DeleteGroups,
  DeleteTopics,
  ElectLeaders,
  ExpireDelegationToken,
  FindCoordinator,
  LeaveGroup,
  Produce,
} from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { defaultsOf } from '../../src/protocol/presence.ts'
import { type Api, type Decoded, NO_UUID } from '../../src/protocol/schema.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { ScriptedBroker } from './scripted-broker.ts'
import { inWorld } from './simulation.ts'

describe('a request that is answered in part is asked again for the rest only', () => {
  const topic = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })

  test('topics of which one was created before the controller moved', () =>
    inWorld({}, async world => {
      const asked: string[][] = []
      world.broker.intercept(CreateTopics, ({ topics }) => {
        asked.push(topics.map(({ name }) => name))
        if (asked.length > 1) return 'pass'
        world.broker.createTopic('x', 1)
        return {
          topics: [
            { name: 'z', errorCode: ErrorCode.INVALID_PARTITIONS, errorMessage: 'none' },
            { name: 'y', errorCode: ErrorCode.NOT_CONTROLLER },
            { name: 'x', errorCode: ErrorCode.NONE },
          ].map(each => ({ errorMessage: null, ...each })),
        }
      })
      const answer = await world.client().request(CreateTopics, { topics: ['x', 'y', 'z'].map(topic) })
      expect(asked).toEqual([['x', 'y', 'z'], ['y']])
      expect(Object.fromEntries(answer.topics.map(({ name, errorCode }) => [name, errorCode]))).toEqual({
        x: ErrorCode.NONE,
        y: ErrorCode.NONE,
        z: ErrorCode.INVALID_PARTITIONS,
      })
    }))

  test('the answers to both stand in the order of the request', () =>
    inWorld({ topics: { p: 1, q: 1, r: 1 } }, async world => {
      const { broker } = world
      const client = world.client()
      let created = 0
      broker.intercept(CreateTopics, ({ topics }) => {
        created++
        const errorCodeOf = (name: string) => (name.startsWith('y') && created < 3 ? ErrorCode.NOT_CONTROLLER : ErrorCode.NONE)
        return { topics: topics.map(({ name }) => ({ name, errorCode: errorCodeOf(name), errorMessage: null })) }
      })
      const { topics } = await client.request(CreateTopics, { topics: ['y1', 'x', 'y2'].map(topic) })
      expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual(['y1', 'x', 'y2'].map(name => [name, 0]))
      broker.intercept(
        DeleteTopics,
        ({ topicNames }) => {
          const errorCodeOf = (name: string) => (name === 'q' ? ErrorCode.NOT_CONTROLLER : ErrorCode.NONE)
          return {
            responses: topicNames.map(name => ({ name, topicId: NO_UUID, errorCode: errorCodeOf(name), errorMessage: null })),
          }
        },
        { times: 1 },
      )
      const { responses } = await client.request(DeleteTopics, { topicNames: ['p', 'q', 'r'], timeoutMs: 1_000 })
      expect(responses.map(({ name, errorCode }) => [name, errorCode])).toEqual(['p', 'q', 'r'].map(name => [name, 0]))
    }))

  test('topics deleted by name or by id, and the rest is lost on its way', () =>
    inWorld({ topics: { x: 1, y: 1, z: 1 } }, async world => {
      const { broker, sim } = world
      const ids = new Map(['y', 'z'].map(name => [name, broker.partition(name, 0).topicId]))
      const asked: number[] = []
      broker.intercept(DeleteTopics, ({ topics }) => {
        asked.push(topics.length)
        if (asked.length > 1) {
          sim.clock.soon(() => sim.hosts.reset())
          return new Promise<never>(() => {})
        }
        const errorCodeOf = (name: string | null) => (name === 'x' ? ErrorCode.NONE : ErrorCode.NOT_CONTROLLER)
        return {
          responses: topics.map(each => ({ ...each, errorCode: errorCodeOf(each.name), errorMessage: null })),
          throttleTimeMs: 0,
        }
      })
      const topics = [{ name: 'x', topicId: NO_UUID }, ...Array.from(ids.values(), topicId => ({ name: null, topicId }))]
      const answer = await world.client().request(DeleteTopics, { topics, topicNames: [], timeoutMs: 1_000 })
      expect(asked).toEqual([3, 2])
      expect(answer.responses.map(({ name, topicId, errorCode }) => [name || topicId, errorCode])).toEqual([
        ['x', ErrorCode.NONE],
        [ids.get('y'), ErrorCode.NETWORK_EXCEPTION],
        [ids.get('z'), ErrorCode.NETWORK_EXCEPTION],
      ])
    }))
})

describe('what would be refused, or tell less, the second time is not repeated when its outcome is unknown', () => {
  const cases: [Api, object][] = [
    [LeaveGroup, { groupId: 'g', members: [{ memberId: 'm', groupInstanceId: null, reason: null }] }],
    [DeleteAcls, { filters: [] }],
    [ExpireDelegationToken, { hmac: Buffer.from('x'), expiryTimePeriodMs: -1n }],
    [ElectLeaders, { electionType: 0, topicPartitions: [{ topic: 't', partitions: [0] }] }],
    [AlterPartitionReassignments, { topics: [{ name: 't', partitions: [{ partitionIndex: 0, replicas: null }] }] }],
    [AlterUserScramCredentials, { deletions: [{ name: 'u', mechanism: 1 }], upsertions: [] }],
  ]
  test.each(cases.map(([api, request]) => [api.name, api, request] as const))('%s', (_, api, request) => {
    const sim = new SimulatedRuntime()
    return sim.run(async () => {
      const broker = await ScriptedBroker.listen(sim, 'broker')
      const found = { nodeId: 1, host: 'broker', port: 9092, errorCode: 0, errorMessage: null }
      broker.on(FindCoordinator, ({ coordinatorKeys }) => ({ coordinators: coordinatorKeys.map(key => ({ key, ...found })) }))
      let applied = 0
      broker.on(api, () => {
        applied++
        sim.hosts.reset()
        return defaultsOf(api.response.shape) as never
      })
      const client = new Client({ bootstrapServers: broker.address, enableMetricsPush: false }, sim)
      await expect(client.request(api, request as never)).rejects.toMatchObject({ outcome: 'unknown' })
      expect(applied).toBe(1)
      await client.close()
    })
  })
})

test.each([
  [['lost'], [ErrorCode.UNKNOWN_SERVER_ERROR]],
  [
    ['lost', 'other'],
    [ErrorCode.UNKNOWN_SERVER_ERROR, ErrorCode.NONE],
  ],
])('a group that the answer to DeleteGroups %j lacks may be deleted: it is not asked about again', (groupsNames, codes) =>
  inWorld({ nodes: 1 }, async world => {
    const asked: string[][] = []
    world.broker.intercept(DeleteGroups, ({ groupsNames }) => {
      asked.push(groupsNames)
      const answered = groupsNames.filter(name => name !== 'lost')
      return { throttleTimeMs: 0, results: answered.map(groupId => ({ groupId, errorCode: ErrorCode.NONE })) }
    })
    const answer = world.client().request(DeleteGroups, { groupsNames })
    const result = answer.then(({ results }) => results.map(({ errorCode }) => errorCode))
    expect(await result.catch((error: unknown) => error instanceof BrokerError && [error.errorCode])).toEqual(codes)
    expect(asked).toEqual([groupsNames])
  }),
)

describe('Produce is not sent again by a client that cannot know what became of it', () => {
  const request = {
    acks: -1,
    timeoutMs: 1_000,
    topicData: [{ name: 't', partitionData: [{ index: 0, records: Buffer.alloc(0) }] }],
  }
  const errorCodeOf = ({ responses }: Decoded<(typeof Produce)['response']>) =>
    responses.map(({ name, partitionResponses }) => [name, ...partitionResponses.map(({ errorCode }) => errorCode)])

  test('when the connection broke', () =>
    inWorld({ topics: { t: 1 } }, async world => {
      let asked = 0
      world.broker.intercept(Produce, () => {
        asked++
        return 'close'
      })
      await expect(world.client().request(Produce, request)).rejects.toMatchObject({ outcome: 'unknown' })
      expect(asked).toBe(1)
    }))

  test('when the answer lacks the partition', () =>
    inWorld({ topics: { t: 1 } }, async world => {
      let asked = 0
      world.broker.intercept(Produce, () => {
        asked++
        return { responses: [] }
      })
      const answer = await world.client().request(Produce, request)
      expect(errorCodeOf(answer)).toEqual([['t', ErrorCode.UNKNOWN_SERVER_ERROR]])
      expect(asked).toBe(1)
    }))

  test('nor when its topic was deleted and created again before the answer', () =>
    inWorld({ topics: { t: 1 } }, async world => {
      const { broker } = world
      const client = world.client()
      const written: string[] = []
      broker.intercept(Produce, async ({ topicData }) => {
        const topicId = topicData[0]?.topicId ?? NO_UUID
        written.push(topicId)
        broker.deleteTopic('t')
        broker.createTopic('t', 1)
        await client.metadata.refresh('the topic was created again')
        return { responses: [{ topicId, partitionResponses: [{ index: 0, errorCode: 0, baseOffset: 7n }] }] }
      })
      const first = broker.partition('t', 0).topicId
      const answer = await client.request(Produce, request)
      expect(written).toEqual([first])
      expect(client.metadata.topic('t')?.topicId).not.toBe(first)
      expect(errorCodeOf(answer)).toEqual([['t', 0]])
      expect(answer.responses[0]?.partitionResponses[0]?.baseOffset).toBe(7n)
    }))
})
