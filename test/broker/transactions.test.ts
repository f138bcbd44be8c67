import { describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import {
  AddOffsetsToTxn,
  AddPartitionsToTxn,
  EndTxn,
  InitProducerId,
  OffsetFetch,
  Produce,
  TxnOffsetCommit,
} from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { batch, readBack } from './batches.ts'
import type { RawClient } from './raw-client.ts'
import { fetch, setUp } from './set-up.ts'

interface Producer {
  readonly producerId: bigint
  readonly producerEpoch: number
}

const init = (client: RawClient, claimed: Partial<Producer> = {}) =>
  client.request(InitProducerId, 5, { transactionalId: 'x', transactionTimeoutMs: 60_000, ...claimed })

async function add(client: RawClient, { producerId, producerEpoch }: Producer, partitions = [0]) {
  const { resultsByTopicV3AndBelow } = await client.request(AddPartitionsToTxn, 3, {
    v3AndBelowTransactionalId: 'x',
    v3AndBelowProducerId: producerId,
    v3AndBelowProducerEpoch: producerEpoch,
    v3AndBelowTopics: [{ name: 't', partitions }],
  })
  return resultsByTopicV3AndBelow[0]!.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode)
}

async function write(
  client: RawClient,
  { producerId, producerEpoch }: Producer,
  value: string,
  { baseSequence = 0, version = 11, topicId = '' } = {},
) {
  const records = batch([value], { producerId, producerEpoch, baseSequence, isTransactional: true })
  const { responses } = await client.request(Produce, version, {
    transactionalId: 'x',
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ ...(version < 13 ? { name: 't' } : { topicId }), partitionData: [{ index: 0, records }] }],
  })
  return responses[0]!.partitionResponses[0]!.errorCode
}

const end = (client: RawClient, { producerId, producerEpoch }: Producer, committed: boolean, version = 4) =>
  client.request(EndTxn, version, { transactionalId: 'x', producerId, producerEpoch, committed })

const committedValues = async (client: RawClient) => readBack((await fetch(client, 0n, { isolationLevel: 1 })).records).length

describe('transactions', () => {
  test('commit: written records become stable, and the marker takes an offset', async () => {
    const { broker, client } = await setUp()
    const producer = await init(client)
    expect(await add(client, producer, [0, 1])).toEqual([0, 0])
    expect(await write(client, producer, 'a')).toBe(0)
    expect(await committedValues(client)).toBe(0)
    expect((await end(client, producer, true)).errorCode).toBe(0)
    expect(broker.partition('t', 0)).toMatchObject({ lastStableOffset: 2n, endOffset: 2n })
    expect(broker.partition('t', 1)).toMatchObject({ endOffset: 1n })
    expect((await broker.records('t', 0)).map(({ value }) => `${value}`)).toEqual(['a'])
    // Asked again, the answer is the same; the opposite is refused.
    expect((await end(client, producer, true)).errorCode).toBe(0)
    expect((await end(client, producer, false)).errorCode).toBe(ErrorCode.INVALID_TXN_STATE)
  })

  test('abort: the fetch names what to leave out', async () => {
    const { client } = await setUp()
    const producer = await init(client)
    await add(client, producer)
    await write(client, producer, 'a')
    await end(client, producer, false)
    expect((await fetch(client, 0n, { isolationLevel: 1 })).abortedTransactions).toEqual([
      { producerId: producer.producerId, firstOffset: 0n },
    ])
  })

  test('a partition that was not added is refused, and so is a stranger', async () => {
    const { client } = await setUp()
    const producer = await init(client)
    expect(await write(client, producer, 'a')).toBe(ErrorCode.TRANSACTION_ABORTABLE)
    expect(await write(client, producer, 'a', { version: 10 })).toBe(ErrorCode.INVALID_TXN_STATE)
    expect(await add(client, producer, [0, 9])).toEqual([ErrorCode.OPERATION_NOT_ATTEMPTED, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
    expect(await add(client, { ...producer, producerId: 77n })).toEqual([ErrorCode.INVALID_PRODUCER_ID_MAPPING])
  })

  test('a second producer of the same id aborts the open transaction and fences the first', async () => {
    const { broker, client } = await setUp()
    const first = await init(client)
    await add(client, first)
    await write(client, first, 'a')
    expect((await init(client)).errorCode).toBe(ErrorCode.CONCURRENT_TRANSACTIONS)
    const second = await init(client)
    expect(second).toMatchObject({ errorCode: 0, producerId: first.producerId, producerEpoch: first.producerEpoch + 2 })
    expect(broker.partition('t', 0).lastStableOffset).toBe(2n)
    expect(await add(client, first)).toEqual([ErrorCode.PRODUCER_FENCED])
    expect(await write(client, first, 'b', { baseSequence: 1 })).toBe(ErrorCode.INVALID_PRODUCER_EPOCH)
    expect((await end(client, first, true)).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
  })

  test('a producer may raise its own epoch, and repeat that (KIP-360)', async () => {
    const { client } = await setUp()
    const { producerId, producerEpoch } = await init(client)
    const raised = await init(client, { producerId, producerEpoch })
    expect(raised.producerEpoch).toBe(producerEpoch + 1)
    expect((await init(client, { producerId, producerEpoch })).producerEpoch).toBe(producerEpoch + 1)
    expect((await init(client, { producerId: 99n, producerEpoch })).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
  })

  test('with EndTxn v5 the write itself begins the transaction, and each end raises the epoch (KIP-890)', async () => {
    const { broker, client } = await setUp()
    const { topicId } = broker.partition('t', 0)
    const first = await init(client)
    expect(await write(client, first, 'a', { version: 13, topicId })).toBe(0)
    const next = await end(client, first, true, 5)
    expect(next).toMatchObject({ errorCode: 0, producerId: first.producerId, producerEpoch: first.producerEpoch + 1 })
    expect(await end(client, first, true, 5)).toMatchObject({ errorCode: 0, producerEpoch: next.producerEpoch })
    expect(await write(client, first, 'late', { version: 12, baseSequence: 1 })).not.toBe(0)
    expect(await write(client, next, 'b', { version: 12 })).toBe(0)
    expect((await end(client, next, false, 5)).producerEpoch).toBe(next.producerEpoch + 1)
    expect(broker.partition('t', 0)).toMatchObject({ lastStableOffset: 4n, endOffset: 4n })
  })

  test('offsets count when the transaction commits, and are unstable before', async () => {
    const { broker, client } = await setUp()
    const producer = await init(client)
    const identity = { producerId: producer.producerId, producerEpoch: producer.producerEpoch }
    const commitOffset = async (offset: bigint) => {
      const { topics } = await client.request(TxnOffsetCommit, 4, {
        transactionalId: 'x',
        groupId: 'g',
        ...identity,
        memberId: '',
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: offset, committedMetadata: null }] }],
      })
      return topics[0]!.partitions[0]!.errorCode
    }
    const fetched = async () => {
      const { topics } = await client.request(OffsetFetch, 7, {
        groupId: 'g',
        topics: [{ name: 't', partitionIndexes: [0] }],
        requireStable: true,
      })
      return topics[0]!.partitions[0]!
    }
    expect(await commitOffset(5n)).toBe(ErrorCode.INVALID_TXN_STATE)
    await client.request(AddOffsetsToTxn, 3, { transactionalId: 'x', groupId: 'g', ...identity })
    expect(await commitOffset(5n)).toBe(0)
    expect((await fetched()).errorCode).toBe(ErrorCode.UNSTABLE_OFFSET_COMMIT)
    await end(client, producer, true)
    expect(await fetched()).toMatchObject({ errorCode: 0, committedOffset: 5n })
    await client.request(AddOffsetsToTxn, 3, { transactionalId: 'x', groupId: 'g', ...identity })
    await commitOffset(9n)
    await end(client, producer, false)
    expect(broker.committed('g', 't', 0)).toBe(5n)
  })

  test('one left open is aborted after its timeout', async () => {
    const runtime = new SimulatedRuntime()
    await runtime.run(async () => {
      await using broker = await startBroker({ runtime, host: 'broker', topics: { t: 1 } })
      const { transactions } = broker.cluster
      const { producerId, producerEpoch } = transactions.init('x', 5_000, undefined)
      transactions.add('x', { producerId, producerEpoch }, { partitions: [broker.cluster.partition('t', 0)!] })
      await new Promise<void>(resolve => runtime.clock.setTimer(5_001, resolve))
      expect(transactions.get('x')).toMatchObject({ state: 'CompleteAbort', producerEpoch: producerEpoch + 1 })
      expect(transactions.finish('x', { producerId, producerEpoch }, true, false).errorCode).toBe(ErrorCode.PRODUCER_FENCED)
    })
  })
})
