import { describe, expect, test } from 'vitest'
import { FencedError, KafkaError } from '../../src/errors.ts'
import { OffsetCommit } from '../../src/protocol/apis/08-offset-commit.ts'
import { FindCoordinator } from '../../src/protocol/apis/10-find-coordinator.ts'
import { JoinGroup } from '../../src/protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../src/protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../../src/protocol/apis/13-leave-group.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { T0, T1, take, World } from './world.ts'
import { numbered, write } from './written.ts'

const group = { groupId: 'g' } as const
const heldBy = (...consumers: { assignment(): readonly unknown[] }[]) => consumers.map(consumer => consumer.assignment().length)

/** Polls all of them, again and again, until the condition holds. */
async function pollUntil(
  consumers: readonly ReturnType<World['consumer']>[],
  condition: () => boolean,
  seen: (value: string, consumer: number) => void = () => {},
) {
  for (let round = 0; !condition(); round++) {
    if (round > 500) throw new Error(`never: ${condition}`)
    await Promise.all(
      consumers.map(async (consumer, i) => {
        for (const record of await consumer.poll({ timeoutMs: 100 })) seen(record.value, i)
      }),
    )
  }
}

describe('membership', () => {
  test('four members share four partitions: disjoint and complete', () =>
    World.run({ topics: { t: 4 } }, async world => {
      const consumers = Array.from({ length: 4 }, () => world.consumer(group))
      for (const consumer of consumers) consumer.subscribe(['t'])
      await pollUntil(consumers, () => heldBy(...consumers).every(count => count === 1))
      expect(consumers.flatMap(consumer => consumer.assignment().map(({ partition }) => partition)).sort()).toEqual([0, 1, 2, 3])
    }))

  test('R7: a handler that takes longer than the session stays a member, since heartbeats have their own timer', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['a', 'b'])
      const consumer = world.consumer({ ...group, sessionTimeoutMs: 6_000, heartbeatIntervalMs: 1_000 })
      consumer.subscribe('t')
      const joins = world.count(JoinGroup)
      expect(await take(consumer, 1)).toEqual(['a'])
      const before = joins.count
      await world.pass(60_000)
      expect(await take(consumer, 1)).toEqual(['b'])
      expect(joins.count).toBe(before)
    }))

  test('R7: one that takes longer than maxPollIntervalMs leaves, loses its partitions and joins again', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['a', 'b'])
      const calls: string[] = []
      const consumer = world.consumer({ ...group, maxPollIntervalMs: 10_000 })
      consumer.subscribe('t', {
        listener: {
          onAssigned: partitions => void calls.push(`assigned ${partitions.length}`),
          onRevoked: partitions => void calls.push(`revoked ${partitions.length}`),
          onLost: partitions => void calls.push(`lost ${partitions.length}`),
        },
      })
      expect(await take(consumer, 1)).toEqual(['a'])
      const leaves = world.count(LeaveGroup)
      await world.pass(11_000)
      expect(leaves.count).toBe(1)
      expect(world.broker.group('g')?.members).toHaveLength(0)
      await expect(consumer.commit()).rejects.toMatchObject({ code: 'ERR_COMMIT_FAILED' })
      // Nothing was committed, so it begins anew.
      expect(await take(consumer, 2)).toEqual(['a', 'b'])
      expect(calls).toEqual(['assigned 1', 'lost 1', 'assigned 1'])
    }))

  test('while it waits inside poll, the poll interval does not run', () =>
    World.run({}, async world => {
      const consumer = world.consumer({ ...group, maxPollIntervalMs: 10_000 })
      consumer.subscribe('t')
      await pollUntil([consumer], () => consumer.assignment().length === 1)
      const leaves = world.count(LeaveGroup)
      const polled = consumer.poll({ timeoutMs: 60_000 })
      await world.pass(50_000)
      await write(world.broker, 't', 0, ['late'])
      expect([...(await polled)].map(({ value }) => value)).toEqual(['late'])
      expect(leaves.count).toBe(0)
    }))

  test.each([
    ['UNKNOWN_MEMBER_ID', ErrorCode.UNKNOWN_MEMBER_ID],
    ['ILLEGAL_GENERATION', ErrorCode.ILLEGAL_GENERATION],
  ])('R10, StaleEpochRejoin: %s on a heartbeat loses the partitions and joins again', (_, errorCode) =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['a'])
      let lost = 0
      const consumer = world.consumer(group)
      consumer.subscribe('t', { listener: { onLost: () => void lost++ } })
      expect(await take(consumer, 1)).toEqual(['a'])
      await consumer.commit()
      world.broker.intercept(Heartbeat, () => ({ errorCode }), { times: 1 })
      await pollUntil([consumer], () => lost === 1 && consumer.assignment().length === 1)
      await write(world.broker, 't', 0, ['b'])
      expect(await take(consumer, 1)).toEqual(['b'])
    }),
  )

  test('R10: a fenced static member stops for good, with a FencedError', () =>
    World.run({}, async world => {
      const one = world.consumer({ ...group, groupInstanceId: 'i' })
      one.subscribe('t')
      await pollUntil([one], () => one.assignment().length === 1)
      const two = world.consumer({ ...group, groupInstanceId: 'i' })
      two.subscribe('t')
      await pollUntil([two], () => two.assignment().length === 1)
      await world.pass(5_000)
      await expect(one.poll({ timeoutMs: 5_000 })).rejects.toThrow(FencedError)
      await expect(one.poll({ timeoutMs: 5_000 })).rejects.toThrow(FencedError)
      expect(one.assignment()).toEqual([])
      expect(two.assignment()).toHaveLength(1)
    }))

  test('a static member that restarts within its session gets its partitions back without a rebalance', () =>
    World.run({ topics: { t: 2 } }, async world => {
      const other = world.consumer(group)
      other.subscribe('t')
      let rebalances = 0
      const one = world.consumer({ ...group, groupInstanceId: 'i' })
      one.subscribe('t')
      await pollUntil([one, other], () => one.assignment().length === 1 && other.assignment().length === 1)
      const held = one.assignment()
      await one.close()
      other.subscribe('t', { listener: { onRevoked: () => void rebalances++ } })
      const again = world.consumer({ ...group, groupInstanceId: 'i' })
      again.subscribe('t')
      await pollUntil([again, other], () => again.assignment().length === 1)
      expect(again.assignment()).toEqual(held)
      expect(rebalances).toBe(0)
    }))

  test('kafkats K: the coordinator moves while none can be found for a while: it recovers', () =>
    World.run({ nodes: 2, topics: { t: 1 } }, async world => {
      await write(world.broker, 't', 0, ['a'])
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      expect(await take(consumer, 1)).toEqual(['a'])
      const end = world.now + 8_000
      world.broker.intercept(Heartbeat, () => (world.now < end ? { errorCode: ErrorCode.NOT_COORDINATOR } : 'pass'))
      world.broker.intercept(FindCoordinator, request =>
        world.now < end
          ? {
              coordinators: request.coordinatorKeys.map(key => ({
                key,
                nodeId: -1,
                host: '',
                port: -1,
                errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE,
                errorMessage: null,
              })),
            }
          : 'pass',
      )
      for (let i = 0; i < 30; i++) await consumer.poll({ timeoutMs: 500 })
      await write(world.broker, 't', 0, ['b'])
      expect(await take(consumer, 1)).toEqual(['b'])
      await consumer.commit()
      expect(world.broker.committed('g', 't', 0)).toBe(2n)
    }))

  test('heartbeats go on while a rebalance waits for the user to poll', () =>
    World.run({ topics: { t: 2 } }, async world => {
      const one = world.consumer({ ...group, sessionTimeoutMs: 6_000, heartbeatIntervalMs: 1_000 })
      one.subscribe('t')
      await pollUntil([one], () => one.assignment().length === 2)
      const two = world.consumer(group)
      two.subscribe('t')
      const joining = two.poll({ timeoutMs: 60_000 })
      await world.pass(20_000)
      expect(one.assignment()).toHaveLength(2)
      expect(world.broker.group('g')?.members).toHaveLength(2)
      await pollUntil([one], () => one.assignment().length === 1)
      await write(world.broker, 't', two.assignment()[0]?.partition ?? 1, ['x'])
      expect((await joining).length).toBe(1)
    }))

  test('a group error that an administrator can mend rejects poll, and the next poll tries again', () =>
    World.run({}, async world => {
      world.broker.intercept(
        JoinGroup,
        () => ({
          errorCode: ErrorCode.GROUP_AUTHORIZATION_FAILED,
          protocolName: '',
          leader: '',
          memberId: '',
          skipAssignment: false,
          members: [],
        }),
        { times: 1 },
      )
      await write(world.broker, 't', 0, ['a'])
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      await expect(consumer.poll({ timeoutMs: 5_000 })).rejects.toMatchObject({ error: 'GROUP_AUTHORIZATION_FAILED' })
      expect(await take(consumer, 1)).toEqual(['a'])
    }))
})

describe('rebalances', () => {
  test('R8: what is done is committed before partitions go, and nothing of them is delivered afterwards', () =>
    World.run({ topics: { t: 2 } }, async world => {
      for (const p of [0, 1]) await write(world.broker, 't', p, numbered(50, `${p}-`), { perBatch: 5 })
      const one = world.consumer(group)
      one.subscribe('t')
      const first = await take(one, 10)
      const two = world.consumer(group)
      two.subscribe('t')
      const seen: [string, number][] = []
      await pollUntil(
        [one, two],
        () => seen.length >= 90 && heldBy(one, two).every(count => count === 1),
        (value, consumer) => seen.push([value, consumer]),
      )
      const all = [...first, ...seen.map(([value]) => value)]
      expect(all.length).toBe(100)
      expect(new Set(all).size).toBe(100)
      expect(world.errors).toEqual([])
    }))

  test('the listener is awaited, can commit what it has, and its error rejects the poll', () =>
    World.run({ topics: { t: 2 } }, async world => {
      for (const p of [0, 1]) await write(world.broker, 't', p, numbered(5, `${p}-`))
      const calls: string[] = []
      const one = world.consumer({ ...group, enableAutoCommit: false })
      one.subscribe({
        topics: ['t'],
        listener: {
          onRevoked: async () => {
            await one.commit()
            calls.push('committed')
            throw new Error('listener')
          },
        },
      })
      await take(one, 10)
      const two = world.consumer(group)
      two.subscribe('t')
      const joining = two.poll({ timeoutMs: 3_000 })
      await world.pass(3_500)
      const failed = await one.poll({ timeoutMs: 5_000 }).catch((error: Error) => error.message)
      expect(failed).toBe('listener')
      expect(calls).toEqual(['committed'])
      expect([world.broker.committed('g', 't', 0), world.broker.committed('g', 't', 1)]).toEqual([5n, 5n])
      await joining
    }))

  test('R9: a commit while the group rebalances is refused as retriable', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['a'])
      const consumer = world.consumer({ ...group, enableAutoCommit: false })
      consumer.subscribe('t')
      await take(consumer, 1)
      world.broker.intercept(
        OffsetCommit,
        request => ({
          topics: request.topics.map(topic => ({
            ...topic,
            partitions: topic.partitions.map(({ partitionIndex }) => ({
              partitionIndex,
              errorCode: ErrorCode.REBALANCE_IN_PROGRESS,
            })),
          })),
        }),
        { times: 1 },
      )
      const error = await consumer.commit().catch((error: unknown) => error)
      expect(KafkaError.is(error) && [error.code, error.retriable]).toEqual(['ERR_REBALANCE_IN_PROGRESS', true])
      const before = consumer.metrics().rebalances
      await pollUntil([consumer], () => consumer.metrics().rebalances > before && consumer.assignment().length === 1)
    }))

  test('before the first poll there is nothing to commit under', () =>
    World.run({}, async world => {
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      await expect(consumer.commit([[T0, 1]])).rejects.toMatchObject({ code: 'ERR_REBALANCE_IN_PROGRESS' })
    }))

  test('R11: the leader notices that a topic grew, and the group shares the new partitions', () =>
    World.run({ topics: { t: 1 } }, async world => {
      const options = { ...group, metadataMaxAgeMs: 2_000 }
      const [one, two] = [world.consumer(options), world.consumer(options)]
      one.subscribe('t')
      two.subscribe('t')
      await pollUntil([one, two], () => heldBy(one, two).reduce((a, b) => a + b) === 1)
      world.broker.addPartitions('t', 1)
      await pollUntil([one, two], () => heldBy(one, two).every(count => count === 1))
    }))

  test('R12: a pattern follows topics that are made later, and leaves internal ones out', () =>
    World.run({ topics: { 'orders-a': 1, other: 1 } }, async world => {
      const consumer = world.consumer({ ...group, metadataMaxAgeMs: 2_000 })
      consumer.subscribe({ pattern: /^orders-|^__/ })
      expect(consumer.subscription()).toEqual([])
      await pollUntil([consumer], () => consumer.assignment().length === 1)
      world.broker.createTopic('orders-b', 2)
      await pollUntil([consumer], () => consumer.assignment().length === 3)
      expect(consumer.subscription()).toEqual(['orders-a', 'orders-b'])
    }))

  test('a changed subscription takes effect by the next polls', () =>
    World.run({ topics: { a: 1, b: 1 } }, async world => {
      const consumer = world.consumer(group)
      consumer.subscribe(['a'])
      await pollUntil([consumer], () => consumer.assignment()[0]?.topic === 'a')
      consumer.subscribe(['b'])
      expect(consumer.assignment()[0]?.topic).toBe('a')
      await pollUntil([consumer], () => consumer.assignment()[0]?.topic === 'b')
    }))

  test('batches know whether their partition is still ours', () =>
    World.run({ topics: { t: 1 } }, async world => {
      await write(world.broker, 't', 0, ['a'])
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      const batches = consumer.batches()
      const { value: batch } = await batches.next()
      expect(batch.isCurrent).toBe(true)
      await consumer.unsubscribe()
      expect(batch.isCurrent).toBe(false)
    }))
})

describe('leaving', () => {
  test('close commits what is done and leaves, so that the next member starts at once', () =>
    World.run({ topics: { t: 2 } }, async world => {
      await write(world.broker, 't', 0, numbered(10))
      const one = world.consumer(group)
      one.subscribe('t')
      await take(one, 10)
      await one.poll()
      await one.close()
      expect(one.close()).toBe(one.close())
      expect(world.broker.group('g')?.members).toEqual([])
      expect(world.broker.committed('g', 't', 0)).toBe(10n)
      await expect(one.poll()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
      const started = world.now
      const two = world.consumer(group)
      two.subscribe('t')
      await pollUntil([two], () => two.assignment().length === 2)
      expect(world.now - started).toBeLessThan(1_000)
    }))

  test('unsubscribe leaves the group, tells the listener, and allows another kind of subscription', () =>
    World.run({ topics: { t: 2 } }, async world => {
      const calls: string[] = []
      const consumer = world.consumer(group)
      consumer.subscribe('t', { listener: { onRevoked: partitions => void calls.push(`revoked ${partitions.length}`) } })
      await pollUntil([consumer], () => consumer.assignment().length === 2)
      expect(() => consumer.assign([T0])).toThrow(/unsubscribe/)
      await consumer.unsubscribe()
      expect(calls).toEqual(['revoked 2'])
      expect([consumer.subscription(), consumer.assignment(), consumer.paused()]).toEqual([null, [], []])
      expect(world.broker.group('g')?.members).toEqual([])
      consumer.assign([T1])
      await write(world.broker, 't', 1, ['x'])
      expect(await take(consumer, 1)).toEqual(['x'])
    }))
})
