import { describe, expect, test } from 'vitest'
import { PartitionMap } from '../../src/client/partition-map.ts'
import { BrokerError } from '../../src/errors.ts'
import { OffsetCommit } from '../../src/protocol/apis/08-offset-commit.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { T0, T1, take, World } from './world.ts'
import { numbered, write } from './written.ts'

const group = { groupId: 'g' } as const

describe('automatic commits', () => {
  test('platformatic 9: a record that was handed out and not processed is not committed', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(5))
      const consumer = world.consumer({ ...group, autoCommitIntervalMs: 100 })
      consumer.subscribe('t')
      for await (const record of consumer) {
        await world.pass(1_000)
        if (record.value === 'v3') break
      }
      await consumer.close()
      expect(world.broker.committed('g', 't', 0)).toBe(3n)
    }))

  test('poll: what the previous poll gave is done with the next one', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(6))
      const consumer = world.consumer({ ...group, autoCommitIntervalMs: 100 })
      consumer.subscribe('t')
      await take(consumer, 2)
      await world.pass(500)
      expect(world.broker.committed('g', 't', 0)).toBeUndefined()
      await consumer.poll({ maxRecords: 1 })
      await world.pass(500)
      expect(world.broker.committed('g', 't', 0)).toBe(2n)
    }))

  test('an idle consumer that waits for more commits what is done', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(3))
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      const reading = (async () => {
        for await (const record of consumer) void record
      })()
      await world.pass(10_000)
      expect(world.broker.committed('g', 't', 0)).toBe(3n)
      await consumer.close()
      await reading
    }))

  test('kafkats E: what is done while a commit is on its way is committed by the next', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(10), { perBatch: 1 })
      world.broker.intercept(OffsetCommit, async (_, context) => {
        await world.pass(300)
        return context.next()
      })
      const consumer = world.consumer({ ...group, autoCommitIntervalMs: 100 })
      consumer.subscribe('t')
      for (let i = 0; i < 10; i++) {
        await take(consumer, 1)
        await world.pass(50)
      }
      await consumer.poll()
      await consumer.close()
      expect(world.broker.committed('g', 't', 0)).toBe(10n)
    }))

  test('a commit that fails for good reaches onError; one that may pass is repeated', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(2), { perBatch: 1 })
      const answers: number[] = [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, ErrorCode.TOPIC_AUTHORIZATION_FAILED]
      world.broker.intercept(
        OffsetCommit,
        request => {
          const errorCode = answers.shift() ?? 0
          return {
            topics: request.topics.map(topic => ({
              ...topic,
              partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
            })),
          }
        },
        { times: 2 },
      )
      const consumer = world.consumer({ ...group, autoCommitIntervalMs: 1_000 })
      consumer.subscribe('t')
      await take(consumer, 2)
      for (let i = 0; i < 10; i++) await consumer.poll({ timeoutMs: 1_000 })
      expect(world.errors.map(error => error instanceof BrokerError && error.error)).toEqual(['TOPIC_AUTHORIZATION_FAILED'])
      expect(world.broker.committed('g', 't', 0)).toBe(2n)
    }))

  test('close(autoCommit: false) commits nothing', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(2))
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      await take(consumer, 2)
      await consumer.poll()
      await consumer.close({ autoCommit: false })
      expect(world.broker.committed('g', 't', 0)).toBeUndefined()
    }))
})

describe('explicit commits', () => {
  test('commit() is of positions, and committed() gives them back', () =>
    World.run({ topics: { t: 2 } }, async world => {
      await write(world.broker, 't', 0, numbered(10))
      const consumer = world.consumer({ ...group, enableAutoCommit: false })
      consumer.assign([T0, T1])
      await take(consumer, 10)
      await consumer.position(T1)
      await consumer.commit()
      const committed = await consumer.committed([T0, T1, { topic: 'nowhere', partition: 3 }])
      expect(committed.get(T0)).toMatchObject({ offset: 10n, metadata: '' })
      expect(committed.get(T1)).toMatchObject({ offset: 0n })
      expect(committed.get('nowhere', 3)).toBeNull()
    }))

  test.each<[string, (consumer: ReturnType<World['consumer']>) => Promise<void>]>([
    [
      'poll',
      async consumer => {
        await take(consumer, 3)
        await consumer.commit()
      },
    ],
    [
      'for await',
      async consumer => {
        for await (const { offset } of consumer) if (offset === 2n) return consumer.commit()
      },
    ],
  ])('%s: what was committed on request is not taken back by the automatic commit of close', (_, read) =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(5))
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      await read(consumer)
      expect(world.broker.committed('g', 't', 0)).toBe(3n)
      await consumer.close()
      expect(world.broker.committed('g', 't', 0)).toBe(3n)
    }),
  )

  test('given offsets, with metadata and epoch, as pairs or as a PartitionMap', () =>
    World.run({ topics: { t: 2 } }, async world => {
      const consumer = world.consumer(group)
      consumer.assign([T0])
      await consumer.commit([[T0, { offset: 7, metadata: 'why', leaderEpoch: 0 }]])
      await consumer.commit(PartitionMap.from([[T1, 9n]]))
      await consumer.commit([])
      const committed = await consumer.committed([T0, T1])
      expect(committed.get(T0)).toEqual({ offset: 7n, metadata: 'why', leaderEpoch: 0 })
      expect(committed.get(T1)).toEqual({ offset: 9n, metadata: '', leaderEpoch: null })
    }))

  test('a consumer resumes where the group committed: 180 and 20', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(200), { perBatch: 20 })
      const one = world.consumer(group)
      one.subscribe('t')
      expect(await take(one, 180)).toHaveLength(180)
      await one.commit()
      await one.close({ autoCommit: false })
      const two = world.consumer(group)
      two.subscribe('t')
      expect(await take(two, 20)).toEqual(numbered(200).slice(180))
      expect(await take(two, 1, 500)).toEqual([])
    }))

  test('without a group, committing is an error of its own', () =>
    World.run({}, async world => {
      const consumer = world.consumer()
      consumer.assign([T0])
      await expect(consumer.commit()).rejects.toMatchObject({ code: 'ERR_ILLEGAL_STATE' })
      await expect(consumer.committed([T0])).rejects.toThrow(/groupId/)
      expect(() => consumer.groupMetadata()).toThrow(/groupId/)
    }))

  test('offsets that make no sense are refused by name', () =>
    World.run({}, async world => {
      const consumer = world.consumer(group)
      consumer.assign([T0])
      for (const offset of [-1, 1.5, 2 ** 60, -5n, Number.NaN]) {
        expect(() => consumer.seek(T0, offset)).toThrow(/offset/)
        await expect(consumer.commit([[T0, offset]])).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
      }
    }))

  test('retriable answers are retried within the deadline, and the deadline ends it', () =>
    World.run({}, async world => {
      const refuse = world.broker.intercept(OffsetCommit, request => ({
        topics: request.topics.map(topic => ({
          ...topic,
          partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: ErrorCode.NOT_COORDINATOR })),
        })),
      }))
      const consumer = world.consumer(group)
      consumer.assign([T0])
      const started = world.now
      await expect(consumer.commit([[T0, 1]], { timeoutMs: 3_000 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
      expect(world.now - started).toBeLessThanOrEqual(3_100)
      const retried = consumer.commit([[T0, 1]], { timeoutMs: 30_000 })
      await world.pass(1_000)
      refuse()
      await retried
      expect(world.broker.committed('g', 't', 0)).toBe(1n)
    }))

  test('a commit whose connection dies and that is repeated does not take the group back behind a newer one', () =>
    World.run({}, async world => {
      world.broker.intercept(
        OffsetCommit,
        async (_, context) => {
          await context.next()
          return 'close' as const
        },
        { times: 1 },
      )
      const consumer = world.consumer(group)
      consumer.assign([T0])
      await Promise.all([1, 2, 3].map(offset => consumer.commit([[T0, offset]])))
      await world.pass(1_000)
      expect(world.broker.committed('g', 't', 0)).toBe(3n)
    }))

  test('a commit behind one that hangs ends in time, when aborted, and when the consumer closes', () =>
    World.run({}, async world => {
      const consumer = world.consumer(group)
      consumer.assign([T0])
      world.broker.intercept(OffsetCommit, () => 'drop')
      const hanging = consumer.commit([[T0, 1]]).catch((error: unknown) => error)
      const started = world.now
      await expect(consumer.commit([[T0, 2]], { timeoutMs: 500 })).rejects.toMatchObject({
        code: 'ERR_TIMEOUT',
        outcome: 'not-sent',
      })
      expect(world.now - started).toBeLessThan(600)
      const aborter = new AbortController()
      const aborted = consumer.commit([[T0, 2]], { signal: aborter.signal })
      aborter.abort()
      await expect(aborted).rejects.toMatchObject({ code: 'ERR_ABORTED' })
      const last = consumer.commit([[T0, 2]]).catch((error: unknown) => error)
      await consumer.close({ timeoutMs: 1_000 })
      expect(await hanging).toMatchObject({ code: 'ERR_CLOSED' })
      expect(await last).toMatchObject({ code: 'ERR_CLOSED' })
      expect(world.now - started).toBeLessThan(3_000)
    }))
})
