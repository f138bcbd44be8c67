import { expect, test } from 'vitest'
import { releaseNames } from '../../src/broker/releases.ts'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { NO_UUID } from '../../src/protocol/schema.ts'
import { Fetch, T0, T1, take, World } from './world.ts'
import { numbered, write } from './written.ts'

test.each(releaseNames)('a group reads, commits, looks up and leaves on Kafka %s', asVersion =>
  World.run({ topics: { t: 2 }, asVersion }, async world => {
    for (const p of [0, 1]) await write(world.broker, 't', p, numbered(10, `${p}-`), { perBatch: 3 })
    let version = -1
    world.broker.intercept(Fetch, (_, context) => {
      version = context.version
      return 'pass'
    })
    const consumer = world.consumer({ groupId: 'g' })
    consumer.subscribe('t')
    expect(await take(consumer, 20)).toHaveLength(20)
    expect(version).toBe({ '0.10.2': 3, '0.11.0': 5, '1.1': 7, '2.8': 12 }[asVersion as string] ?? version)
    await consumer.commit()
    const committed = await consumer.committed([T0, T1])
    expect([committed.get(T0)?.offset, committed.get(T1)?.offset]).toEqual([10n, 10n])
    expect((await consumer.endOffsets([T0])).get(T0)).toBe(10n)
    consumer.seek(T0, 9n)
    expect(await take(consumer, 1)).toEqual(['0-9'])
    await consumer.close()
    expect(world.broker.group('g')?.members).toEqual([])
  }),
)

test('KIP-951: a broker that is no longer the leader names the new one, and no metadata is awaited', () =>
  World.run({ nodes: 2, topics: { t: 1 } }, async world => {
    world.broker.moveLeader('t', 0, 1)
    await write(world.broker, 't', 0, ['a'])
    const consumer = world.consumer()
    consumer.assign([T0])
    expect(await take(consumer, 1)).toEqual(['a'])
    // From now on metadata is never answered.
    world.broker.intercept(Metadata, () => 'drop')
    world.broker.moveLeader('t', 0, 2)
    await write(world.broker, 't', 0, ['b'])
    const started = world.now
    expect(await take(consumer, 1)).toEqual(['b'])
    expect(world.now - started).toBeLessThan(1_500)
  }))

test('topics without ids are fetched by name, even from a broker that could do better', () =>
  World.run({}, async world => {
    await write(world.broker, 't', 0, ['a'])
    world.broker.intercept(Metadata, async (_, context) => {
      const answer = await context.next()
      if (typeof answer === 'string') return answer
      return { ...answer, topics: answer.topics.map(topic => ({ ...topic, topicId: NO_UUID })) }
    })
    const versions = new Set<boolean>()
    world.broker.intercept(Fetch, request => {
      for (const { topic } of request.topics) versions.add(topic === 't')
      return 'pass'
    })
    const consumer = world.consumer()
    consumer.assign([T0])
    expect(await take(consumer, 1)).toEqual(['a'])
    expect([...versions]).toEqual([true])
  }))
