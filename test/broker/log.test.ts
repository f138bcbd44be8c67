import { describe, expect, test } from 'vitest'
import { ListOffsets, OffsetForLeaderEpoch } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { BatchBuilder, endTransactionMarker } from '../../src/protocol/records/index.ts'
import { batch, readBack } from './batches.ts'
import { fetch, produce, setUp } from './set-up.ts'

describe('idempotent producers', () => {
  const from = (baseSequence: number, producerEpoch = 0, values = ['x']) =>
    batch(values, { producerId: 7n, producerEpoch, baseSequence })

  test('a repeated batch is answered with its first offset and written once', async () => {
    const { broker, client } = await setUp()
    expect((await produce(client, from(0, 0, ['a', 'b']))).baseOffset).toBe(0n)
    expect((await produce(client, from(2))).baseOffset).toBe(2n)
    expect(await produce(client, from(0, 0, ['a', 'b']))).toMatchObject({ errorCode: 0, baseOffset: 0n })
    expect(broker.partition('t', 0).endOffset).toBe(3n)
  })

  test('a gap in the sequence, and a batch too old to be remembered, are out of order', async () => {
    const { client } = await setUp()
    for (let sequence = 0; sequence < 6; sequence++) await produce(client, from(sequence))
    expect((await produce(client, from(7))).errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect((await produce(client, from(0))).errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect((await produce(client, from(6))).errorCode).toBe(0)
  })

  test('a new epoch starts at sequence 0 and fences the old one', async () => {
    const { client } = await setUp()
    await produce(client, from(0))
    expect((await produce(client, from(1, 1))).errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect((await produce(client, from(0, 1))).errorCode).toBe(0)
    expect((await produce(client, from(1, 0))).errorCode).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
  })

  test('a producer that is not known may begin anywhere; sequences wrap after 2^31-1', async () => {
    const { client } = await setUp()
    expect((await produce(client, from(2 ** 31 - 1, 0, ['last', 'first']))).errorCode).toBe(0)
    expect((await produce(client, from(1))).errorCode).toBe(0)
  })
})

describe('what a leader refuses', () => {
  test.each<[string, () => Buffer, number]>([
    ['a damaged batch', () => Object.assign(batch(['x']), { 66: 0xff }), ErrorCode.CORRUPT_MESSAGE],
    ['bytes that are no batch', () => Buffer.alloc(100, 0x41), ErrorCode.CORRUPT_MESSAGE],
    ['half a batch', () => batch(['x']).subarray(0, 60), ErrorCode.CORRUPT_MESSAGE],
    ['nothing', () => Buffer.alloc(0), ErrorCode.INVALID_RECORD],
    ['two batches', () => Buffer.concat([batch(['x']), batch(['y'])]), ErrorCode.INVALID_RECORD],
    ['a batch that is too large', () => batch(['x'.repeat(1_100_000)]), ErrorCode.MESSAGE_TOO_LARGE],
  ])('%s', async (_, records, errorCode) => {
    const { broker, client } = await setUp()
    expect((await produce(client, records())).errorCode).toBe(errorCode)
    expect(broker.partition('t', 0).endOffset).toBe(0n)
  })

  test('unknown acks, topics and partitions, and too few replicas', async () => {
    const { client } = await setUp({ config: { 'min.insync.replicas': '2' } })
    expect((await produce(client, batch(['x']), { acks: 2 })).errorCode).toBe(ErrorCode.INVALID_REQUIRED_ACKS)
    expect((await produce(client, batch(['x']), { partition: 9 })).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect((await produce(client, batch(['x']), { topic: 'u' })).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    expect((await produce(client, batch(['x']))).errorCode).toBe(ErrorCode.NOT_ENOUGH_REPLICAS)
    expect((await produce(client, batch(['x']), { acks: 1 })).errorCode).toBe(0)
  })

  test('records without a key in a compacted topic, by their index', async () => {
    const { broker, client } = await setUp()
    broker.createTopic('c', 1, { 'cleanup.policy': 'compact' })
    const refused = await produce(client, batch(['x'], { key: null }), { topic: 'c' })
    expect(refused).toMatchObject({ errorCode: ErrorCode.INVALID_RECORD, recordErrors: [{ batchIndex: 0 }] })
    expect((await produce(client, batch(['x']), { topic: 'c' })).errorCode).toBe(0)
  })
})

describe('offsets by time', () => {
  const at = async (client: Parameters<typeof produce>[0], timestamp: bigint, isolationLevel = 0) => {
    const { topics } = await client.request(ListOffsets, 11, {
      replicaId: -1,
      isolationLevel,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp }] }],
    })
    return topics[0]!.partitions[0]!
  }

  test('the first record at or after a time, and the special times', async () => {
    const { broker, client } = await setUp()
    await produce(client, batch(['a', 'b'], { timestamp: 100 }))
    await produce(client, batch(['c', 'd'], { timestamp: 50 }))
    await produce(client, batch(['e'], { timestamp: 200 }))
    expect(await at(client, 101n)).toMatchObject({ offset: 1n, timestamp: 101n, leaderEpoch: 0 })
    expect(await at(client, 0n)).toMatchObject({ offset: 0n })
    expect(await at(client, 102n)).toMatchObject({ offset: 4n })
    expect(await at(client, 201n)).toMatchObject({ offset: -1n, timestamp: -1n })
    expect(await at(client, -3n)).toMatchObject({ offset: 4n, timestamp: 200n })
    broker.deleteRecords('t', 0, 3n)
    expect([await at(client, -2n), await at(client, -1n)]).toMatchObject([{ offset: 3n }, { offset: 5n }])
  })

  test('LogAppendTime replaces what the producer said, checksum included', async () => {
    const { broker, client } = await setUp()
    broker.createTopic('l', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const { logAppendTimeMs } = await produce(client, batch(['x']), { topic: 'l' })
    const [record] = await broker.records('l', 0)
    expect(BigInt(record!.timestamp)).toBe(logAppendTimeMs)
  })
})

describe('transactions in the log', () => {
  const marker = (type: 'commit' | 'abort') => {
    const builder = new BatchBuilder({ codec: 'none' })
    builder.append({ ...endTransactionMarker(type, 0), timestamp: 1 })
    return builder.finish({ producerId: 9n, producerEpoch: 0, isTransactional: true, isControl: true }) as Uint8Array
  }

  test('an open one holds back the last stable offset, an aborted one is named to read_committed', async () => {
    const { broker, client } = await setUp()
    await broker.appendRaw('t', 0, batch(['t'], { producerId: 9n, producerEpoch: 0, baseSequence: 0, isTransactional: true }))
    await produce(client, batch(['plain']))
    expect(broker.partition('t', 0)).toMatchObject({ lastStableOffset: 0n, highWatermark: 2n })
    expect(readBack((await fetch(client, 0n, { isolationLevel: 1 })).records)).toEqual([])
    expect(readBack((await fetch(client, 0n)).records)).toHaveLength(2)
    await broker.appendRaw('t', 0, marker('abort'))
    expect(broker.partition('t', 0)).toMatchObject({ lastStableOffset: 3n })
    const committed = await fetch(client, 0n, { isolationLevel: 1 })
    expect(committed.abortedTransactions).toEqual([{ producerId: 9n, firstOffset: 0n }])
    expect((await fetch(client, 0n)).abortedTransactions).toBeNull()
  })
})

describe('changes from outside', () => {
  test('compaction keeps the last record of each key at its offset, and the empty batch of a known producer', async () => {
    const { broker, client } = await setUp()
    await produce(client, batch(['a1'], { key: 'a' }))
    await produce(client, batch(['b1'], { key: 'b' }))
    await produce(client, batch(['a2'], { key: 'a', producerId: 3n, producerEpoch: 0, baseSequence: 0 }))
    await produce(client, batch(['a3', 'a4'], { key: 'a' }))
    await broker.compact('t', 0)
    expect(readBack((await fetch(client, 0n)).records)).toEqual(['1:b1', '4:a4'])
    expect(await produce(client, batch(['next']))).toMatchObject({ baseOffset: 5n })
    await broker.compact('t', 0, { emptyBatches: 'none' })
    expect((await broker.records('t', 0)).map(({ value }) => `${value}`)).toEqual(['b1', 'a4', 'next'])
  })

  test('an epoch ends where the next leader began', async () => {
    const { broker, client } = await setUp({ nodes: 2, config: { 'default.replication.factor': '2' } })
    broker.moveLeader('t', 0, 1)
    const before = broker.partition('t', 0).leaderEpoch
    await produce(client, batch(['a', 'b']))
    broker.moveLeader('t', 0, 2)
    broker.moveLeader('t', 0, 1)
    await produce(client, batch(['c']))
    const ask = async (leaderEpoch: number, currentLeaderEpoch = -1) => {
      const { topics } = await client.request(OffsetForLeaderEpoch, 4, {
        topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch, currentLeaderEpoch }] }],
      })
      return topics[0]!.partitions[0]!
    }
    expect(await ask(before)).toMatchObject({ leaderEpoch: before, endOffset: 2n })
    expect(await ask(before + 2)).toMatchObject({ leaderEpoch: before + 2, endOffset: 3n })
    expect(await ask(before + 3)).toMatchObject({ leaderEpoch: -1, endOffset: -1n })
    expect((await ask(before, before)).errorCode).toBe(ErrorCode.FENCED_LEADER_EPOCH)
    expect((await ask(before, before + 9)).errorCode).toBe(ErrorCode.UNKNOWN_LEADER_EPOCH)
    broker.truncate('t', 0, 1n)
    const { divergingEpoch } = await fetch(client, 3n, {}, { lastFetchedEpoch: before + 2 })
    expect(divergingEpoch).toMatchObject({ endOffset: 0n })
  })

  test('offsets stay exact beyond 2^53', async () => {
    const { broker, client } = await setUp()
    broker.startAt('t', 0, 2n ** 60n)
    expect((await produce(client, batch(['big']))).baseOffset).toBe(2n ** 60n)
    expect(readBack((await fetch(client, 2n ** 60n)).records)).toEqual([`${2n ** 60n}:big`])
  })

  test('raw bytes are served as they are', async () => {
    const { broker, client } = await setUp()
    await broker.appendRaw('t', 0, Buffer.from('not a batch at all, but long enough to look like one'))
    await produce(client, batch(['after']))
    const { records } = await fetch(client, 0n)
    expect(records!.subarray(0, 3).toString()).toBe('not')
  })
})
