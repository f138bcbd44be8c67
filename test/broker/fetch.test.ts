import { describe, expect, test } from 'vitest'
import { Fetch } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { batch, readBack } from './batches.ts'
import { connect, fetch, fetchRequest, produce, setUp } from './set-up.ts'

describe('how much a fetch gets', () => {
  test('whole batches up to maxBytes, and the first whatever its size', async () => {
    const { client } = await setUp()
    for (const value of ['a', 'b', 'c']) await produce(client, batch([value.repeat(1000)]))
    const size = (await fetch(client, 0n)).records!.length / 3
    expect((await fetch(client, 0n, {}, { partitionMaxBytes: 2 * size })).records).toHaveLength(2 * size)
    expect((await fetch(client, 0n, { maxBytes: 2 * size + 1 })).records).toHaveLength(2 * size)
    expect((await fetch(client, 0n, { maxBytes: 1 }, { partitionMaxBytes: 1 })).records).toHaveLength(size)
  })

  test('only one batch of all partitions may be larger than asked for', async () => {
    const { client } = await setUp()
    for (const partition of [0, 1]) await produce(client, batch(['x'.repeat(1000)]), { partition })
    const { responses } = await client.request(Fetch, 12, {
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 10,
      topics: [{ topic: 't', partitions: [0, 1].map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 10 })) }],
    })
    expect(responses[0]!.partitions.map(({ records }) => records!.length > 0)).toEqual([true, false])
  })

  test('a fetch from within a batch gets the batch from its start', async () => {
    const { client } = await setUp()
    await produce(client, batch(['a', 'b', 'c']))
    expect(readBack((await fetch(client, 2n)).records)).toEqual(['0:a', '1:b', '2:c'])
  })

  test('positions outside of the log, and records above the high watermark', async () => {
    const { broker, client } = await setUp()
    await produce(client, batch(['a']))
    await produce(client, batch(['b']))
    expect((await fetch(client, 3n)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
    broker.holdHighWatermark('t', 0, 1n)
    expect(readBack((await fetch(client, 0n)).records)).toEqual(['0:a'])
    broker.holdHighWatermark('t', 0, undefined)
    broker.deleteRecords('t', 0, 1n)
    expect((await fetch(client, 0n)).errorCode).toBe(ErrorCode.OFFSET_OUT_OF_RANGE)
  })
})

describe('waiting', () => {
  test('until minBytes are there', async () => {
    const { broker, client } = await setUp()
    const waiting = (await connect(broker)).request(Fetch, 12, fetchRequest(0n, { maxWaitMs: 60_000, minBytes: 100 }))
    await produce(client, batch(['a']))
    await produce(client, batch(['b']))
    expect(readBack((await waiting).responses[0]!.partitions[0]!.records)).toEqual(['0:a', '1:b'])
  })

  test('ends when the partition gets another leader, or its topic goes', async () => {
    const { broker } = await setUp({ nodes: 2 })
    broker.moveLeader('t', 0, 1)
    broker.moveLeader('t', 1, 1)
    const waitOn = async (partition: number) => {
      const client = await connect(broker)
      return client.request(Fetch, 10, fetchRequest(0n, { maxWaitMs: 60_000 }, { partition }))
    }
    const moved = waitOn(0)
    const deleted = waitOn(1)
    await expect.poll(() => broker.cluster.nodes.get(1)!.connectionCount).toBe(3)
    broker.moveLeader('t', 0, 2)
    expect((await moved).responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
    broker.deleteTopic('t')
    expect((await deleted).responses[0]!.partitions[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })

  test('holds back what follows on the same connection, as a Kafka broker does', async () => {
    const { broker, client } = await setUp()
    const waiting = client.request(Fetch, 12, fetchRequest(0n, { maxWaitMs: 60_000 }))
    const second = client.request(Fetch, 12, fetchRequest(0n))
    await produce(await connect(broker), batch(['a']))
    await Promise.all([waiting, second])
    expect(client.answered).toEqual([1, 2])
  })
})

describe('sessions (KIP-227)', () => {
  test('an incremental fetch gives only what changed, and remembers the rest', async () => {
    const { client } = await setUp()
    const wanted = [0, 1].map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 1 << 20 }))
    const ask = (sessionId: number, sessionEpoch: number, change: object = {}) =>
      client.request(Fetch, 12, { maxWaitMs: 0, minBytes: 0, sessionId, sessionEpoch, topics: [], ...change })
    const { sessionId, responses } = await ask(0, 0, { topics: [{ topic: 't', partitions: wanted }] })
    expect(sessionId).toBeGreaterThan(0)
    expect(responses[0]!.partitions).toHaveLength(2)
    expect((await ask(sessionId, 1)).responses).toEqual([])
    await produce(client, batch(['a']), { partition: 1 })
    const news = await ask(sessionId, 2)
    expect(news.responses[0]!.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([1])
    const moved = await ask(sessionId, 3, { topics: [{ topic: 't', partitions: [{ ...wanted[1]!, fetchOffset: 1n }] }] })
    expect(moved.responses).toEqual([])
    const forgotten = await ask(sessionId, 4, { forgottenTopicsData: [{ topic: 't', partitions: [0, 1] }] })
    expect(forgotten.sessionId).toBe(0)
    expect((await ask(sessionId, 5)).errorCode).toBe(ErrorCode.FETCH_SESSION_ID_NOT_FOUND)
  })

  test('a wrong epoch and an unknown session are refused', async () => {
    const { client } = await setUp()
    const { sessionId } = await client.request(Fetch, 12, fetchRequest(0n, { sessionEpoch: 0 }))
    expect((await client.request(Fetch, 12, fetchRequest(0n, { sessionId, sessionEpoch: 5 }))).errorCode).toBe(
      ErrorCode.INVALID_FETCH_SESSION_EPOCH,
    )
    expect((await client.request(Fetch, 12, fetchRequest(0n, { sessionId: 42, sessionEpoch: 1 }))).errorCode).toBe(
      ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
    )
  })

  test('a larger session takes the slot of a smaller one, not the reverse', async () => {
    const { broker, client } = await setUp({ config: { 'max.incremental.fetch.session.cache.slots': '1' } })
    const open = async (partitions: number[]) =>
      (
        await client.request(Fetch, 12, {
          maxWaitMs: 0,
          minBytes: 0,
          sessionEpoch: 0,
          topics: [
            { topic: 't', partitions: partitions.map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 1 })) },
          ],
        })
      ).sessionId
    const small = await open([0])
    expect(await open([1])).toBe(0)
    const large = await open([0, 1])
    expect(large).toBeGreaterThan(0)
    expect(broker.cluster.nodes.get(1)!.fetchSessions.size).toBe(1)
    expect((await client.request(Fetch, 12, fetchRequest(0n, { sessionId: small, sessionEpoch: 1 }))).errorCode).toBe(
      ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
    )
  })
})

describe('leaders', () => {
  test('the wrong node and a stale epoch are told where the leader is (KIP-951)', async () => {
    const { broker, client } = await setUp({ nodes: 2, config: { 'default.replication.factor': '1' } })
    broker.moveLeader('t', 0, 2)
    const { topicId, leaderEpoch } = broker.partition('t', 0)
    const produced = await produce(client, batch(['x']), { version: 10 })
    expect(produced).toMatchObject({ errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER, currentLeader: { leaderId: 2, leaderEpoch } })
    const { responses, nodeEndpoints } = await client.request(Fetch, 16, {
      maxWaitMs: 0,
      minBytes: 1,
      topics: [{ topicId, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 }] }],
    })
    expect(responses[0]!.partitions[0]).toMatchObject({
      errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 2 },
    })
    expect(nodeEndpoints).toMatchObject([{ nodeId: 2, port: broker.cluster.nodes.get(2)!.port }])
  })

  test('consumers read from a replica, and are sent to the one in their rack', async () => {
    const { broker } = await setUp({
      nodes: 2,
      racks: ['a', 'b'],
      config: { 'replica.selector.class': 'RackAwareReplicaSelector' },
    })
    broker.moveLeader('t', 0, 1)
    const leader = await connect(broker, 1)
    await produce(leader, batch(['x']))
    expect(await fetch(leader, 0n, { rackId: 'b' })).toMatchObject({ preferredReadReplica: 2, records: Buffer.alloc(0) })
    const follower = await connect(broker, 2)
    expect(readBack((await fetch(follower, 0n, { rackId: 'b' })).records)).toEqual(['0:x'])
    expect((await fetch(follower, 0n, { version: 10 })).errorCode).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER)
  })
})
