import { describe, expect, test } from 'vitest'
import { DeleteTopics, FindCoordinator, LeaveGroup, Metadata, OffsetCommit } from '../../src/protocol/apis/index.ts'
import type { Api, Encodable } from '../../src/protocol/schema.ts'
import { brokerWith, clientOf, clusterOf } from './fixture.ts'

const GROUP = 0

describe('a request that fills a field which later versions lack', () => {
  test('goes out in the last version that has it, and nothing of it is lost: DeleteTopics by name', async () => {
    const { client } = await clusterOf(1, { t: 1, u: 1 })
    const { responses } = await client.request(DeleteTopics, { topicNames: ['t', 'nope'], timeoutMs: 1_000 })
    expect(responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['t', 0],
      ['nope', 3],
    ])
    const { topics } = await client.request(Metadata, { topics: null })
    expect(topics.map(({ name }) => name)).toEqual(['u'])
  })
  test('FindCoordinator of one key, LeaveGroup of one member', async () => {
    const { client } = await clusterOf(1)
    expect(await client.request(FindCoordinator, { key: 'g', keyType: GROUP })).toMatchObject({ errorCode: 0, nodeId: 1 })
    expect(await client.request(LeaveGroup, { groupId: 'g', memberId: 'nobody' })).toMatchObject({ errorCode: 25 })
  })
  test.each([
    ['DeleteTopics', 'topicNames', 5, DeleteTopics, { topicNames: ['t'], timeoutMs: 1_000 }],
    ['OffsetCommit', 'retentionTimeMs', 4, OffsetCommit, { groupId: 'g', retentionTimeMs: 5n, topics: [] }],
    ['FindCoordinator', 'key', 3, FindCoordinator, { key: 'g' }],
  ] as [string, string, number, Api, object][])(
    '%s refuses a version without its %s, rather than to leave that out: nothing is sent',
    async (_, field, last, api, request) => {
      const { broker, client } = await clusterOf(1)
      let asked = 0
      broker.intercept(api, () => {
        asked++
        return 'pass'
      })
      const ask = (options: object) => client.request(api, request as Encodable<Api['request']>, options)
      const message = `${api.name}Request.${field} cannot be expressed in version ${last + 1}: leave it out, or use a peer that speaks an earlier version`
      for (const options of [{ version: last + 1 }, { minVersion: last + 1 }])
        await expect(ask(options)).rejects.toMatchObject({
          code: 'ERR_UNSUPPORTED_VERSION',
          message,
        })
      expect(asked).toBe(0)
      await ask({ version: last })
      expect(asked).toBe(1)
    },
  )
  test('fields at their defaults set no limit', async () => {
    const { broker, client } = await clusterOf(1)
    const versions: number[] = []
    broker.intercept(Metadata, (_, { version }) => {
      versions.push(version)
      return 'pass'
    })
    await client.request(Metadata, { topics: [], includeClusterAuthorizedOperations: false })
    await client.request(Metadata, { topics: [], includeClusterAuthorizedOperations: true })
    expect(versions.slice(-2)).toEqual([Metadata.stable, 10])
  })
})

test('many coordinators are asked for one by one where a broker does not know how to ask for many; the answer is the same', async () => {
  const ask = { keyType: GROUP, coordinatorKeys: ['a', 'b', 'c'] }
  const answers = await Promise.all(
    [undefined, '2.8' as const].map(async asVersion => {
      const broker = await brokerWith({ ...(asVersion && { asVersion }) })
      const { coordinators, ...top } = await clientOf(broker.bootstrapServers).request(FindCoordinator, ask)
      return {
        top,
        coordinators: coordinators.map(({ port: _, ...each }) => ({ ...each, errorMessage: each.errorMessage || null })),
      }
    }),
  )
  expect(answers[0]!.coordinators.map(({ key, errorCode }) => [key, errorCode])).toEqual(ask.coordinatorKeys.map(key => [key, 0]))
  expect(answers[1]).toEqual(answers[0])
})
