import { describe, expect, test } from 'vitest'
import { BrokerError, UnsupportedVersionError } from '../../src/errors.ts'
import { Identification } from '../../src/producer/identification.ts'
import { ApiVersions, InitProducerId, Produce } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { encodedBatches } from '../../src/protocol/records/index.ts'
import { silent } from '../../src/util/logger.ts'
import { World } from './fixture.ts'

/** A cluster that answers InitProducerId, and the warnings it got to hear. */
function cluster(answer: () => unknown) {
  const warnings: string[] = []
  const cluster = {
    logger: { ...silent, warn: (_: object, message: string) => void warnings.push(message) },
    asked: 0,
    async sendTo() {
      cluster.asked++
      const value = answer()
      if (value instanceof Error) throw value
      return value
    },
    warnings,
  }
  return cluster
}
const identification = (of: ReturnType<typeof cluster>, idempotence: 'required' | 'preferred' | 'off') =>
  new Identification(of as unknown as ConstructorParameters<typeof Identification>[0], idempotence)
const tooOld = () => new UnsupportedVersionError('InitProducerId', 'the broker has no InitProducerId')

test('callers that need the id at the same time share one request', async () => {
  const of = cluster(() => ({ errorCode: 0, producerId: 5n, producerEpoch: 0 }))
  const it = identification(of, 'preferred')
  expect(it.isReady).toBe(false)
  await Promise.all([it.obtain(1), it.obtain(2)])
  expect(of.asked).toBe(1)
  expect(it.isReady).toBe(true)
  expect(it.identities?.current).toEqual({ producerId: 5n, epoch: 0 })
})

describe('D8: a broker without idempotent producers', () => {
  test('costs a default one warning, and the guarantee', async () => {
    const of = cluster(tooOld)
    const it = identification(of, 'preferred')
    await it.obtain(1)
    expect(it.isReady).toBe(true)
    expect(it.identities).toBeUndefined()
    expect(of.warnings).toEqual([expect.stringContaining('set idempotent to false')])
  })
  test('is an error where it was asked for', async () => {
    const of = cluster(tooOld)
    const it = identification(of, 'required')
    await expect(it.obtain(1)).rejects.toMatchObject({
      code: 'ERR_UNSUPPORTED_VERSION',
      message: expect.stringContaining('0.11'),
    })
    expect(it.isReady).toBe(false)
    expect(of.warnings).toEqual([])
  })
})

test('an error is not remembered: the next call asks again', async () => {
  const codes: number[] = [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.NONE]
  const it = identification(
    cluster(() => ({ errorCode: codes.shift(), producerId: 5n, producerEpoch: 0 })),
    'required',
  )
  await expect(it.obtain(1)).rejects.toBeInstanceOf(BrokerError)
  await it.obtain(1)
  expect(it.isReady).toBe(true)
})

test('without idempotence nothing is asked', () => {
  expect(identification(cluster(tooOld), 'off').isReady).toBe(true)
})

describe('a cluster of which one broker is older than 0.11', () => {
  /** Node 1 leads partition 0; node 2, which leads partition 1, takes no batches of format 2. */
  const mixed = (body: (world: World) => Promise<void>) =>
    World.run({ nodes: 2, topics: { t: 2 } }, async world => {
      const { broker } = world
      broker.intercept(ApiVersions, async (_, { node, next }) => {
        if (node.id === 1) return 'pass'
        const answer = await next()
        if (typeof answer === 'string') return answer
        const older = answer.apiKeys.map(each => (each.apiKey === Produce.key ? { ...each, minVersion: 0, maxVersion: 2 } : each))
        return { ...answer, apiKeys: older.filter(({ apiKey }) => apiKey !== InitProducerId.key) }
      })
      for (const partition of [0, 1]) broker.moveLeader('t', partition, partition + 1)
      await body(world)
    })
  const record = (partition: number) => ({ topic: 't', partition, value: String(partition) })

  test('costs the guarantee there, with one warning, and nowhere else', () =>
    mixed(async world => {
      const numbered: boolean[][] = [[], []]
      world.broker.intercept(Produce, ({ topicData }) => {
        for (const { index, records } of topicData[0]?.partitionData ?? [])
          for (const batch of encodedBatches(Buffer.from(records ?? []))) numbered[index]?.push(batch.producerId >= 0n)
        return 'pass'
      })
      const producer = world.producer()
      for (const partition of [1, 0, 1, 0]) await producer.send(record(partition))
      expect(numbered).toEqual([
        [true, true],
        [false, false],
      ])
      expect(world.warnings).toEqual([expect.stringContaining('set idempotent to false')])
    }))

  test('is an error there, where idempotence was asked for: nothing is sent that could be stored twice', () =>
    mixed(async world => {
      const producer = world.producer({ idempotent: true })
      const refused = { code: 'ERR_UNSUPPORTED_VERSION', message: expect.stringContaining('set idempotent to false') }
      for (let round = 0; round < 2; round++) {
        await producer.send(record(0))
        await expect(producer.send(record(1))).rejects.toMatchObject(refused)
      }
      expect(await world.stored('t', 0)).toHaveLength(2)
      expect(await world.stored('t', 1)).toEqual([])
    }))

  test('is nothing to warn of without idempotence', () =>
    mixed(async world => {
      const producer = world.producer({ idempotent: false })
      await producer.send([record(0), record(1)])
      expect(world.warnings).toEqual([])
    }))
})
