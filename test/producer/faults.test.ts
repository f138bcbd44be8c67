import { describe, expect, test } from 'vitest'
import { PartialFailureError } from '../../src/errors.ts'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { InitProducerId } from '../../src/protocol/apis/22-init-producer-id.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { EncodedBatch } from '../../src/protocol/records/index.ts'
import type { Decoded, Encodable } from '../../src/protocol/schema.ts'
import { numbered, upTo, values, World } from './fixture.ts'

type Request = Decoded<(typeof Produce)['request']>
type Answer = Encodable<(typeof Produce)['response']>
type PartitionAnswer = Answer['responses'][number]['partitionResponses'][number]

/** The answer that gives every partition of a request the same error. */
const refuse = ({ topicData }: Request, errorCode: number, more: object = {}): Answer => ({
  throttleTimeMs: 0,
  responses: topicData.map(({ name, topicId, partitionData }) => ({
    name,
    topicId,
    partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1n, recordErrors: [], ...more })),
  })),
})
/** An answer with other entries for the partitions of its first topic. */
function changed(
  answer: Answer | 'drop' | 'close',
  change: (answers: readonly PartitionAnswer[]) => readonly PartitionAnswer[],
): Answer {
  if (typeof answer === 'string') throw new Error('the broker gave no answer')
  const [topic] = answer.responses
  return { ...answer, responses: [{ ...topic!, partitionResponses: change(topic!.partitionResponses) }] }
}
/** Which batches of the first partition a request carries: epoch and first sequence. */
const stamp = ({ topicData }: Request) => {
  const batch = new EncodedBatch(Buffer.from(topicData[0]!.partitionData[0]!.records!))
  return `${batch.producerEpoch}:${batch.baseSequence}`
}
/** Small batches, so that many are in flight; backoffs of a few milliseconds. */
const quick = { batchSize: 500, lingerMs: 0, retryBackoffMs: 10, retryBackoffMaxMs: 50 }

describe('an error that passes', () => {
  test.each([
    ['NOT_LEADER_OR_FOLLOWER', ErrorCode.NOT_LEADER_OR_FOLLOWER],
    ['NOT_ENOUGH_REPLICAS', ErrorCode.NOT_ENOUGH_REPLICAS],
    ['UNKNOWN_TOPIC_OR_PARTITION', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
    ['KAFKA_STORAGE_ERROR', ErrorCode.KAFKA_STORAGE_ERROR],
    ['CORRUPT_MESSAGE', ErrorCode.CORRUPT_MESSAGE],
  ])('%s: sent again, in order, with batches in flight behind it', (_, code) =>
    World.run({}, async world => {
      const producer = world.producer(quick)
      await producer.send(numbered(1))
      world.broker.intercept(Produce, request => refuse(request, code), { times: 2 })
      const results = await producer.send(numbered(200))
      expect(results.map(({ offset }) => offset)).toEqual(Array.from({ length: 200 }, (__, i) => BigInt(i + 1)))
      expect(values(await world.stored())).toEqual(['0', ...upTo(200)])
    }),
  )

  test('batches that fail together wait once', () =>
    World.run({}, async world => {
      const producer = world.producer({ batchSize: 300, lingerMs: 0 })
      await producer.send(numbered(1))
      let failed = 0
      world.broker.intercept(Produce, request => (failed++ < 5 ? refuse(request, ErrorCode.NOT_ENOUGH_REPLICAS) : 'pass'))
      const start = world.runtime.clock.monotonic()
      await producer.send(numbered(500))
      expect(failed).toBeGreaterThan(5)
      // retryBackoffMs is 100, give or take a fifth.
      expect(world.runtime.clock.monotonic() - start).toBeLessThan(200)
    }))

  test('the waits grow between attempts, and stay within retryBackoffMaxMs', () =>
    World.run({}, async world => {
      const times: number[] = []
      world.broker.intercept(Produce, request => {
        times.push(world.runtime.clock.monotonic())
        return times.length < 8 ? refuse(request, ErrorCode.NOT_ENOUGH_REPLICAS) : 'pass'
      })
      await world.producer().send({ topic: 't', value: 'x' })
      const waits = times.slice(1).map((time, i) => time - times[i]!)
      expect(waits[0]).toBeGreaterThanOrEqual(80)
      expect(waits[0]).toBeLessThan(130)
      expect(waits[2]).toBeGreaterThan(waits[0]! * 2)
      expect(Math.max(...waits)).toBeLessThanOrEqual(1_002)
    }))
})

test('R15: a batch that was stored although its answer was lost is not stored again, and keeps its offset', () =>
  World.run({}, async world => {
    const producer = world.producer(quick)
    await producer.send(numbered(1))
    world.broker.intercept(
      Produce,
      async (_, context) => {
        await context.next()
        return 'drop' as const
      },
      { times: 3 },
    )
    const results = await producer.send(numbered(100))
    expect(results.map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i + 1)))
    expect(values(await world.stored())).toEqual(['0', ...upTo(100)])
  }))

test('a connection that breaks after storing and before answering loses and repeats nothing', () =>
  World.run({}, async world => {
    const producer = world.producer(quick)
    world.broker.intercept(
      Produce,
      async (_, context) => {
        await context.next()
        return 'close' as const
      },
      { times: 4 },
    )
    await producer.send(numbered(100))
    expect(values(await world.stored())).toEqual(upTo(100))
  }))

test('DUPLICATE_SEQUENCE_NUMBER is success, at an offset that nobody knows any more', () =>
  World.run({}, async world => {
    world.broker.intercept(Produce, request => refuse(request, ErrorCode.DUPLICATE_SEQUENCE_NUMBER), { times: 1 })
    expect((await world.producer().send({ topic: 't', value: 'x' })).offset).toBe(-1n)
  }))

describe('R14: a broker that lost the producer’s state', () => {
  test.each([
    ['OUT_OF_ORDER_SEQUENCE_NUMBER', ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER],
    ['UNKNOWN_PRODUCER_ID', ErrorCode.UNKNOWN_PRODUCER_ID],
  ])('%s: what is left is numbered anew under the next epoch, in order', (_, code) =>
    World.run({}, async world => {
      const stamps: string[] = []
      const producer = world.producer(quick)
      await producer.send(numbered(1))
      let lost = 0
      world.broker.intercept(Produce, request => {
        stamps.push(stamp(request))
        return lost++ < 3 ? refuse(request, code) : 'pass'
      })
      await producer.send(numbered(60))
      expect(stamps[0]).toBe('0:1')
      expect(stamps.find(each => each.startsWith('1:'))).toBe('1:0')
      expect(values(await world.stored())).toEqual(['0', ...upTo(60)])
    }),
  )

  test('INVALID_PRODUCER_EPOCH: a new producer id', () =>
    World.run({}, async world => {
      let asked = 0
      world.broker.intercept(InitProducerId, () => {
        asked++
        return 'pass'
      })
      const producer = world.producer(quick)
      await producer.send(numbered(1))
      world.broker.intercept(Produce, request => refuse(request, ErrorCode.INVALID_PRODUCER_EPOCH), { times: 1 })
      await producer.send(numbered(30))
      expect(asked).toBe(2)
      expect(values(await world.stored())).toEqual(['0', ...upTo(30)])
    }))

  test('the real thing: records deleted together with the state of their producer', () =>
    World.run({}, async world => {
      const producer = world.producer(quick)
      await producer.send(numbered(10))
      world.broker.deleteTopic('t')
      world.broker.createTopic('t', 1)
      await producer.send(numbered(10))
      expect(values(await world.stored())).toEqual(upTo(10))
    }))
})

describe('a request that succeeds in part', () => {
  test('only the partition that failed is sent again: nothing twice', () =>
    World.run({ topics: { t: 4 } }, async world => {
      const producer = world.producer({ ...quick, lingerMs: 5 })
      await producer.send({ topic: 't', partition: 0, value: 'first' })
      const asked: number[][] = []
      world.broker.intercept(Produce, async (request, context) => {
        asked.push(request.topicData[0]!.partitionData.map(({ index }) => index))
        if (asked.length > 1) return 'pass' as const
        // Partition 2 is answered by an error without being stored.
        const kept = request.topicData[0]!.partitionData.filter(({ index }) => index !== 2)
        request.topicData[0]!.partitionData.splice(0, 4, ...kept)
        const refused = { index: 2, errorCode: ErrorCode.NOT_ENOUGH_REPLICAS, baseOffset: -1n, recordErrors: [] }
        return changed(await context.next(), answers => [...answers, refused])
      })
      await producer.send([0, 1, 2, 3].map(partition => ({ topic: 't', partition, value: `to ${partition}` })))
      expect(asked).toEqual([[0, 1, 2, 3], [2]])
      for (const partition of [1, 2, 3]) expect(values(await world.stored('t', partition))).toEqual([`to ${partition}`])
    }))

  test('a partition that the answer leaves out is not taken for stored', () =>
    World.run({ topics: { t: 2 } }, async world => {
      const producer = world.producer({ ...quick, lingerMs: 5 })
      world.broker.intercept(
        Produce,
        request => changed(refuse(request, ErrorCode.NOT_LEADER_OR_FOLLOWER), answers => answers.slice(0, -1)),
        { times: 2 },
      )
      await producer.send([0, 1].map(partition => ({ topic: 't', partition, value: 'x' })))
      for (const partition of [0, 1]) expect(await world.stored('t', partition)).toHaveLength(1)
    }))

  test('ProduceDuplicateResponseEntry: a repeated or unasked entry of an answer counts for nothing', () =>
    World.run({ topics: { t: 1 } }, async world => {
      world.broker.intercept(Produce, async (_, context) => {
        return changed(await context.next(), ([first]) => [
          first!,
          { ...first!, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED },
          { ...first!, index: 9, errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED },
        ])
      })
      expect((await world.producer().send({ topic: 't', value: 'x' })).offset).toBe(0n)
    }))
})

describe('R16: leaders that move', () => {
  test('order is kept with five requests in flight, however often the leader changes', () =>
    World.run({ topics: { t: 1 }, nodes: 3 }, async world => {
      const producer = world.producer({ ...quick, batchSize: 300 })
      world.runtime.hosts.conditions.latencyMs = 5
      const sent = producer.send(numbered(3_000))
      for (let i = 0; i < 12; i++) {
        await world.pass(17)
        world.broker.moveLeader('t', 0, (i % 3) + 1)
      }
      const results = await sent
      const stored = await world.stored()
      expect(values(stored)).toEqual(upTo(3_000))
      expect(results.map(({ offset }) => offset)).toEqual(stored.map(({ offset }) => offset))
    }))

  test('KIP-951: an answer that names the new leader is followed at once, without asking or waiting', () =>
    World.run({ topics: { t: 1 }, nodes: 2 }, async world => {
      const producer = world.producer({ retryBackoffMs: 1_000 })
      await producer.send({ topic: 't', value: 'a' })
      const start = world.runtime.clock.monotonic()
      world.broker.moveLeader('t', 0, world.broker.partition('t', 0).leaderId === 1 ? 2 : 1)
      await producer.send({ topic: 't', value: 'b' })
      expect(world.runtime.clock.monotonic() - start).toBeLessThan(200)
    }))

  test('a leader that is killed: its partitions go on with the next one, and nothing is lost or doubled', () =>
    World.run({ topics: { t: 6 }, nodes: 3, config: { 'default.replication.factor': '3' } }, async world => {
      const producer = world.producer(quick)
      const records = Array.from({ length: 6 }, (_, partition) => numbered(300, { partition })).flat()
      const sent = producer.send(records)
      await world.pass(4)
      await world.broker.stopNode(1)
      await world.pass(300)
      await world.broker.startNode(1)
      await world.broker.stopNode(2)
      await sent
      for (let partition = 0; partition < 6; partition++) expect(values(await world.stored('t', partition))).toEqual(upTo(300))
    }))

  test('a partition without a leader waits for one', () =>
    World.run({ topics: { t: 1 }, nodes: 1 }, async world => {
      const producer = world.producer(quick)
      await producer.send({ topic: 't', value: 'a' })
      await world.broker.stopNode(1)
      const sent = producer.send({ topic: 't', value: 'b' })
      await world.pass(5_000)
      await world.broker.startNode(1)
      expect((await sent).offset).toBe(1n)
    }))
})

describe('delivery timeout', () => {
  test('a record that is not acknowledged in time fails as unknown, and what follows goes on in order', () =>
    World.run({}, async world => {
      const producer = world.producer({ ...quick, requestTimeoutMs: 1_000, deliveryTimeoutMs: 3_000 })
      await producer.send(numbered(1))
      world.broker.freezeNode(1)
      const start = world.runtime.clock.monotonic()
      const error = await producer.send({ topic: 't', value: 'lost' }).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'ERR_TIMEOUT', outcome: 'unknown', operation: expect.stringContaining('t-0') })
      expect(world.runtime.clock.monotonic() - start).toBeGreaterThanOrEqual(3_000)
      expect(world.runtime.clock.monotonic() - start).toBeLessThan(3_100)
      world.broker.thawNode(1)
      const results = await producer.send(numbered(20))
      const stored = values(await world.stored()).filter(value => value !== 'lost')
      expect(stored).toEqual(['0', ...upTo(20)])
      expect(new Set(results.map(({ offset }) => offset)).size).toBe(20)
    }))

  test('records that were never sent fail as not sent', () =>
    World.run({}, async world => {
      const producer = world.producer({ ...quick, requestTimeoutMs: 1_000, deliveryTimeoutMs: 2_000 })
      await producer.send(numbered(1))
      await world.broker.stopNode(1)
      await world.pass(100)
      await expect(producer.send({ topic: 't', value: 'x' })).rejects.toMatchObject({ code: 'ERR_TIMEOUT', outcome: 'not-sent' })
    }))

  test('an answer that comes after its batch was given up changes nothing, and no promise settles twice', () =>
    World.run({}, async world => {
      const producer = world.producer({ ...quick, requestTimeoutMs: 10_000, deliveryTimeoutMs: 10_000 })
      await producer.send(numbered(1))
      world.broker.intercept(
        Produce,
        async (_, context) => {
          const answer = await context.next()
          await world.pass(9_999)
          return answer as never
        },
        { times: 1 },
      )
      const late = producer.send({ topic: 't', value: 'late' }).then(
        () => 'acknowledged',
        () => 'failed',
      )
      const next = producer.send({ topic: 't', value: 'next' })
      expect(['acknowledged', 'failed']).toContain(await late)
      await next.catch(() => {})
      const after = await producer.send({ topic: 't', value: 'after' })
      const stored = await world.stored()
      expect(stored.find(({ offset }) => offset === after.offset)?.value).toBe('after')
      expect(new Set(values(stored)).size).toBe(stored.length)
      expect(producer.bufferedBytes).toBe(0)
    }))
})

describe('a batch that is too large for its topic (KIP-126)', () => {
  test('is split until it fits, in order, while others are in flight behind it', () =>
    World.run({ topics: {} }, async world => {
      world.broker.createTopic('t', 1, { 'max.message.bytes': '1000' })
      const producer = world.producer({ lingerMs: 5, retryBackoffMs: 10 })
      const results = await producer.send(numbered(2_000).map(record => ({ ...record, key: `key ${record.value}` })))
      expect(values(await world.stored())).toEqual(upTo(2_000))
      expect(results.map(({ offset }) => offset)).toEqual(Array.from({ length: 2_000 }, (_, i) => BigInt(i)))
    }))

  test('a single record that is too large fails alone', () =>
    World.run({ topics: {} }, async world => {
      world.broker.createTopic('t', 1, { 'max.message.bytes': '1000' })
      const producer = world.producer({ lingerMs: 5, retryBackoffMs: 10 })
      const error = await producer
        .send([...numbered(5), { topic: 't', partition: 0, value: 'x'.repeat(2_000) }, ...numbered(5)])
        .catch((reason: unknown) => reason)
      const { results } = error as PartialFailureError
      expect(results.map(({ status }) => status)).toEqual([
        ...Array(5).fill('fulfilled'),
        'rejected',
        ...Array(5).fill('fulfilled'),
      ])
      expect(results[5]).toMatchObject({ reason: { error: 'MESSAGE_TOO_LARGE' } })
      expect(values(await world.stored())).toEqual([...upTo(5), ...upTo(5)])
    }))
})

describe('an error that does not pass', () => {
  test('fails its batch, and leaves no gap behind that would hold up the next one', () =>
    World.run({}, async world => {
      const producer = world.producer(quick)
      await producer.send(numbered(1))
      world.broker.intercept(Produce, request => refuse(request, ErrorCode.TOPIC_AUTHORIZATION_FAILED), { times: 1 })
      await expect(producer.send({ topic: 't', value: 'x' })).rejects.toMatchObject({
        error: 'TOPIC_AUTHORIZATION_FAILED',
        topic: 't',
        partition: 0,
      })
      const stamps: string[] = []
      world.broker.intercept(Produce, request => {
        stamps.push(stamp(request))
        return 'pass'
      })
      await producer.send({ topic: 't', value: 'y' })
      expect(stamps).toEqual(['0:1'])
    }))

  test('KIP-467: the record at fault is told from those that were in its batch', () =>
    World.run({}, async world => {
      const producer = world.producer()
      const recordErrors = [{ batchIndex: 1, batchIndexErrorMessage: 'no key' }]
      world.broker.intercept(
        Produce,
        request => refuse(request, ErrorCode.INVALID_RECORD, { recordErrors, errorMessage: 'bad' }),
        { times: 1 },
      )
      const error = await producer.send(numbered(3)).catch((reason: unknown) => reason)
      const { results } = error as PartialFailureError
      expect(error).toBeInstanceOf(PartialFailureError)
      expect(results[1]).toMatchObject({ reason: { error: 'INVALID_RECORD', message: expect.stringContaining('no key') } })
      expect(results[0]).toMatchObject({ reason: { message: expect.stringContaining('another record of its batch') } })
    }))

  test('a refused producer id fails what waits for it; a later send asks again', () =>
    World.run({}, async world => {
      world.broker.intercept(
        InitProducerId,
        () => ({
          errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
          throttleTimeMs: 0,
          producerId: -1n,
          producerEpoch: -1,
          ongoingTxnProducerId: -1n,
          ongoingTxnProducerEpoch: -1,
        }),
        { times: 1 },
      )
      const producer = world.producer(quick)
      await expect(producer.send({ topic: 't', value: 'x' })).rejects.toMatchObject({ error: 'CLUSTER_AUTHORIZATION_FAILED' })
      expect((await producer.send({ topic: 't', value: 'y' })).offset).toBe(0n)
    }))
})
