// What no sound broker answers. The names in capitals are those of franz-go's audit tests, as a checklist.
import { describe, expect, test } from 'vitest'
import { CorruptRecordError } from '../../src/errors.ts'
import { ListOffsets } from '../../src/protocol/apis/02-list-offsets.ts'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { OffsetCommit } from '../../src/protocol/apis/08-offset-commit.ts'
import { OffsetFetch } from '../../src/protocol/apis/09-offset-fetch.ts'
import { JoinGroup } from '../../src/protocol/apis/11-join-group.ts'
import { LeaveGroup } from '../../src/protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../src/protocol/apis/14-sync-group.ts'
import { OffsetForLeaderEpoch } from '../../src/protocol/apis/23-offset-for-leader-epoch.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { encodeAssignment } from '../../src/protocol/group/index.ts'
import { BatchBuilder, type BatchMeta, crc32c, endTransactionMarker, setBaseOffset } from '../../src/protocol/records/index.ts'
import { Fetch, T0, T1, take, World } from './world.ts'
import { numbered, write, writeMarker } from './written.ts'

const LAST_OFFSET_DELTA = 23
const RECORDS = 61

/** Three records at an offset, the batch changed by `edit` and its checksum made good. */
function three(baseOffset: bigint, edit: (batch: Buffer) => void = () => {}): Buffer {
  const builder = new BatchBuilder({ codec: 'none' })
  for (const value of numbered(3)) builder.append({ key: null, value: Buffer.from(value), timestamp: 1 })
  return resealed(builder.finish({}) as Uint8Array, baseOffset, edit)
}

function resealed(sealed: Uint8Array, baseOffset: bigint, edit: (batch: Buffer) => void = () => {}): Buffer {
  const batch = Buffer.from(sealed)
  setBaseOffset(batch, baseOffset)
  edit(batch)
  batch.writeUInt32BE(crc32c(batch, 21), 17)
  return batch
}

/** A batch of `count` control records, which is one more than brokers write. */
function markers(type: 'commit' | 'abort', count: number, meta: BatchMeta): Uint8Array {
  const builder = new BatchBuilder({ codec: 'none' })
  for (let i = 0; i < count; i++) builder.append({ ...endTransactionMarker(type, 0), timestamp: 1 })
  return builder.finish({ isControl: true, isTransactional: true, ...meta }) as Uint8Array
}

interface PartitionFields {
  readonly records?: Buffer
  readonly errorCode?: number
  readonly preferredReadReplica?: number
}

/** Answers every fetch of `t`-0 by `given`, once for each entry it returns. Counts them. */
function fetchesAnswered(world: World, given: (fetchOffset: bigint) => readonly PartitionFields[] | 'pass') {
  const { topicId } = world.broker.partition('t', 0)
  const seen = { count: 0, offsets: new Set<bigint>(), rackIds: new Set<string>() }
  world.broker.intercept(Fetch, async request => {
    seen.count++
    const partition = request.topics[0]?.partitions[0]
    const entries = given(partition?.fetchOffset ?? 0n)
    if (partition) seen.offsets.add(partition.fetchOffset)
    if (entries === 'pass') return 'pass'
    await world.pass(1)
    return {
      errorCode: 0,
      sessionId: 0,
      responses: [
        {
          topic: 't',
          topicId,
          partitions: entries.map(fields => ({
            partitionIndex: 0,
            errorCode: 0,
            highWatermark: 100n,
            abortedTransactions: null,
            records: Buffer.alloc(0),
            ...fields,
          })),
        },
      ],
    }
  })
  return seen
}

/** What polls give within `ms`, errors as their messages. */
async function polled(world: World, consumer: ReturnType<World['consumer']>, ms: number) {
  const offsets: bigint[] = []
  const errors: Error[] = []
  for (const end = world.now + ms; world.now < end; ) {
    try {
      for (const { offset } of await consumer.poll({ timeoutMs: 500 })) offsets.push(offset)
    } catch (error) {
      errors.push(error as Error)
    }
  }
  return { offsets, errors }
}

describe('an answer that brings bytes, but takes us nowhere, is an error with place and way past it, and no spinning', () => {
  test.each<[string, bigint, () => Buffer]>([
    ['a last offset before the first', 0n, () => three(0n, batch => void batch.writeInt32BE(-1, LAST_OFFSET_DELTA))],
    ['a last offset far before the first', 0n, () => three(0n, batch => void batch.writeInt32BE(-5, LAST_OFFSET_DELTA))],
    ['only batches below the position', 10n, () => three(0n)],
    ['a negative base offset', 0n, () => three(-100n)],
    ['offsets beyond an int64', 0n, () => three(2n ** 63n - 2n)],
    ['an offset without a next one', 0n, () => three(2n ** 63n - 3n)],
    ['ten bytes of garbage', 0n, () => Buffer.alloc(10, 1)],
    ['a batch that never comes whole', 0n, () => three(0n).subarray(0, -1)],
    ['NegativeBatchLength', 0n, () => three(0n, batch => void batch.writeInt32BE(-9, 8))],
  ])('%s', (_, start, records) =>
    World.run({}, async world => {
      const fetches = fetchesAnswered(world, () => [{ records: records() }])
      const consumer = world.consumer()
      consumer.assign([T0])
      consumer.seek(T0, start)
      // Nobody polls, and yet it is not asked for over and over.
      await world.pass(5_000)
      expect(fetches.count).toBeLessThan(20)
      const { offsets, errors } = await polled(world, consumer, 10_000)
      expect(offsets).toEqual([])
      expect(errors.length).toBeGreaterThan(3)
      for (const { message } of errors)
        expect(message).toMatch(/t-0.*offset .*seek\(\{ topic: 't', partition: 0 \}, …\) goes past it/)
      expect(fetches.count).toBeLessThan(60)
      expect(await consumer.position(T0)).toBe(start)
      consumer.seek(T0, 50n)
      const seen = fetchesAnswered(world, offset => [{ records: offset === 50n ? three(50n) : Buffer.alloc(0) }])
      expect(await take(consumer, 3)).toEqual(numbered(3))
      expect(seen.count).toBeGreaterThan(0)
    }),
  )

  test('what comes before it in the same answer is handed out first', () =>
    World.run({}, async world => {
      const lying = three(3n, batch => void batch.writeInt32BE(-9, LAST_OFFSET_DELTA))
      fetchesAnswered(world, offset => [{ records: offset === 0n ? Buffer.concat([three(0n), lying]) : lying }])
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await take(consumer, 3)).toEqual(numbered(3))
      await expect(consumer.poll({ timeoutMs: 5_000 })).rejects.toThrow(/fetch from offset 3 on/)
      expect(await consumer.position(T0)).toBe(3n)
    }))
})

describe('no offset is handed out twice', () => {
  // Each record is 9 bytes: length, attributes, time, offset …
  const deltas = (batch: Buffer, given: readonly number[]) => {
    for (const [record, delta] of given.entries()) batch[RECORDS + record * 9 + 3] = (delta << 1) ^ (delta >> 31)
  }
  test.each<[string, (batch: Buffer) => void]>([
    ['records behind the last offset of their batch', batch => void batch.writeInt32BE(0, LAST_OFFSET_DELTA)],
    ['records of one batch with the same offset', batch => deltas(batch, [0, 0, 0])],
    ['records of one batch out of order', batch => deltas(batch, [2, 0, 1])],
    ['records below the base offset of their batch', batch => deltas(batch, [-1, 1, 2])],
  ])('%s are refused', (_, edit) =>
    World.run({}, async world => {
      const fetches = fetchesAnswered(world, offset => [{ records: three(offset, edit) }])
      const consumer = world.consumer()
      consumer.assign([T0])
      const { offsets, errors } = await polled(world, consumer, 5_000)
      expect(offsets).toEqual([])
      expect(errors[0]).toBeInstanceOf(CorruptRecordError)
      expect(errors[0]?.message).toMatch(/t-0: the batch at offset 0 is damaged: .*do not rise.*goes past it/)
      expect(fetches.count).toBeLessThan(60)
    }),
  )

  test('batches out of order: those that were passed already are left out', () =>
    World.run({}, async world => {
      fetchesAnswered(world, offset => [
        { records: offset < 13n ? Buffer.concat([three(10n), three(3n)]) : offset === 13n ? three(13n) : Buffer.alloc(0) },
      ])
      const consumer = world.consumer()
      consumer.assign([T0])
      const { offsets } = await polled(world, consumer, 3_000)
      expect(offsets).toEqual([10n, 11n, 12n, 13n, 14n, 15n])
    }))

  test('DuplicatePartition: records that one answer brings twice are handed out once', () =>
    World.run({}, async world => {
      fetchesAnswered(world, offset => (offset === 0n ? [{ records: three(0n) }, { records: three(0n) }] : [{}]))
      const consumer = world.consumer()
      consumer.assign([T0])
      const { offsets, errors } = await polled(world, consumer, 3_000)
      expect([offsets, errors]).toEqual([[0n, 1n, 2n], []])
    }))

  test('DuplicatePartition: an error that one answer brings twice is reported once', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(3))
      const { TOPIC_AUTHORIZATION_FAILED: errorCode } = ErrorCode
      let refused = 0
      fetchesAnswered(world, () => (refused++ === 0 ? [{ errorCode }, { errorCode }] : 'pass'))
      const consumer = world.consumer()
      consumer.assign([T0])
      const { offsets, errors } = await polled(world, consumer, 3_000)
      expect(errors).toHaveLength(1)
      expect(offsets).toEqual([0n, 1n, 2n])
    }))
})

describe('transactions', () => {
  test('DoubleAbortMarker: a second marker of a transaction that has ended ends nothing else', () =>
    World.run({}, async world => {
      const transactional = (baseSequence: number) =>
        ({ producerId: 1n, producerEpoch: 0, baseSequence, isTransactional: true }) as const
      await write(world.broker, 't', 0, ['bad'], transactional(0))
      await world.broker.appendRaw('t', 0, markers('abort', 2, { producerId: 1n, producerEpoch: 0 }))
      await writeMarker(world.broker, 't', 0, 'abort', 1n)
      await write(world.broker, 't', 0, ['bad too'], transactional(1))
      await writeMarker(world.broker, 't', 0, 'abort', 1n)
      await write(world.broker, 't', 0, ['good'])
      const consumer = world.consumer({ isolationLevel: 'read_committed' })
      consumer.assign([T0])
      expect(await take(consumer, 1)).toEqual(['good'])
      expect((await consumer.poll({ timeoutMs: 1_000 })).isEmpty).toBe(true)
      expect(await consumer.position(T0)).toBe(7n)
    }))
})

describe('places to read from', () => {
  test('PreferredReplicaUnknownBroker: the leader is asked again, at a decent pace, until it gives records', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(3))
      let sent = 0
      const fetches = fetchesAnswered(world, () =>
        world.now < 10_000 && sent++ >= 0 ? [{ preferredReadReplica: 999_999 }] : 'pass',
      )
      const consumer = world.consumer({ rack: 'b' })
      consumer.assign([T0])
      expect((await consumer.poll({ timeoutMs: 9_000 })).isEmpty).toBe(true)
      expect(fetches.count).toBeGreaterThan(5)
      expect(fetches.count).toBeLessThan(40)
      expect(await take(consumer, 3)).toEqual(numbered(3))
    }))

  test.each([
    ['reported', ErrorCode.UNKNOWN_SERVER_ERROR],
    ['mended by a new session', ErrorCode.INVALID_FETCH_SESSION_EPOCH],
  ])('FetchTopLevelErrorBackoff: an error of the whole answer is %s, and not asked for over and over', (_, errorCode) =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(3))
      let count = 0
      const stop = world.broker.intercept(Fetch, () => {
        count++
        return { errorCode, sessionId: 0, responses: [] }
      })
      const consumer = world.consumer()
      consumer.assign([T0])
      const { errors } = await polled(world, consumer, 10_000)
      expect(errors.length > 0).toBe(errorCode === ErrorCode.UNKNOWN_SERVER_ERROR)
      expect(count).toBeGreaterThan(5)
      expect(count).toBeLessThan(40)
      stop()
      expect(await take(consumer, 3)).toEqual(numbered(3))
    }),
  )
})

describe('OffsetForLeaderEpoch', () => {
  /** Has read everything, and meets a new leader, who answers by `given`. */
  async function underNewLeader(
    world: World,
    given: (partition: number) => { endOffset: bigint; leaderEpoch: number }[],
    delayMs = 0,
  ) {
    await write(world.broker, 't', 0, numbered(5), { partitionLeaderEpoch: 0 })
    const asked = { count: 0 }
    world.broker.intercept(OffsetForLeaderEpoch, async request => {
      asked.count++
      await world.pass(delayMs)
      return {
        topics: request.topics.map(({ topic, partitions }) => ({
          topic,
          partitions: partitions.flatMap(({ partition }) => given(partition).map(end => ({ partition, errorCode: 0, ...end }))),
        })),
      }
    })
    const consumer = world.consumer({ metadataMaxAgeMs: 1_000 })
    consumer.assign([T0])
    expect(await take(consumer, 5)).toEqual(numbered(5))
    world.broker.moveLeader('t', 0, 2)
    await write(world.broker, 't', 0, numbered(3, 'new'))
    return { consumer, asked }
  }

  test('OFLEUndefinedEpochOffsetNotDataLoss: a leader that remembers no such epoch says nothing of lost records', () =>
    World.run({ nodes: 2, topics: { t: 1 } }, async world => {
      const { consumer, asked } = await underNewLeader(world, () => [{ endOffset: -1n, leaderEpoch: -1 }])
      expect(await take(consumer, 3)).toEqual(numbered(3, 'new'))
      expect(asked.count).toBe(1)
    }))

  test('SetOffsetsNotClobberedByPendingLoad: a seek while the answer is on its way wins over it', () =>
    World.run({ nodes: 2, topics: { t: 1 } }, async world => {
      const { consumer } = await underNewLeader(world, () => [{ endOffset: 2n, leaderEpoch: 0 }], 500)
      await consumer.poll({ timeoutMs: 300 })
      consumer.seek(T0, 6n)
      expect(await take(consumer, 2)).toEqual(['new1', 'new2'])
    }))

  test('an answer that leaves the partition out is asked for again, at a decent pace', () =>
    World.run({ nodes: 2, topics: { t: 1 } }, async world => {
      const from = world.now
      const { consumer, asked } = await underNewLeader(world, () =>
        world.now - from < 10_000 ? [] : [{ endOffset: 5n, leaderEpoch: 0 }],
      )
      expect((await consumer.poll({ timeoutMs: 5_000 })).isEmpty).toBe(true)
      expect(asked.count).toBeGreaterThan(2)
      expect(asked.count).toBeLessThan(40)
      expect(await take(consumer, 3)).toEqual(numbered(3, 'new'))
    }))
})

describe('groups', () => {
  const group = { groupId: 'g' } as const

  test('OffsetFetchOmittedPartition: it is not taken for one without a commit; the others are read', () =>
    World.run({ topics: { t: 2 } }, async world => {
      for (const p of [0, 1]) await write(world.broker, 't', p, numbered(5, `${p}-`))
      const before = world.consumer(group)
      before.subscribe('t')
      expect(await take(before, 10)).toHaveLength(10)
      await before.commit()
      await before.close()
      for (const p of [0, 1]) await write(world.broker, 't', p, numbered(2, `${p}+`))
      const stop = world.broker.intercept(OffsetFetch, async (_, context) => {
        const answer = await context.next()
        if (typeof answer === 'string') return answer
        return {
          ...answer,
          groups: answer.groups?.map(each => ({
            ...each,
            topics: each.topics.map(topic => ({
              ...topic,
              partitions: topic.partitions.filter(({ partitionIndex }) => partitionIndex !== 1),
            })),
          })),
        }
      })
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      const values: string[] = []
      const errors: Error[] = []
      for (const end = world.now + 10_000; world.now < end; )
        await consumer
          .poll({ timeoutMs: 500 })
          .then(records => values.push(...[...records].map(({ value }) => value)))
          .catch((error: Error) => errors.push(error))
      expect(values).toEqual(['0+0', '0+1'])
      expect(errors[0]?.message).toMatch(/OffsetFetch.*t-1.*missing/)
      await expect(consumer.committed([T0, T1])).rejects.toThrow(/t-1.*missing/)
      stop()
      expect(await take(consumer, 2)).toEqual(['1+0', '1+1'])
    }))

  test('OverlappingCommitsBlockAutocommit: automatic commits beside explicit ones never take the group back', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(60), { perBatch: 1 })
      const arrived: bigint[] = []
      world.broker.intercept(OffsetCommit, async (request, context) => {
        arrived.push(request.topics[0]!.partitions[0]!.committedOffset)
        await world.pass(40)
        return context.next()
      })
      const consumer = world.consumer({ ...group, autoCommitIntervalMs: 10 })
      consumer.subscribe('t')
      const commits: Promise<void>[] = []
      for (let i = 0; i < 20; i++) {
        await take(consumer, 3)
        commits.push(consumer.commit())
        await world.pass(15)
      }
      await Promise.all(commits)
      await consumer.poll()
      await consumer.close()
      expect(arrived.length).toBeGreaterThan(20)
      expect(arrived).toEqual(arrived.toSorted((a, b) => Number(a - b)))
      expect(world.broker.committed('g', 't', 0)).toBe(60n)
    }))

  test('NegativeEpochIgnored: a generation below 0 is not taken for one', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(3))
      world.broker.intercept(
        JoinGroup,
        async (_, context) => {
          const answer = await context.next()
          return typeof answer === 'string' ? answer : { ...answer, generationId: -1 }
        },
        { times: 2 },
      )
      const leaves = world.count(LeaveGroup)
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      expect(await take(consumer, 3)).toEqual(numbered(3))
      expect(consumer.groupMetadata().generationId).toBeGreaterThan(0)
      expect(leaves.count).toBe(0)
    }))

  test('RegexTopicBeforeMetadata: a topic that is assigned before it is known is read once it is', () =>
    World.run({ topics: { 'orders-a': 1, 'orders-b': 1 } }, async world => {
      await write(world.broker, 'orders-b', 0, numbered(3))
      world.broker.intercept(Metadata, async (_, context) => {
        const answer = await context.next()
        if (typeof answer === 'string' || world.now > 10_000) return answer
        return { ...answer, topics: answer.topics.filter(({ name }) => name !== 'orders-b') }
      })
      const assignment = encodeAssignment({
        assignedPartitions: ['a', 'b'].map(end => ({ topic: `orders-${end}`, partitions: [0] })),
      })
      world.broker.intercept(SyncGroup, async (_, context) => {
        const answer = await context.next()
        return typeof answer === 'string' ? answer : { ...answer, assignment }
      })
      const consumer = world.consumer({ ...group, metadataMaxAgeMs: 2_000 })
      consumer.subscribe({ pattern: /^orders-/ })
      expect(await take(consumer, 3, 5_000)).toEqual([])
      expect(await take(consumer, 3)).toEqual(numbered(3))
      expect(consumer.subscription()).toEqual(['orders-a', 'orders-b'])
    }))

  test('DuplicatePartitionAssignmentNoRewind: a partition that is assigned twice is read once, from where it stood', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(5))
      world.broker.intercept(SyncGroup, async (_, context) => {
        const answer = await context.next()
        if (typeof answer === 'string') return answer
        return { ...answer, assignment: encodeAssignment({ assignedPartitions: [{ topic: 't', partitions: [0, 0] }] }) }
      })
      const consumer = world.consumer({ ...group, enableAutoCommit: false })
      consumer.subscribe('t')
      expect(await take(consumer, 2)).toEqual(['v0', 'v1'])
      expect(consumer.assignment()).toEqual([T0])
      await consumer.commit()
      expect(await take(consumer, 1)).toEqual(['v2'])
      expect(await take(consumer, 5, 2_000)).toEqual(['v3', 'v4'])
    }))
})

test('ListOffsets that leaves the partition out is asked for again, at a decent pace', () =>
  World.run({}, async world => {
    await write(world.broker, 't', 0, numbered(3))
    let count = 0
    world.broker.intercept(ListOffsets, () => (count++ < 10 ? { topics: [] } : 'pass'))
    const consumer = world.consumer()
    consumer.assign([T0])
    const started = world.now
    expect(await take(consumer, 3)).toEqual(numbered(3))
    expect(world.now - started).toBeGreaterThan(1_000)
  }))
