import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Admin } from '../../src/admin/index.ts'
import { type Broker, startBroker } from '../../src/broker/index.ts'
import { BrokerError, PartialFailureError } from '../../src/errors.ts'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { CreateTopics } from '../../src/protocol/apis/19-create-topics.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { NO_UUID } from '../../src/protocol/schema.ts'

let broker: Broker
let admin: Admin
beforeAll(async () => {
  broker = await startBroker({ topics: { known: 3 }, nodes: 2, autoCreateTopics: true })
  admin = new Admin({ bootstrapServers: broker.bootstrapServers, retryBackoffMs: 1, retryBackoffMaxMs: 5 })
})
afterAll(async () => {
  await admin.close()
  await broker.close()
})

test('a topic is created with its configs, described, listed and deleted', async () => {
  const created = await admin.createTopics([
    { name: 'a', partitions: 4, replicationFactor: 2, configs: { 'retention.ms': '60000' } },
  ])
  expect(created.get('a')).toMatchObject({ name: 'a', partitions: 4, replicationFactor: 2 })
  expect(created.get('a')?.configs.get('retention.ms')).toBe('60000')
  const description = (await admin.describeTopics(['a'])).get('a')
  expect(description?.topicId).toBe(created.get('a')?.topicId)
  expect(description?.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
  for (const { leaderId, replicas, isr } of description!.partitions) {
    expect(replicas).toHaveLength(2)
    expect(replicas).toContain(leaderId)
    expect(isr).toEqual(replicas)
  }
  expect(await admin.listTopics()).toContainEqual({ name: 'a', topicId: description!.topicId, isInternal: false })
  await admin.deleteTopics(['a'])
  expect((await admin.listTopics()).map(({ name }) => name)).not.toContain('a')
})

test('without numbers the broker decides, with assignments the caller', async () => {
  const created = await admin.createTopics([{ name: 'defaults' }, { name: 'assigned', assignments: [[2], [1], [2]] }])
  expect(created.get('defaults')?.partitions).toBe(1)
  const { partitions } = (await admin.describeTopics(['assigned'])).get('assigned')!
  expect(partitions.map(({ leaderId }) => leaderId)).toEqual([2, 1, 2])
  await expect(admin.createTopics([{ name: 'both', partitions: 1, assignments: [[1]] }])).rejects.toThrow('leave partitions')
})

test('validateOnly creates nothing', async () => {
  await admin.createTopics([{ name: 'maybe', partitions: 1 }], { validateOnly: true })
  expect((await admin.listTopics()).map(({ name }) => name)).not.toContain('maybe')
})

test('deleting by id leaves a topic alone that was created anew under the name', async () => {
  const first = (await admin.createTopics([{ name: 'again', partitions: 1 }])).get('again')!
  await admin.deleteTopics([{ topicId: first.topicId! }])
  await admin.createTopics([{ name: 'again', partitions: 1 }])
  const error = await admin.deleteTopics([{ topicId: first.topicId! }]).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(PartialFailureError)
  expect((error as PartialFailureError).cause).toMatchObject({ error: 'UNKNOWN_TOPIC_ID' })
  expect((await admin.listTopics()).map(({ name }) => name)).toContain('again')
})

describe('a call that fails for some', () => {
  test('rejects with one error that says per topic, in order', async () => {
    const error = await admin
      .createTopics([
        { name: 'fresh', partitions: 1 },
        { name: 'known', partitions: 1 },
        { name: 'no spaces', partitions: 1 },
      ])
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(PartialFailureError)
    const { results, cause, code, message } = error as PartialFailureError
    expect(code).toBe('ERR_PARTIAL_FAILURE')
    expect(message).toContain('2 of 3 topics failed')
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(cause).toBeInstanceOf(BrokerError)
    expect(cause).toMatchObject({ error: 'TOPIC_ALREADY_EXISTS', topic: 'known' })
    expect(results[2]).toMatchObject({ reason: { error: 'INVALID_TOPIC_EXCEPTION' } })
    expect((await admin.listTopics()).map(({ name }) => name)).toContain('fresh')
  })

  test('describing an unknown topic fails, and does not create it', async () => {
    const error = await admin.describeTopics(['known', 'nowhere']).catch((reason: unknown) => reason)
    expect((error as PartialFailureError).results).toMatchObject([
      { status: 'fulfilled', value: { name: 'known' } },
      { status: 'rejected', reason: { error: 'UNKNOWN_TOPIC_OR_PARTITION', topic: 'nowhere' } },
    ])
    expect((await admin.listTopics()).map(({ name }) => name)).not.toContain('nowhere')
  })

  test('a name that a call does not know is refused before anything is sent, with the nearest that it does', async () => {
    await expect(admin.createTopics([{ name: 'typo', partition: 3 } as never])).rejects.toThrow(/did you mean partitions\?/)
    await expect(admin.createTopics([{ name: 'typo' }], { validateonly: true } as never)).rejects.toThrow(
      /did you mean validateOnly\?/,
    )
    await expect(admin.listTopics({ timeout: 5 } as never)).rejects.toThrow(/did you mean timeoutMs\?/)
    expect((await admin.listTopics()).map(({ name }) => name)).not.toContain('typo')
  })

  test('naming a topic twice is refused before anything is sent', async () => {
    await expect(admin.deleteTopics(['known', 'known'])).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
    expect((await admin.listTopics()).map(({ name }) => name)).toContain('known')
  })

  test('a topic that the answer leaves out failed as well', async () => {
    broker.intercept(CreateTopics, () => ({ topics: [] }), { times: 1 })
    const error = await admin.createTopics([{ name: 'silent', partitions: 1 }]).catch((reason: unknown) => reason)
    expect((error as PartialFailureError).cause).toMatchObject({ code: 'ERR_PROTOCOL' })
  })
})

test('a broker that is not the controller any more is asked no further: the call goes on with the new one', async () => {
  let refusals = 0
  broker.intercept(
    CreateTopics,
    ({ topics }) => {
      refusals++
      return {
        topics: topics.map(({ name }) => ({
          name,
          topicId: NO_UUID,
          errorCode: ErrorCode.NOT_CONTROLLER,
          errorMessage: null,
          configs: [],
        })),
      }
    },
    { times: 2 },
  )
  await admin.createTopics([{ name: 'moved', partitions: 1 }])
  expect(refusals).toBe(2)
})

test('brokers before 0.11 are asked for everything, as they would create what they are asked for', async () => {
  await using old = await startBroker({ topics: { known: 2 }, maxVersions: { Metadata: 3 } })
  await using client = new Admin({ bootstrapServers: old.bootstrapServers })
  let named = 0
  old.intercept(Metadata, ({ topics }) => {
    named += topics?.length ?? 0
    return 'pass'
  })
  expect((await client.describeTopics(['known'])).get('known')?.partitions).toHaveLength(2)
  await expect(client.describeTopics(['nowhere'])).rejects.toThrow('nowhere')
  expect(named).toBe(0)
})

test('a closed admin refuses calls; closing twice is one close', async () => {
  const closed = new Admin({ bootstrapServers: broker.bootstrapServers })
  expect(closed.close()).toBe(closed.close())
  await closed.close()
  await expect(closed.listTopics()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
})

test('a shared client outlives the admin that used it', async () => {
  const shared = new Admin({ client: admin.client })
  await shared.listTopics()
  await shared.close()
  expect(await admin.listTopics()).not.toHaveLength(0)
})
