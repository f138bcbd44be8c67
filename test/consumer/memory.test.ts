import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { Consumer, type ConsumerBatch, type ConsumerRecord } from '../../src/consumer/index.ts'
import { Fetch, T0, T1, take, World } from './world.ts'
import { numbered, write } from './written.ts'

const big = (i: number, p: number) => `${p}-${i}`.padEnd(1_000, '.')
const fill = async (world: World, partitions: number, count: number) => {
  for (let p = 0; p < partitions; p++) {
    await write(
      world.broker,
      't',
      p,
      Array.from({ length: count }, (_, i) => big(i, p)),
      { perBatch: 4 },
    )
  }
}

test('what is fetched and not handed out stays within fetchBufferBytes', () =>
  World.run({ topics: { t: 6 } }, async world => {
    await fill(world, 6, 200)
    const consumer = world.consumer({ fetchBufferBytes: 100_000 })
    consumer.assign([0, 1, 2, 3, 4, 5].map(partition => ({ topic: 't', partition })))
    let most = 0
    for (let count = 0; count < 1_200; ) {
      count += (await consumer.poll({ timeoutMs: 10_000, maxRecords: 10 })).length
      most = Math.max(most, consumer.metrics().bufferedBytes)
      await world.pass(5)
    }
    expect(most).toBeGreaterThan(10_000)
    expect(most).toBeLessThanOrEqual(110_000)
    expect(consumer.metrics().bufferedBytes).toBe(0)
  }))

test('paused partitions whose data is parked do not keep the others from being read', () =>
  World.run({ topics: { t: 6 } }, async world => {
    await fill(world, 6, 100)
    const all = [0, 1, 2, 3, 4, 5].map(partition => ({ topic: 't', partition }))
    const consumer = world.consumer({ fetchBufferBytes: 65_536 })
    consumer.assign(all)
    const first = await take(consumer, 4)
    await world.pass(200)
    consumer.pause(all.slice(0, 5))
    const last = await take(consumer, 100 - first.filter(value => value.startsWith('5-')).length, 5_000)
    expect([...first, ...last].filter(value => value.startsWith('5-'))).toHaveLength(100)
    consumer.resume(all.slice(0, 5))
    const rest = await take(consumer, 600 - first.length - last.length, 5_000)
    const seen = [...first, ...last, ...rest]
    expect(new Set(seen).size).toBe(600)
    for (let p = 0; p < 6; p++)
      expect(seen.filter(value => value.startsWith(`${p}-`))).toEqual(Array.from({ length: 100 }, (_, i) => big(i, p)))
  }))

test('R28: a handler that is stuck on one partition does not starve the others of memory', () =>
  World.run({ topics: { t: 4 } }, async world => {
    await fill(world, 4, 200)
    const consumer = world.consumer({ fetchBufferBytes: 65_536, groupId: 'g' })
    consumer.assign([0, 1, 2, 3].map(partition => ({ topic: 't', partition })))
    let release = () => {}
    const stuck = new Promise<void>(resolve => {
      release = resolve
    })
    let others = 0
    const running = consumer.run({
      concurrency: 4,
      eachRecord: async record => {
        if (record.partition === 0) await stuck
        else others++
      },
    })
    await world.until(() => others === 600, 20_000)
    release()
    await consumer.close()
    await running
  }))

describe('release', () => {
  /** All batches of two partitions that share their responses, as bytes; `visit` is called with each as it comes. */
  async function read(world: World, visit: (batch: ConsumerBatch, index: number) => unknown): Promise<void> {
    await fill(world, 2, 400)
    await using consumer = new Consumer(
      { bootstrapServers: world.broker.bootstrapServers, autoOffsetReset: 'earliest', maxPartitionFetchBytes: 40_000 },
      world.runtime,
    )
    consumer.assign([T0, T1])
    let left = 800
    let index = 0
    for await (const batch of consumer.batches()) {
      left -= batch.length
      await visit(batch, index++)
      if (left === 0) return
    }
  }
  const places = (batch: ConsumerBatch) => Array.from(batch, record => ({ value: record.value!, text: String(record.value) }))

  test('released memory is reused by later responses, and only that', () =>
    World.run({ topics: { t: 2 } }, async world => {
      const kept: ReturnType<typeof places> = []
      const released: ReturnType<typeof places> = []
      await read(world, (batch, index) => {
        if (index % 3 !== 0) {
          kept.push(...places(batch))
          return
        }
        released.push(...places(batch))
        batch.release()
        // Once more must not give away what the other partition's batch of the same response still needs.
        batch.release()
      })
      for (const { value, text } of kept) expect(String(value)).toBe(text)
      // Every response has a batch that was kept.
      for (const { value, text } of released) expect(String(value)).toBe(text)
    }))

  test('when all of a response is released, the next ones are read into its memory', () =>
    World.run({ topics: { t: 2 } }, async world => {
      const seen = new Set<ArrayBufferLike>()
      let batches = 0
      await read(world, batch => {
        batches++
        seen.add(batch.at(0)!.value!.buffer)
        batch.release()
      })
      expect(batches).toBeGreaterThan(15)
      expect(seen.size).toBeLessThan(batches / 3)
    }))

  test('whoever reads a released batch, or a record of it, is told, and never sees the bytes of another', () =>
    World.run({ topics: { t: 2 } }, async world => {
      const released: { batch: ConsumerBatch; record: ConsumerRecord }[] = []
      await read(world, batch => {
        released.push({ batch, record: batch.at(1)! })
        batch.release()
      })
      const gone = expect.objectContaining({
        code: 'ERR_ILLEGAL_STATE',
        message: expect.stringMatching(/was released.*detach\(\)/),
      })
      for (const { batch, record } of released) {
        const reads = {
          key: () => record.key,
          value: () => record.value,
          headers: () => record.headers,
          offset: () => record.offset,
          timestamp: () => record.timestamp,
          timestampExact: () => record.timestampExact,
          timestampType: () => record.timestampType,
          leaderEpoch: () => record.leaderEpoch,
          detach: () => record.detach(),
          toJSON: () => JSON.stringify(record),
          iteration: () => [...batch],
          at: () => batch.at(0),
          baseOffset: () => batch.baseOffset,
          lastOffset: () => batch.lastOffset,
          'JSON of the batch': () => JSON.stringify(batch),
        }
        for (const [name, act] of Object.entries(reads)) expect(act, name).toThrow(gone)
        // What does not lie in its memory stays, and looking at it harms nobody.
        const { topic, partition } = record
        expect(batch).toMatchObject({ topic, partition, leaderEpoch: -1 })
        expect(inspect([batch, record])).toBe(
          `[ ConsumerBatch t-${partition} (released), ConsumerRecord t-${partition} (released) ]`,
        )
      }
    }))

  test('a serde that reads by range, and an iteration begun before, are told as well', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(3))
      const consumer = world.consumer()
      consumer.assign([T0])
      for await (const batch of consumer.batches()) {
        const records = batch[Symbol.iterator]()
        expect(records.next().value.value).toBe('v0')
        batch.release()
        expect(() => records.next().value.value).toThrow(/was released/)
        break
      }
    }))

  test.each<[string, (consumer: ReturnType<World['consumer']>) => Promise<ConsumerRecord<Uint8Array | null, string>[]>]>([
    ['poll', async consumer => [...(await consumer.poll({ timeoutMs: 5_000, maxRecords: 3 }))]],
    [
      'for await',
      async consumer => {
        const records = []
        for await (const record of consumer) if (records.push(record) === 3) break
        return records
      },
    ],
  ])('records of the same record batch that %s handed out before stay readable', (_, read) =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(10))
      const consumer = world.consumer()
      consumer.assign([T0])
      const before = await read(consumer)
      for await (const batch of consumer.batches()) {
        expect(batch.at(0)?.value).toBe('v3')
        batch.release()
        break
      }
      expect(before.map(({ value }) => value)).toEqual(numbered(3))
    }),
  )
})

test('a transaction takes a snapshot of the positions, and an abort rewinds to what is committed', () =>
  World.run({ topics: { t: 2 } }, async world => {
    await write(world.broker, 't', 0, numbered(10))
    const automatic = world.consumer({ groupId: 'g' })
    automatic.assign([T0])
    expect(() => automatic.transactionSource()).toThrow(/enableAutoCommit/)
    const consumer = world.consumer({ groupId: 'g', enableAutoCommit: false })
    consumer.subscribe('t')
    await take(consumer, 4)
    await consumer.commit()
    await take(consumer, 3)
    const source = consumer.transactionSource()
    expect(source.group).toMatchObject({ groupId: 'g', generationId: 1 })
    expect(source.offsets.get(T0)?.offset).toBe(7n)
    expect(source.isCurrent()).toBe(true)
    source.rewind()
    expect(await take(consumer, 6)).toEqual(numbered(10).slice(4))
    await consumer.unsubscribe()
    expect(source.isCurrent()).toBe(false)
  }))

test('a near broker is asked for little at once, a far one for more, up to the memory there is', () =>
  World.run({ topics: { t: 4 } }, async world => {
    const value = 'x'.repeat(250_000)
    for (let p = 0; p < 4; p++) await write(world.broker, 't', p, new Array<string>(48).fill(value), { perBatch: 1 })
    let asked: number[] = []
    let delayMs = 0
    world.broker.intercept(Fetch, async request => {
      asked.push(request.maxBytes)
      if (delayMs > 0) await world.pass(delayMs)
      return 'pass' as const
    })
    const consumer = world.consumer()
    consumer.assign([0, 1, 2, 3].map(partition => ({ topic: 't', partition })))
    await take(consumer, 60)
    expect(new Set(asked)).toEqual(new Set([2 << 20]))
    asked = []
    delayMs = 100
    await take(consumer, 60)
    expect(Math.max(...asked)).toBeGreaterThan(4 << 20)
    expect(Math.max(...asked)).toBeLessThanOrEqual(16 << 20)
    delayMs = 0
    await take(consumer, 60)
    expect(asked.at(-1)).toBe(2 << 20)
  }))
