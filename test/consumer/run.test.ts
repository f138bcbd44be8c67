import { describe, expect, test } from 'vitest'
import { OffsetCommit } from '../../src/protocol/apis/08-offset-commit.ts'
import { T0, T1, take, World } from './world.ts'
import { numbered, write } from './written.ts'

const group = { groupId: 'g' } as const

describe('run', () => {
  test('records of a partition one after the other, partitions side by side', () =>
    World.run({ topics: { t: 4 } }, async world => {
      for (let p = 0; p < 4; p++) await write(world.broker, 't', p, numbered(20, `${p}-`), { perBatch: 3 })
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      const active = new Map<number, number>()
      let most = 0
      const seen: string[] = []
      const running = consumer.run({
        concurrency: 3,
        eachRecord: async record => {
          active.set(record.partition, (active.get(record.partition) ?? 0) + 1)
          expect(active.get(record.partition)).toBe(1)
          most = Math.max(
            most,
            [...active.values()].reduce((a, b) => a + b),
          )
          await world.pass(10)
          active.set(record.partition, 0)
          seen.push(record.value)
        },
      })
      await world.until(() => seen.length === 80)
      await consumer.close()
      await running
      expect(most).toBe(3)
      for (let p = 0; p < 4; p++) {
        expect(seen.filter(value => value.startsWith(`${p}-`))).toEqual(numbered(20, `${p}-`))
        expect(world.broker.committed('g', 't', p)).toBe(20n)
      }
    }))

  test('order by key: many at once within a partition, one per key, in order', () =>
    World.run({}, async world => {
      const values = Array.from({ length: 60 }, (_, i) => `k${i % 6}=${i}`)
      await write(world.broker, 't', 0, values, { perBatch: 10, key: value => value.split('=')[0]! })
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      const busy = new Set<string>()
      let most = 0
      const seen: string[] = []
      const running = consumer.run({
        concurrency: 4,
        orderBy: 'key',
        eachRecord: async record => {
          const key = record.value.split('=')[0]!
          expect(busy.has(key)).toBe(false)
          busy.add(key)
          most = Math.max(most, busy.size)
          await world.pass(5 + (Number(record.value.split('=')[1]) % 7))
          busy.delete(key)
          seen.push(record.value)
        },
      })
      await world.until(() => seen.length === 60)
      await consumer.close()
      await running
      expect(most).toBe(4)
      for (let k = 0; k < 6; k++) {
        expect(seen.filter(value => value.startsWith(`k${k}=`))).toEqual(values.filter(value => value.startsWith(`k${k}=`)))
      }
      expect(world.broker.committed('g', 't', 0)).toBe(60n)
    }))

  test('done is the lowest record that is not finished', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(10), { key: value => value })
      const consumer = world.consumer({ ...group, enableAutoCommit: false })
      consumer.subscribe('t')
      let release = () => {}
      const stuck = new Promise<void>(resolve => {
        release = resolve
      })
      let finished = 0
      const running = consumer.run({
        concurrency: 10,
        orderBy: 'key',
        eachRecord: async record => {
          if (record.value === 'v3') await stuck
          finished++
        },
      })
      await world.until(() => finished === 9)
      await consumer.commit()
      expect(world.broker.committed('g', 't', 0)).toBe(3n)
      release()
      await world.until(() => finished === 10)
      await consumer.commit()
      expect(world.broker.committed('g', 't', 0)).toBe(10n)
      await consumer.close()
      await running
    }))

  test('a handler that throws ends run with its error, and the record is read again', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(6))
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      const seen: string[] = []
      const fails = consumer.run({
        eachRecord: async record => {
          if (record.value === 'v4') throw new Error('handler')
          seen.push(record.value)
        },
      })
      await expect(fails).rejects.toThrow('handler')
      expect(seen).toEqual(numbered(4))
      expect(await consumer.position(T0)).toBe(4n)
      expect(await take(consumer, 2)).toEqual(['v4', 'v5'])
    }))

  test('eachBatch: a batch is done when its handler is', () =>
    World.run({ topics: { t: 2 } }, async world => {
      for (const p of [0, 1]) await write(world.broker, 't', p, numbered(50, `${p}-`), { perBatch: 5 })
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      let count = 0
      const running = consumer.run({
        concurrency: 2,
        eachBatch: async batch => {
          await world.pass(10)
          count += batch.length
        },
      })
      await world.until(() => count === 100)
      await consumer.close()
      await running
      expect([0, 1].map(p => world.broker.committed('g', 't', p))).toEqual([50n, 50n])
    }))

  test('a handler that releases its batch: what is committed has the leader epoch of its records', () =>
    World.run({}, async world => {
      const epochs = new Set<number | null | undefined>()
      world.broker.intercept(OffsetCommit, request => {
        for (const { partitions } of request.topics)
          for (const { committedLeaderEpoch } of partitions) epochs.add(committedLeaderEpoch)
        return 'pass'
      })
      // Of different sizes, so that headers do not lie where headers lay.
      const values = Array.from({ length: 1_500 }, (_, i) => 'z'.repeat(300 + ((i * 131) % 700)))
      await write(world.broker, 't', 0, values, { perBatch: 7, partitionLeaderEpoch: 0 })
      const consumer = world.consumer({ ...group, maxPartitionFetchBytes: 40_000, autoCommitIntervalMs: 1 })
      consumer.subscribe('t')
      let count = 0
      const running = consumer.run({
        eachBatch: async batch => {
          count += batch.length
          batch.release()
          // Long enough for the next responses to be read into its memory.
          await world.pass(30)
        },
      })
      await world.until(() => count === 1_500)
      await consumer.close()
      await running
      expect(world.broker.committed('g', 't', 0)).toBe(1_500n)
      expect([...epochs]).toEqual([0])
    }))

  test('R8: on a rebalance handlers are told and waited for, what they finished is committed, nothing follows', () =>
    World.run({ topics: { t: 2 } }, async world => {
      for (const p of [0, 1]) await write(world.broker, 't', p, numbered(100, `${p}-`), { perBatch: 50 })
      const one = world.consumer({ ...group, heartbeatIntervalMs: 500 })
      one.subscribe('t')
      const seen: string[] = []
      let aborted = 0
      const handle =
        (list: string[]) =>
        async (record: { value: string }, { signal }: { signal: AbortSignal }) => {
          signal.addEventListener('abort', () => aborted++)
          await world.pass(100)
          list.push(record.value)
        }
      const first = one.run({ concurrency: 2, eachRecord: handle(seen) })
      await world.pass(2_000)
      const two = world.consumer({ ...group, heartbeatIntervalMs: 500 })
      two.subscribe('t')
      const second = two.run({ concurrency: 2, eachRecord: handle(seen) })
      await world.until(() => seen.length >= 200)
      expect(aborted).toBeGreaterThan(0)
      await Promise.all([one.close(), two.close()])
      await Promise.all([first, second])
      expect(seen.length).toBe(200)
      expect(new Set(seen).size).toBe(200)
    }))

  test('R7: a handler that takes longer than maxPollIntervalMs loses the partition', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['slow'])
      const consumer = world.consumer({ ...group, maxPollIntervalMs: 10_000 })
      let lost = 0
      consumer.subscribe('t', { listener: { onLost: () => void lost++ } })
      let calls = 0
      let told = false
      const running = consumer.run({
        eachRecord: async (_, { signal }) => {
          signal.addEventListener('abort', () => {
            told = true
          })
          if (calls++ === 0) await world.pass(30_000)
        },
      })
      await world.until(() => lost === 1, 20_000)
      expect(told).toBe(true)
      await world.until(() => calls === 2)
      await consumer.close()
      await running
    }))

  test('seek and pause inside a handler take effect with the next record', () =>
    World.run({ topics: { t: 2 } }, async world => {
      await write(world.broker, 't', 0, numbered(6))
      const consumer = world.consumer(group)
      consumer.assign([T0, T1])
      const seen: string[] = []
      const running = consumer.run({
        eachRecord: record => {
          seen.push(record.value)
          if (seen.length === 3) consumer.seek(T0, 1n)
          if (seen.length === 5) consumer.pause([T0])
        },
      })
      await world.pass(3_000)
      expect(seen).toEqual(['v0', 'v1', 'v2', 'v1', 'v2'])
      consumer.resume([T0])
      await world.until(() => seen.length === 8)
      expect(seen.slice(5)).toEqual(['v3', 'v4', 'v5'])
      await consumer.close()
      await running
      expect(world.broker.committed('g', 't', 0)).toBe(6n)
    }))

  test.each(['partition', 'key'] as const)(
    'ordered by %s, a pause anywhere in a large record batch neither repeats nor skips records',
    orderBy =>
      World.run({}, async world => {
        const values = numbered(1_700)
        await write(world.broker, 't', 0, values, { perBatch: 1_300, key: () => 'k' })
        const consumer = world.consumer(group)
        consumer.assign([T0])
        const seen: string[] = []
        const running = consumer.run({
          orderBy,
          eachRecord: async record => {
            seen.push(record.value)
            if (![1, 2, 10, 499, 500, 501, 600, 999, 1_200, 1_300, 1_301].includes(seen.length)) return
            consumer.pause([T0])
            world.pass(20).then(() => consumer.resume([T0]))
          },
        })
        await world.until(() => seen.length >= values.length)
        await world.pass(1_000)
        expect(seen).toEqual(values)
        await consumer.close()
        await running
        expect(world.broker.committed('g', 't', 0)).toBe(1_700n)
      }),
  )

  test('its signal ends it after the handlers at work; nothing else may read meanwhile', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(100))
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      const stop = new AbortController()
      let count = 0
      const running = consumer.run({
        signal: stop.signal,
        eachRecord: async () => {
          await world.pass(10)
          count++
        },
      })
      await world.until(() => count === 5)
      await expect(consumer.poll()).rejects.toMatchObject({ code: 'ERR_ILLEGAL_STATE' })
      await expect(consumer.run({ eachRecord: () => {} })).rejects.toThrow(/running/)
      stop.abort()
      await running
      const before = count
      await world.pass(1_000)
      expect(count).toBe(before)
      expect(await take(consumer, 1)).toEqual([`v${before}`])
    }))

  test('options that make no sense are refused', () =>
    World.run({}, async world => {
      const consumer = world.consumer(group)
      consumer.subscribe('t')
      await expect(consumer.run({ concurrency: 0, eachRecord: () => {} })).rejects.toThrow(/concurrency/)
      await expect(consumer.run({} as never)).rejects.toThrow(/eachRecord or eachBatch/)
      await expect(consumer.run({ eachMesage: () => {} } as never)).rejects.toThrow(/does not know eachMesage/)
      await expect(consumer.run({ eachRecord: () => {}, orderBy: 'none' } as never)).rejects.toThrow(/orderBy/)
    }))
})
