import { describe, expect, test } from 'vitest'
import { Client, type ClientOptionsInput, type CoordinatorKind } from '../../src/client/index.ts'
import { KafkaError } from '../../src/errors.ts'
import {
  AddPartitionsToTxn,
  DescribeTransactions,
  EndTxn,
  FindCoordinator,
  Heartbeat,
  InitProducerId,
  Metadata,
  ReadShareGroupState,
} from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { type Api, api, coordinator, type Encodable } from '../../src/protocol/schema.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { Deadline } from '../../src/util/deadline.ts'
import { ScriptedBroker } from './scripted-broker.ts'
import { inWorld } from './simulation.ts'

const { NONE, NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS } = ErrorCode
const TIMEOUT_MS = 10_000
const NOWHERE = { nodeId: -1, host: '', port: -1 }

/** Two brokers, one of which coordinates, and what they were asked. */
class Pair {
  /** Node that coordinates, and whom the brokers take for it. */
  coordinator = 1
  believed: number | undefined
  /** What the coordinator, and who looks it up, answers instead. */
  fault: number = NONE
  lookUpFault: number = NONE
  readonly lookUps: { keyType: number; keys: string[] }[] = []
  readonly asked: number[] = []
  /** What changes after so many look-ups, or requests. */
  afterLookUp: Record<number, () => void> = {}
  afterRequest: Record<number, () => void> = {}
  readonly sim: SimulatedRuntime
  readonly client: Client
  readonly brokers: ScriptedBroker[] = []

  private constructor(sim: SimulatedRuntime, options: Partial<ClientOptionsInput>) {
    this.sim = sim
    this.client = new Client({ bootstrapServers: 'one:9092,two:9092', enableMetricsPush: false, ...options }, sim)
  }

  static run(subject: Subject, test: (pair: Pair, ask: () => Promise<number>) => Promise<void>) {
    const sim = new SimulatedRuntime()
    return sim.run(async () => {
      const pair = new Pair(sim, { requestTimeoutMs: 1_000 })
      const endpoints = ['one', 'two'].map((host, index) => ({ nodeId: index + 1, host, port: 9092 }))
      for (const { nodeId, host } of endpoints) {
        const broker = await ScriptedBroker.listen(sim, host)
        pair.brokers.push(broker)
        broker.on(Metadata, () => ({ brokers: endpoints, clusterId: 'scripted', controllerId: 1, topics: [] }))
        broker.on(FindCoordinator, ({ keyType, coordinatorKeys }) => {
          pair.lookUps.push({ keyType, keys: coordinatorKeys })
          const errorCode = pair.lookUpFault
          const place = (errorCode === NONE && endpoints[(pair.believed ?? pair.coordinator) - 1]) || NOWHERE
          pair.afterLookUp[pair.lookUps.length]?.()
          return {
            throttleTimeMs: 0,
            coordinators: coordinatorKeys.map(key => ({ key, errorCode, errorMessage: null, ...place })),
          }
        })
        broker.on(subject.api, () => {
          pair.asked.push(nodeId)
          const answer = subject.answer(nodeId === pair.coordinator ? pair.fault : NOT_COORDINATOR)
          pair.afterRequest[pair.asked.length]?.()
          return { throttleTimeMs: 0, ...answer }
        })
      }
      try {
        await test(pair, async () =>
          subject.code((await pair.client.request(subject.api, subject.request, { timeoutMs: TIMEOUT_MS })) as never),
        )
      } finally {
        await pair.client.close({ timeoutMs: 10 })
      }
    })
  }
}

interface Subject {
  readonly kind: CoordinatorKind
  readonly key: string
  readonly api: Api
  readonly request: Encodable<Api['request']>
  answer(errorCode: number): Encodable<Api['response']>
  code(answer: never): number
}

const group: Subject = {
  kind: 'group',
  key: 'g',
  api: Heartbeat,
  request: { groupId: 'g', generationId: 1, memberId: 'm' },
  answer: errorCode => ({ errorCode }),
  code: ({ errorCode }: { errorCode: number }) => errorCode,
}
const transaction: Subject = {
  kind: 'transaction',
  key: 'tx',
  api: InitProducerId,
  request: { transactionalId: 'tx', transactionTimeoutMs: 1_000 },
  answer: errorCode => ({ errorCode, producerId: 7n, producerEpoch: 0 }),
  code: ({ errorCode }: { errorCode: number }) => errorCode,
}
const transactions: Subject = {
  kind: 'transaction',
  key: 'tx',
  api: DescribeTransactions,
  request: { transactionalIds: ['tx'] },
  answer: errorCode => ({
    transactionStates: [
      {
        errorCode,
        transactionalId: 'tx',
        transactionState: 'Ongoing',
        transactionTimeoutMs: 1_000,
        transactionStartTimeMs: 0n,
        producerId: 7n,
        producerEpoch: 0,
        topics: [],
      },
    ],
  }),
  code: ({ transactionStates }: { transactionStates: { errorCode: number }[] }) => transactionStates[0]!.errorCode,
}
/** No request that clients send goes to share coordinators, so one is sent there. */
const share: Subject = {
  kind: 'share',
  key: 'g:AAAAAAAAAAAAAAAAAAAAAQ:0',
  api: api({
    key: ReadShareGroupState.key,
    name: ReadShareGroupState.name,
    versions: ReadShareGroupState.request.versions,
    flexible: ReadShareGroupState.request.flexible,
    route: coordinator('share', 'groupId', 'results'),
    request: ReadShareGroupState.request.shape,
    response: ReadShareGroupState.response.shape,
  }),
  request: { groupId: 'g:AAAAAAAAAAAAAAAAAAAAAQ:0', topics: [] },
  answer: errorCode => ({
    results: [
      {
        topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
        partitions: [{ partition: 0, errorCode, stateEpoch: 0, startOffset: 0n, stateBatches: [] }],
      },
    ],
  }),
  code: ({ results }: { results: { partitions: { errorCode: number }[] }[] }) => results[0]!.partitions[0]!.errorCode,
}

const KEY_TYPE = { group: 0, transaction: 1, share: 2 }

describe.each([
  ['a group', group],
  ['a transaction', transaction],
  ['several transactions', transactions],
  ['a share partition', share],
])('the coordinator of %s', (_, subject) => {
  test('is looked up once, by kind and key, and remembered', () =>
    Pair.run(subject, async (pair, ask) => {
      pair.coordinator = 2
      for (let n = 0; n < 3; n++) expect(await ask()).toBe(NONE)
      expect(pair.lookUps).toEqual([{ keyType: KEY_TYPE[subject.kind], keys: [subject.key] }])
      expect(pair.asked).toEqual([2, 2, 2])
    }))

  test('NOT_COORDINATOR: it is forgotten and found at its new place, again and again', () =>
    Pair.run(subject, async (pair, ask) => {
      for (const nodeId of [1, 2, 1]) {
        pair.coordinator = nodeId
        expect(await ask()).toBe(NONE)
      }
      expect(pair.lookUps.length).toBe(3)
      expect(pair.asked).toEqual([1, 1, 2, 2, 1])
    }))

  test('NOT_COORDINATOR while the others still name the old one: asked until they know better', () =>
    Pair.run(subject, async (pair, ask) => {
      pair.believed = 1
      pair.coordinator = 2
      pair.afterLookUp[3] = () => {
        pair.believed = 2
      }
      expect(await ask()).toBe(NONE)
      expect(pair.asked).toEqual([1, 1, 1, 2])
    }))

  test('StaleCoordinatorRace: a refusal that comes after the new one was found costs a look-up at most, and loops nowhere', () =>
    Pair.run(subject, async (pair, ask) => {
      expect(await ask()).toBe(NONE)
      pair.coordinator = 2
      // So slow, and so unevenly, that some of the old one's answers come when the new one has been found.
      Object.assign(pair.sim.hosts.conditions, { latencyMs: 20, jitterMs: 100 })
      const answers = []
      for (let n = 0; n < 10; n++) {
        answers.push(ask())
        await new Promise<void>(resolve => pair.sim.clock.setTimer(10, resolve))
      }
      expect(await Promise.all(answers)).toEqual(Array(10).fill(NONE))
      expect(pair.lookUps.length).toBeLessThanOrEqual(1 + 10)
      expect(pair.asked.filter(nodeId => nodeId === 1).length).toBeLessThanOrEqual(1 + 10)
      expect(await ask()).toBe(NONE)
      expect(pair.asked.at(-1)).toBe(2)
    }))

  test('COORDINATOR_NOT_AVAILABLE at the look-up: asked until there is one', () =>
    Pair.run(subject, async (pair, ask) => {
      pair.lookUpFault = COORDINATOR_NOT_AVAILABLE
      pair.afterLookUp[3] = () => {
        pair.lookUpFault = NONE
      }
      expect(await ask()).toBe(NONE)
      expect(pair.lookUps.length).toBe(4)
      expect(pair.asked).toEqual([1])
    }))

  test('COORDINATOR_NOT_AVAILABLE from the coordinator: it is looked up again', () =>
    Pair.run(subject, async (pair, ask) => {
      pair.fault = COORDINATOR_NOT_AVAILABLE
      pair.afterRequest[1] = () => {
        pair.coordinator = 2
      }
      pair.afterLookUp[2] = () => {
        pair.fault = NONE
      }
      expect(await ask()).toBe(NONE)
      expect(pair.lookUps.length).toBe(2)
      expect(pair.asked.at(-1)).toBe(2)
    }))

  test('its broker dies: found elsewhere, although the others name the dead one for a while', () =>
    Pair.run(subject, async (pair, ask) => {
      pair.coordinator = 2
      expect(await ask()).toBe(NONE)
      await pair.brokers[1]!.stop()
      pair.sim.hosts.reset('two')
      pair.believed = 2
      pair.afterLookUp[3] = () => {
        pair.believed = undefined
        pair.coordinator = 1
      }
      expect(await ask()).toBe(NONE)
      expect(pair.asked).toEqual([2, 1])
    }))

  test('its broker dies with the request: asked again at the new one', () =>
    Pair.run(subject, async (pair, ask) => {
      pair.coordinator = 2
      pair.afterRequest[1] = () => {
        void pair.brokers[1]!.stop()
        pair.sim.hosts.reset('two')
        pair.coordinator = 1
      }
      expect(await ask()).toBe(NONE)
      expect(pair.asked).toEqual([2, 1])
    }))

  test('its broker hangs: given up after the request timeout, and looked up again', () =>
    Pair.run(subject, async (pair, ask) => {
      pair.coordinator = 2
      expect(await ask()).toBe(NONE)
      pair.sim.hosts.halfOpen('two')
      pair.coordinator = 1
      const start = pair.sim.clock.monotonic()
      expect(await ask()).toBe(NONE)
      expect(pair.asked).toEqual([2, 1])
      expect(pair.sim.clock.monotonic() - start).toBeLessThan(1_500)
    }))

  test.each<[string, (pair: Pair) => void, number]>([
    ['no look-up finds it', pair => (pair.lookUpFault = COORDINATOR_NOT_AVAILABLE), COORDINATOR_NOT_AVAILABLE],
    ['whoever is named denies it', pair => (pair.believed = 2), NOT_COORDINATOR],
    ['it loads for ever', pair => (pair.fault = COORDINATOR_LOAD_IN_PROGRESS), COORDINATOR_LOAD_IN_PROGRESS],
  ])('%s: all attempts share one deadline, and the outcome says why', (_, arrange, code) =>
    Pair.run(subject, async (pair, ask) => {
      arrange(pair)
      const outcome = await ask().catch((error: unknown) => error)
      const elapsed = pair.sim.clock.monotonic()
      expect(elapsed).toBeGreaterThan(TIMEOUT_MS - 1_500)
      expect(elapsed).toBeLessThanOrEqual(TIMEOUT_MS)
      expect(pair.lookUps.length + pair.asked.length).toBeGreaterThan(8)
      if (KafkaError.is(outcome)) expect(outcome.message).toContain('COORDINATOR_NOT_AVAILABLE')
      else expect(outcome).toBe(code)
    }),
  )

  test('`coordinator()` finds and remembers it, `forgetCoordinator()` makes it look again', () =>
    Pair.run(subject, async pair => {
      const find = () => pair.client.coordinator(subject.kind, subject.key, new Deadline(pair.sim.clock, TIMEOUT_MS))
      expect(await find()).toBe(1)
      pair.coordinator = 2
      expect(await find()).toBe(1)
      pair.client.forgetCoordinator(subject.kind, subject.key)
      pair.lookUpFault = COORDINATOR_NOT_AVAILABLE
      pair.afterLookUp[2] = () => {
        pair.lookUpFault = NONE
      }
      expect(await find()).toBe(2)
      expect(pair.lookUps.length).toBe(3)
    }))
})

test('a transaction whose coordinator moves, and dies, between its requests ends as one', () =>
  inWorld({}, async ({ broker, client: newClient }) => {
    const client = newClient()
    const transactionalId = 'tx'
    broker.moveCoordinator(transactionalId, 1, 'transaction')
    const { producerId, producerEpoch } = await client.request(InitProducerId, { transactionalId, transactionTimeoutMs: 60_000 })
    broker.moveCoordinator(transactionalId, 2, 'transaction')
    const added = await client.request(AddPartitionsToTxn, {
      v3AndBelowTransactionalId: transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [{ name: 't', partitions: [0] }],
    })
    expect(added.resultsByTopicV3AndBelow[0]?.resultsByPartition).toMatchObject([{ partitionErrorCode: NONE }])
    await broker.stopNode(2)
    const described = await client.request(DescribeTransactions, { transactionalIds: [transactionalId] })
    expect(described.transactionStates).toMatchObject([{ errorCode: NONE, transactionState: 'Ongoing', producerId }])
    broker.moveCoordinator(transactionalId, 3, 'transaction')
    const ended = await client.request(EndTxn, { transactionalId, producerId, producerEpoch, committed: true })
    expect(ended.errorCode).toBe(NONE)
  }))

test('a broker before 4.0 has no share coordinators: an error that names the versions, not a request it would misread', () =>
  inWorld({ maxVersions: { FindCoordinator: 5 } }, async ({ client, sim }) => {
    const finding = client().coordinator('share', share.key, new Deadline(sim.clock, TIMEOUT_MS))
    await expect(finding).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_VERSION', message: expect.stringMatching(/v6/) })
  }))

test('several transactions in one request are refused for a broker that knows only one: nothing is sent', () =>
  inWorld({ asVersion: '2.8' }, async world => {
    let asked = 0
    world.broker.intercept(AddPartitionsToTxn, () => {
      asked++
      return 'pass'
    })
    const transaction = { producerId: 1n, producerEpoch: 0, verifyOnly: false, topics: [] }
    const transactions = ['a', 'b'].map(transactionalId => ({ transactionalId, ...transaction }))
    const request = world.client().request(AddPartitionsToTxn, { transactions } as never)
    await expect(request).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_VERSION' })
    expect(asked).toBe(0)
  }))

test('a coordinator that is not found in time: the cause is what kept this key, not another', () =>
  inWorld({ asVersion: '2.8' }, async world => {
    const client = world.client()
    const find = (kind: CoordinatorKind) => client.coordinator(kind, 'k', new Deadline(world.sim.clock, 1_000))
    await expect(find('share')).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_VERSION' })
    world.broker.intercept(FindCoordinator, () => 'drop')
    const message = expect.stringMatching(
      /^finding the coordinator of group 'k' did not finish within 1000 ms: no broker has told it/,
    )
    await expect(find('group')).rejects.toMatchObject({ code: 'ERR_TIMEOUT', message })
  }))
