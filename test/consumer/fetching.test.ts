import { describe, expect, test } from 'vitest'
import { FetchSession } from '../../src/consumer/fetch-session.ts'
import { BrokerError } from '../../src/errors.ts'
import { ListOffsets } from '../../src/protocol/apis/02-list-offsets.ts'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { NO_UUID } from '../../src/protocol/schema.ts'
import { Fetch, T0, T1, take, World } from './world.ts'
import { numbered, write } from './written.ts'

/** Answers of one partition, as a broker gives them. */
const answer = (topicId: string, partition: number, errorCode: number) => ({
  errorCode: 0,
  sessionId: 0,
  responses: [
    {
      topic: 't',
      topicId,
      partitions: [
        { partitionIndex: partition, errorCode, highWatermark: -1n, abortedTransactions: null, records: Buffer.alloc(0) },
      ],
    },
  ],
})

describe('seek, pause and resume', () => {
  test('R29: a seek while a fetch waits for data discards it, and does not wait for it', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(10))
      const consumer = world.consumer({ fetchMaxWaitMs: 20_000 })
      consumer.assign([T0])
      await take(consumer, 10)
      await consumer.poll({ timeoutMs: 100 })
      consumer.seek(T0, 4n)
      const started = world.now
      expect(await take(consumer, 6)).toEqual(numbered(10).slice(4))
      expect(world.now - started).toBeLessThan(100)
    }))

  test('R29: a partition that is resumed while a fetch waits is served at once', () =>
    World.run({ topics: { t: 2 } }, async world => {
      await write(world.broker, 't', 0, numbered(10))
      const consumer = world.consumer({ fetchMaxWaitMs: 20_000 })
      consumer.assign([T0, T1])
      consumer.pause([T0])
      expect(consumer.paused()).toEqual([T0])
      expect(await take(consumer, 1, 1_000)).toEqual([])
      consumer.resume([T0])
      const started = world.now
      expect(await take(consumer, 10)).toEqual(numbered(10))
      expect(world.now - started).toBeLessThan(100)
    }))

  test('an assignment that is extended while a fetch waits is served at once', () =>
    World.run({ topics: { t: 2 } }, async world => {
      await write(world.broker, 't', 1, numbered(10))
      const consumer = world.consumer({ fetchMaxWaitMs: 20_000 })
      consumer.assign([T0])
      expect(await take(consumer, 1, 1_000)).toEqual([])
      consumer.assign([T0, T1])
      const started = world.now
      expect(await take(consumer, 10)).toEqual(numbered(10))
      expect(world.now - started).toBeLessThan(100)
    }))

  test('what is fetched of a paused partition is parked, and handed out after resume without another fetch', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(10))
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await take(consumer, 3)).toEqual(numbered(3))
      consumer.pause([T0])
      expect(await take(consumer, 1, 2_000)).toEqual([])
      const fetched = consumer.metrics().bytesFetched
      consumer.resume([T0])
      expect(await take(consumer, 7)).toEqual(numbered(10).slice(3))
      expect(consumer.metrics().bytesFetched).toBe(fetched)
    }))

  test('the last seek wins; seeking keeps pause; positions follow', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(10))
      const consumer = world.consumer()
      consumer.assign([T0])
      consumer.seek(T0, 2)
      consumer.seek(T0, 8n)
      expect(await consumer.position(T0)).toBe(8n)
      expect(await take(consumer, 2)).toEqual(['v8', 'v9'])
      consumer.pause([T0])
      consumer.seekToBeginning()
      expect(await consumer.position(T0)).toBe(0n)
      expect(await take(consumer, 1, 1_000)).toEqual([])
      consumer.seekToEnd([T0])
      expect(await consumer.position(T0)).toBe(10n)
    }))

  test('a seek inside a for await loop takes effect with the next record', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(5))
      const consumer = world.consumer({ groupId: 'g' })
      consumer.assign([T0])
      const seen: string[] = []
      for await (const record of consumer) {
        if (seen.push(record.value) === 3) consumer.seek(T0, 0n)
        if (seen.length === 8) break
      }
      expect(seen).toEqual(['v0', 'v1', 'v2', 'v0', 'v1', 'v2', 'v3', 'v4'])
    }))

  test('leaving a for await loop in the middle loses nothing for poll, and the other way round', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(10))
      const consumer = world.consumer()
      consumer.assign([T0])
      const seen: string[] = []
      for await (const record of consumer) if (seen.push(record.value) === 4) break
      seen.push(...(await take(consumer, 2)))
      for await (const record of consumer) if (seen.push(record.value) === 7) break
      for await (const batch of consumer.batches()) {
        for (const record of batch) seen.push(record.value)
        break
      }
      expect(seen).toEqual(numbered(10))
    }))
})

describe('offset reset', () => {
  test.each([
    ['earliest', '1', ['v4', 'v5']],
    ['latest', '1', ['new']],
  ] as const)('a position that retention has deleted: %s', (autoOffsetReset, _, expected) =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(6), { perBatch: 1 })
      world.broker.deleteRecords('t', 0, 4n)
      const consumer = world.consumer({ autoOffsetReset })
      consumer.assign([T0])
      consumer.seek(T0, 1n)
      const taken = take(consumer, expected.length)
      await world.pass(3_000)
      if (autoOffsetReset === 'latest') await write(world.broker, 't', 0, ['new'])
      expect(await taken).toEqual(expected)
    }),
  )

  test('none: ERR_OFFSET_OUT_OF_RANGE, and ERR_NO_OFFSET where nothing is committed', () =>
    World.run({ topics: { t: 2 } }, async world => {
      await write(world.broker, 't', 0, numbered(2))
      const consumer = world.consumer({ autoOffsetReset: 'none', groupId: 'g' })
      consumer.assign([T0])
      await expect(consumer.poll({ timeoutMs: 5_000 })).rejects.toMatchObject({ code: 'ERR_NO_OFFSET' })
      await expect(consumer.position(T0)).rejects.toMatchObject({ code: 'ERR_NO_OFFSET' })
      consumer.seek(T0, 77n)
      await expect(consumer.poll({ timeoutMs: 5_000 })).rejects.toMatchObject({ code: 'ERR_OFFSET_OUT_OF_RANGE' })
      consumer.seek(T0, 1n)
      expect(await take(consumer, 1)).toEqual(['v1'])
    }))

  test('by duration: the first record not older than that', () =>
    World.run({}, async world => {
      const now = world.runtime.clock.now()
      await write(world.broker, 't', 0, numbered(3), { perBatch: 1, timestamp: i => now - 3_600_000 * (3 - i) })
      const consumer = world.consumer({ autoOffsetReset: 'by_duration:PT2H30M' })
      consumer.assign([T0])
      expect(await take(consumer, 2)).toEqual(['v1', 'v2'])
    }))

  test('TopicRecreated: a topic that is deleted and made anew does not inherit the position', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(5))
      const consumer = world.consumer({ metadataMaxAgeMs: 1_000 })
      consumer.assign([T0])
      await take(consumer, 5)
      world.broker.deleteTopic('t')
      await consumer.poll({ timeoutMs: 500 })
      world.broker.createTopic('t', 1)
      await write(world.broker, 't', 0, numbered(8, 'new'))
      expect(await take(consumer, 8, 20_000)).toEqual(numbered(8, 'new'))
    }))

  test.each([
    ['earliest', undefined],
    ['none', 'ERR_OFFSET_OUT_OF_RANGE'],
  ] as const)(
    'a log that an unclean election cut off below the position is noticed (autoOffsetReset %s)',
    (autoOffsetReset, code) =>
      World.run({}, async world => {
        await write(world.broker, 't', 0, numbered(10), { perBatch: 1, partitionLeaderEpoch: 0 })
        const consumer = world.consumer({ autoOffsetReset, metadataMaxAgeMs: 1_000 })
        consumer.assign([T0])
        consumer.seek(T0, 0n)
        expect(await take(consumer, 10)).toEqual(numbered(10))
        world.broker.truncate('t', 0, 5n)
        await write(world.broker, 't', 0, numbered(8, 'new'), { perBatch: 1, partitionLeaderEpoch: 1 })
        if (code) {
          const failed = consumer.poll({ timeoutMs: 10_000 })
          await expect(failed).rejects.toMatchObject({ code })
        } else expect(await take(consumer, 8)).toEqual(numbered(8, 'new'))
      }),
  )

  test('SetOffsetsNotClobberedByPendingLoad: a stale answer to an offset lookup is dropped: a seek meanwhile wins', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(5))
      world.broker.intercept(ListOffsets, async (_, context) => {
        await world.pass(500)
        return context.next()
      })
      const consumer = world.consumer()
      consumer.assign([T0])
      await consumer.poll({ timeoutMs: 100 })
      consumer.seek(T0, 3n)
      await world.pass(1_000)
      expect(await take(consumer, 2)).toEqual(['v3', 'v4'])
    }))
})

describe('brokers in trouble', () => {
  test('kafkats L: connections are cut: it reconnects and goes on', () =>
    World.run({}, async world => {
      const consumer = world.consumer({ groupId: 'g' })
      consumer.subscribe('t')
      await write(world.broker, 't', 0, ['a'])
      expect(await take(consumer, 1)).toEqual(['a'])
      world.broker.dropConnections()
      await write(world.broker, 't', 0, ['b'])
      const started = world.now
      expect(await take(consumer, 1)).toEqual(['b'])
      expect(world.now - started).toBeLessThan(3_000)
    }))

  test('a leader is killed: reading goes on from the next one', () =>
    World.run({ nodes: 3, topics: {} }, async world => {
      world.broker.createTopic('t', 1, {})
      await write(world.broker, 't', 0, ['a'])
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await take(consumer, 1)).toEqual(['a'])
      const { leaderId } = world.broker.partition('t', 0)
      world.broker.moveLeader('t', 0, (leaderId % 3) + 1)
      await write(world.broker, 't', 0, ['b'])
      expect(await take(consumer, 1)).toEqual(['b'])
    }))

  test('kafkats M: errors that refreshing mends are retried with backoff; authorization reaches the caller', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['a'])
      const { topicId } = world.broker.partition('t', 0)
      const metadata = world.count(Metadata)
      const fetches = { count: 0 }
      let errorCode: number = ErrorCode.NOT_LEADER_OR_FOLLOWER
      const stop = world.broker.intercept(Fetch, () => {
        fetches.count++
        return answer(topicId, 0, errorCode)
      })
      const consumer = world.consumer()
      consumer.assign([T0])
      for (const code of [ErrorCode.NOT_LEADER_OR_FOLLOWER, ErrorCode.FENCED_LEADER_EPOCH, ErrorCode.UNKNOWN_LEADER_EPOCH]) {
        errorCode = code
        fetches.count = metadata.count = 0
        expect((await consumer.poll({ timeoutMs: 5_000 })).isEmpty).toBe(true)
        expect(fetches.count).toBeGreaterThan(2)
        expect(fetches.count).toBeLessThan(40)
        expect(metadata.count).toBeLessThan(60)
      }
      errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED
      fetches.count = 0
      const failed = await consumer.poll({ timeoutMs: 5_000 }).catch((error: unknown) => error)
      expect(failed instanceof BrokerError && failed.error).toBe('TOPIC_AUTHORIZATION_FAILED')
      await expect(consumer.poll({ timeoutMs: 5_000 })).rejects.toThrow(BrokerError)
      expect(fetches.count).toBeLessThan(10)
      stop()
      expect(await take(consumer, 1)).toEqual(['a'])
    }))

  test('R28: a broker that does not answer delays only its own partitions', () =>
    World.run({ nodes: 2, topics: { t: 2 } }, async world => {
      world.broker.moveLeader('t', 0, 1)
      world.broker.moveLeader('t', 1, 2)
      const consumer = world.consumer()
      consumer.assign([T0, T1])
      await consumer.poll({ timeoutMs: 1_000 })
      world.broker.freezeNode(1)
      await consumer.poll({ timeoutMs: 1_000 })
      for (let i = 0; i < 5; i++) {
        await write(world.broker, 't', 1, [`x${i}`])
        const started = world.now
        expect(await take(consumer, 1)).toEqual([`x${i}`])
        expect(world.now - started).toBeLessThan(100)
      }
      world.broker.thawNode(1)
    }))

  test('a partition without data does not slow down one with a backlog on the same broker', () =>
    World.run({ topics: { t: 2 } }, async world => {
      await write(world.broker, 't', 0, numbered(2_000, 'x'.repeat(100)), { perBatch: 10 })
      const consumer = world.consumer({ maxPartitionFetchBytes: 5_000, fetchMaxWaitMs: 500 })
      consumer.assign([T0, T1])
      const started = world.now
      expect(await take(consumer, 2_000)).toHaveLength(2_000)
      expect(world.now - started).toBeLessThan(1_000)
    }))

  test('a lost fetch session is opened anew', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['a'])
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await take(consumer, 1)).toEqual(['a'])
      world.broker.intercept(Fetch, () => ({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0, responses: [] }), {
        times: 2,
      })
      await write(world.broker, 't', 0, ['b'])
      expect(await take(consumer, 1)).toEqual(['b'])
    }))

  test('a follower that is nearer is read from; when it says out of range, the leader is asked first', () =>
    World.run({ nodes: 2, topics: {}, racks: ['a', 'b'] }, async world => {
      world.broker.createTopic('t', 1, {})
      world.broker.moveLeader('t', 0, 1)
      await write(world.broker, 't', 0, numbered(3))
      const { topicId } = world.broker.partition('t', 0)
      const asked = { leader: 0, follower: 0 }
      world.broker.intercept(
        Fetch,
        async (request, context) => {
          asked.leader++
          const given = await context.next()
          if (typeof given === 'string' || request.rackId !== 'b' || asked.follower > 0) return given
          return {
            ...answer(topicId, 0, 0),
            responses: [
              {
                topic: 't',
                topicId,
                partitions: [{ ...answer(topicId, 0, 0).responses[0]!.partitions[0]!, preferredReadReplica: 2 }],
              },
            ],
          }
        },
        { nodeId: 1 },
      )
      world.broker.intercept(
        Fetch,
        () => {
          asked.follower++
          return answer(topicId, 0, ErrorCode.OFFSET_OUT_OF_RANGE)
        },
        { nodeId: 2 },
      )
      const consumer = world.consumer({ rack: 'b', autoOffsetReset: 'none' })
      consumer.assign([T0])
      consumer.seek(T0, 0n)
      expect(await take(consumer, 3)).toEqual(numbered(3))
      expect(asked.follower).toBe(1)
    }))
})

test('an idle consumer asks only as often as fetchMaxWaitMs says, and answers of sessions are small', () =>
  World.run({ topics: { t: 50 } }, async world => {
    const consumer = world.consumer({ groupId: 'g' })
    consumer.subscribe('t')
    await consumer.poll({ timeoutMs: 5_000 })
    const sizes: number[] = []
    world.broker.intercept(Fetch, request => {
      sizes.push(request.topics.reduce((sum, topic) => sum + topic.partitions.length, 0))
      return 'pass'
    })
    await consumer.poll({ timeoutMs: 10_000 })
    expect(sizes.length).toBeLessThanOrEqual(21)
    expect(Math.max(...sizes)).toBe(0)
  }))

describe('fetch session', () => {
  const wanted = (partition: number, fetchOffset: bigint) => ({
    topic: 't',
    topicId: NO_UUID,
    partition,
    fetchOffset,
    leaderEpoch: 0,
    maxBytes: 100,
  })
  const response = (sessionId: number) => ({
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId,
    responses: [],
    nodeEndpoints: [],
  })
  const named = (part: { topics: readonly { partitions: readonly { partition: number }[] }[] }) =>
    part.topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition))

  test('first everything, then only what changed, and what is no longer wanted', () => {
    const session = new FetchSession()
    const first = session.next([wanted(0, 0n), wanted(1, 0n)])
    expect([first.sessionId, first.sessionEpoch, named(first)]).toEqual([0, 0, [0, 1]])
    session.answered(response(7))
    const second = session.next([wanted(0, 5n), wanted(1, 0n)])
    expect([second.sessionId, second.sessionEpoch, named(second)]).toEqual([7, 1, [0]])
    session.answered(response(7))
    const third = session.next([wanted(0, 5n)])
    expect([third.sessionEpoch, named(third)]).toEqual([2, []])
    expect(third.forgottenTopicsData).toMatchObject([{ topic: 't', partitions: [1] }])
  })

  test('after an unknown outcome the old session is closed by asking for a new one', () => {
    const session = new FetchSession()
    session.next([wanted(0, 0n)])
    session.answered(response(7))
    session.reset()
    const again = session.next([wanted(0, 0n)])
    expect([again.sessionId, again.sessionEpoch, named(again)]).toEqual([7, 0, [0]])
  })

  test('a broker without sessions is asked for everything each time', () => {
    const session = new FetchSession()
    session.next([wanted(0, 0n)])
    session.answered(response(0))
    const again = session.next([wanted(0, 0n)])
    expect([again.sessionId, again.sessionEpoch, named(again)]).toEqual([0, 0, [0]])
  })
})
