import { randomBytes } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { AbortedTransactions } from '../../src/consumer/aborted-transactions.ts'
import { FetchedData, SharedFrame } from '../../src/consumer/fetched-data.ts'
import { CorruptRecordError } from '../../src/errors.ts'
import type { JobRunner } from '../../src/protocol/compression/index.ts'
import { BatchBuilder, crc32c, endTransactionMarker } from '../../src/protocol/records/index.ts'
import { nullable, type Serde } from '../../src/serde/index.ts'
import { Deferred } from '../../src/util/deferred.ts'
import { hideZstd } from '../records/without-zstd.ts'
import { Fetch, T0, T1, take, World } from './world.ts'
import { numbered, write, writeMarker } from './written.ts'

const key = (value: string) => value.split('=')[0]!

describe('compaction', () => {
  test('R1: gaps inside and between batches are passed over', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['a=1', 'b=1', 'a=2', 'b=2', 'a=3', 'c=1'], { perBatch: 2, key })
      await world.broker.compact('t', 0)
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await take(consumer, 3)).toEqual(['b=2', 'a=3', 'c=1'])
      expect(await consumer.position(T0)).toBe(6n)
    }))

  test('R1: a batch whose last records were compacted away moves the position behind its last offset', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['a=1', 'b=1'], { key })
      await write(world.broker, 't', 0, ['b=2'], { key })
      await world.broker.compact('t', 0)
      const consumer = world.consumer()
      consumer.assign([T0])
      consumer.seek(T0, 1n)
      expect(await take(consumer, 1)).toEqual(['b=2'])
      expect(await consumer.position(T0)).toBe(3n)
    }))

  test('empty batches kept for their producer do not stop the consumer', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['a=1'], { key, producerId: 5n, producerEpoch: 0, baseSequence: 0 })
      await write(world.broker, 't', 0, ['a=2'], { key, producerId: 5n, producerEpoch: 0, baseSequence: 1 })
      await write(world.broker, 't', 0, ['a=3'], { key, producerId: 6n, producerEpoch: 0, baseSequence: 0 })
      await world.broker.compact('t', 0, { emptyBatches: 'all' })
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await take(consumer, 1)).toEqual(['a=3'])
      expect(await consumer.position(T0)).toBe(3n)
    }))
})

describe('control batches and transactions', () => {
  const transactional = (producerId: bigint, baseSequence: number) =>
    ({ producerId, producerEpoch: 0, baseSequence, isTransactional: true }) as const

  test('R2: a stretch of control records only is passed over, once', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['x'], transactional(1n, 0))
      await writeMarker(world.broker, 't', 0, 'commit', 1n)
      const fetches = world.count(Fetch)
      const consumer = world.consumer()
      consumer.assign([T0])
      consumer.seek(T0, 1n)
      expect((await consumer.poll({ timeoutMs: 2_000 })).isEmpty).toBe(true)
      expect(await consumer.position(T0)).toBe(2n)
      expect(fetches.count).toBeLessThan(10)
      await write(world.broker, 't', 0, ['y'])
      expect(await take(consumer, 1)).toEqual(['y'])
    }))

  test('platformatic 1: two aborted transactions of one producer in one fetch are both left out', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['bad1'], transactional(1n, 0))
      await writeMarker(world.broker, 't', 0, 'abort', 1n)
      await write(world.broker, 't', 0, ['bad2'], transactional(1n, 1))
      await writeMarker(world.broker, 't', 0, 'abort', 1n)
      await write(world.broker, 't', 0, ['good'], transactional(1n, 2))
      await writeMarker(world.broker, 't', 0, 'commit', 1n)
      const consumer = world.consumer({ isolationLevel: 'read_committed' })
      consumer.assign([T0])
      expect(await take(consumer, 1)).toEqual(['good'])
      expect((await consumer.poll({ timeoutMs: 1_000 })).isEmpty).toBe(true)
      expect(await consumer.position(T0)).toBe(6n)
    }))

  test('R3, platformatic 2: an aborted transaction whose marker comes in a later fetch is left out', () =>
    World.run({}, async world => {
      for (let i = 0; i < 20; i++) {
        await write(world.broker, 't', 0, [`bad${i}`.padEnd(500)], transactional(1n, i))
        await write(world.broker, 't', 0, [`good${i}`])
      }
      await writeMarker(world.broker, 't', 0, 'abort', 1n)
      const consumer = world.consumer({ isolationLevel: 'read_committed', maxPartitionFetchBytes: 1_000 })
      consumer.assign([T0])
      expect(await take(consumer, 20)).toEqual(numbered(20, 'good'))
      expect((await consumer.poll({ timeoutMs: 1_000 })).isEmpty).toBe(true)
      expect(await consumer.position(T0)).toBe(41n)
    }))

  test('ReadCommittedUnorderedAbortedTxns: aborted transactions named out of order by the broker are left out', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['bad1'], transactional(1n, 0))
      await write(world.broker, 't', 0, ['bad2'], transactional(2n, 0))
      await writeMarker(world.broker, 't', 0, 'abort', 2n)
      await writeMarker(world.broker, 't', 0, 'abort', 1n)
      await write(world.broker, 't', 0, ['good'])
      world.broker.intercept(Fetch, async (_, context) => {
        const answer = await context.next()
        if (typeof answer === 'string') return answer
        for (const topic of answer.responses ?? []) {
          for (const partition of topic.partitions) {
            Object.assign(partition, { abortedTransactions: [...(partition.abortedTransactions ?? [])].reverse() })
          }
        }
        return answer
      })
      const consumer = world.consumer({ isolationLevel: 'read_committed' })
      consumer.assign([T0])
      expect(await take(consumer, 1)).toEqual(['good'])
    }))

  test('read_uncommitted delivers aborted records, but no control records', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['bad'], transactional(1n, 0))
      await writeMarker(world.broker, 't', 0, 'abort', 1n)
      await write(world.broker, 't', 0, ['good'])
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await take(consumer, 2)).toEqual(['bad', 'good'])
    }))

  test('an open transaction holds read_committed back until it is decided', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['one'])
      await write(world.broker, 't', 0, ['two'], transactional(1n, 0))
      const consumer = world.consumer({ isolationLevel: 'read_committed' })
      consumer.assign([T0])
      expect(await take(consumer, 1)).toEqual(['one'])
      expect((await consumer.poll({ timeoutMs: 2_000 })).isEmpty).toBe(true)
      expect((await consumer.endOffsets([T0])).get(T0)).toBe(1n)
      await writeMarker(world.broker, 't', 0, 'commit', 1n)
      expect(await take(consumer, 1)).toEqual(['two'])
    }))
})

describe('batch boundaries', () => {
  test('R4: a batch that begins below the position is trimmed', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(10))
      const consumer = world.consumer()
      consumer.assign([T0])
      consumer.seek(T0, 7)
      expect(await take(consumer, 3)).toEqual(['v7', 'v8', 'v9'])
    }))

  test('R5: a batch cut off at the end of a response is read by the next fetch', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(4), { perBatch: 2 })
      world.broker.intercept(
        Fetch,
        async (_, context) => {
          const answer = await context.next()
          if (typeof answer === 'string') return answer
          const partition = answer.responses?.[0]?.partitions[0]
          if (partition?.records) Object.assign(partition, { records: Buffer.from(partition.records).subarray(0, -20) })
          return answer
        },
        { times: 1 },
      )
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await take(consumer, 4)).toEqual(numbered(4))
    }))

  test('R6: a batch larger than maxPartitionFetchBytes and fetchMaxBytes still comes', () =>
    World.run({}, async world => {
      const big = 'x'.repeat(50_000)
      await write(world.broker, 't', 0, [big])
      await write(world.broker, 't', 0, ['small'])
      const consumer = world.consumer({ maxPartitionFetchBytes: 100, fetchMaxBytes: 1 })
      consumer.assign([T0])
      expect(await take(consumer, 2)).toEqual([big, 'small'])
    }))

  test('fetchMaxBytes of 300 serves both partitions', () =>
    World.run({ topics: { t: 2 } }, async world => {
      for (const p of [0, 1]) await write(world.broker, 't', p, numbered(20, `${p}-`), { perBatch: 1 })
      const consumer = world.consumer({ fetchMaxBytes: 300 })
      consumer.assign([T0, T1])
      expect((await take(consumer, 40)).sort()).toEqual([...numbered(20, '0-'), ...numbered(20, '1-')].sort())
    }))
})

describe('fidelity', () => {
  test('R30: offsets beyond 2^53, binary keys and values, null and empty, duplicate and null headers', () =>
    World.run({}, async world => {
      const start = 2n ** 53n + 11n
      world.broker.startAt('t', 0, start)
      const builder = new BatchBuilder({ codec: 'none' })
      const headers = [
        { key: 'h', value: Buffer.from([0xff, 0xfe]) },
        { key: 'h', value: null },
        { key: 'h', value: Buffer.alloc(0) },
        { key: '__proto__', value: Buffer.from('x') },
      ]
      builder.append({ key: Buffer.from([0xff, 0x00]), value: Buffer.from([0x80, 0xff]), headers, timestamp: 5 })
      builder.append({ key: Buffer.alloc(0), value: null, timestamp: 6 })
      builder.append({ key: null, value: Buffer.alloc(0), timestamp: 7 })
      await world.broker.appendRaw('t', 0, await builder.finish({}))
      const { Consumer } = await import('../../src/consumer/index.ts')
      await using consumer = new Consumer(
        { bootstrapServers: world.broker.bootstrapServers, autoOffsetReset: 'earliest' },
        world.runtime,
      )
      consumer.assign([T0])
      const [a, b, c] = [...(await consumer.poll({ timeoutMs: 5_000 }))]
      expect([a?.offset, b?.offset, c?.offset]).toEqual([start, start + 1n, start + 2n])
      expect(Buffer.from(a!.key!)).toEqual(Buffer.from([0xff, 0x00]))
      expect(Buffer.from(a!.value!)).toEqual(Buffer.from([0x80, 0xff]))
      expect(a?.headers.map(({ key, value }) => [key, value && Buffer.from(value).toString('latin1')])).toEqual([
        ['h', '\xff\xfe'],
        ['h', null],
        ['h', ''],
        ['__proto__', 'x'],
      ])
      expect([b?.key?.length, b?.value, c?.key, c?.value?.length]).toEqual([0, null, null, 0])
      expect(await consumer.position(T0)).toBe(start + 3n)
      const detached = a!.detach()
      expect(detached).toMatchObject({ offset: start, timestamp: 5, timestampExact: 5n, timestampType: 'create' })
      // Neither the response nor a pool stays in memory for it.
      for (const bytes of [detached.key, detached.value, detached.headers[0]?.value]) expect(bytes?.buffer.byteLength).toBe(2)
      expect(JSON.parse(JSON.stringify(a))).toMatchObject({ offset: String(start), key: '/wA=', value: 'gP8=' })
    }))

  test('what a serde reads as views of its input is detached with it', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['one two', 'three four'])
      const words: Serde<{ words: Uint8Array[] }> = {
        serialize: () => null,
        deserialize: bytes => ({ words: [bytes!.subarray(0, 3), bytes!.subarray(-3)] }),
      }
      const { Consumer } = await import('../../src/consumer/index.ts')
      await using consumer = new Consumer(
        { bootstrapServers: world.broker.bootstrapServers, autoOffsetReset: 'earliest', key: nullable(words), value: words },
        world.runtime,
      )
      consumer.assign([T0])
      const [first, second] = [...(await consumer.poll({ timeoutMs: 5_000 }))]
      expect(Buffer.concat(first!.value.words).toString()).toBe('onetwo')
      expect(first!.value.words[0]!.buffer).toBe(second!.value.words[0]!.buffer)
      const { key, value } = first!.detach()
      expect(key).toBeNull()
      expect(Buffer.concat(value.words).toString()).toBe('onetwo')
      expect(value.words[0]!.buffer.byteLength).toBe('one two'.length)
    }))

  test('platformatic 8: with LogAppendTime the time of the broker counts', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['x'], { timestamp: () => 5, logAppendTimeMs: 77_000n })
      const consumer = world.consumer()
      consumer.assign([T0])
      const [record] = [...(await consumer.poll({ timeoutMs: 5_000 }))]
      expect([record?.timestamp, record?.timestampType]).toEqual([77_000, 'log-append'])
    }))

  test('records stay as they are while later responses arrive', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(400, 'value-'.padEnd(200, '.')), { perBatch: 10 })
      const consumer = world.consumer({ maxPartitionFetchBytes: 20_000 })
      consumer.assign([T0])
      const kept = []
      for await (const batch of consumer.batches()) {
        kept.push(batch)
        if (batch.nextOffset === 400n) break
      }
      expect(kept.length).toBeGreaterThan(3)
      expect(kept.flatMap(batch => Array.from(batch, record => record.value))).toEqual(numbered(400, 'value-'.padEnd(200, '.')))
    }))

  test.each(['gzip'] as const)('%s batches are read', codec =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(1_000), { perBatch: 100, codec })
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await take(consumer, 1_000)).toEqual(numbered(1_000))
    }),
  )
})

describe('damage', () => {
  test('a marker that claims to be zstd, and is none, is an error of the partition, not an unhandled rejection', async () => {
    const showZstd = hideZstd()
    const fresh = await import('../../src/consumer/fetched-data.ts')
    const builder = new BatchBuilder({ codec: 'none' })
    builder.append({ ...endTransactionMarker('abort', 1), timestamp: 1 })
    const marker = Buffer.from(await builder.finish({ isControl: true, isTransactional: true, producerId: 7n, producerEpoch: 0 }))
    marker[22]! |= 4
    let released = 0
    const frame = new fresh.SharedFrame(marker.length, { buffer: marker, release: () => released++ }, () => {})
    const settled = new Deferred<void>()
    const aborted = new AbortedTransactions([{ producerId: 7n, firstOffset: 0n }])
    const data = new fresh.FetchedData(marker, 0n, 1n, frame, { checkCrcs: false, maxBytes: 1 << 20 }, aborted, () =>
      settled.resolve(),
    )
    expect(data.take(10, 1 << 20)).toMatchObject({ records: 0, nextOffset: 0n })
    await settled.promise
    expect(data.error).toMatchObject({ code: 'ERR_CORRUPT_RECORD' })
    data.drop()
    await new Promise(setImmediate)
    expect(released).toBe(1)
    showZstd()
  })

  test('a response is not given back while a batch of it is being decompressed, even if nobody wants it any more', async () => {
    const builder = new BatchBuilder({ codec: 'gzip' })
    builder.append({ key: null, value: randomBytes(50_000), timestamp: 1 })
    const bytes = Buffer.from(await builder.finish({}))
    let released = 0
    const frame = new SharedFrame(bytes.length, { buffer: bytes, release: () => released++ }, () => {})
    const pool = new Deferred<void>()
    const offload: JobRunner = {
      async run(job) {
        await pool.promise
        return job.inline()
      },
    }
    const data = new FetchedData(bytes, 0n, 1n, frame, { checkCrcs: true, maxBytes: 1 << 20, offload }, undefined, () => {})
    expect(data.take(10, 1 << 20).records).toBe(0)
    data.drop()
    await new Promise(setImmediate)
    expect(released).toBe(0)
    pool.resolve()
    await new Promise(setImmediate)
    expect(released).toBe(1)
  })

  test('what is parked out of a response is read from memory of its own once that memory is given back', async () => {
    const batchOf = async (...values: string[]) => {
      const builder = new BatchBuilder({ codec: 'none' })
      for (const value of values) builder.append({ key: null, value: Buffer.from(value), timestamp: 1 })
      return Buffer.from(await builder.finish({}))
    }
    const [first, second] = [await batchOf('a', 'b'), await batchOf('c', 'd')]
    second.writeBigInt64BE(2n, 0)
    const bytes = Buffer.concat([first, second])
    let released = 0
    const frame = new SharedFrame(bytes.length, { buffer: bytes, release: () => released++ }, () => {})
    const data = new FetchedData(bytes, 0n, 4n, frame, { checkCrcs: true, maxBytes: 1 << 20 }, undefined, () => {})
    const values = () =>
      data
        .take(2, 1 << 20)
        .segments.flatMap(({ records, from, to }) =>
          Array.from({ length: to - from }, (_, i) => String(records.valueAt(from + i))),
        )
    expect(values()).toEqual(['a', 'b'])
    expect(data.canDetach).toBe(true)
    data.detach(() => {})
    expect(released).toBe(1)
    bytes.fill(0xee)
    expect(values()).toEqual(['c', 'd'])
  })

  test('a codec that is not installed: the error says where its records lie', async () => {
    const showZstd = hideZstd()
    vi.doMock('@bokuweb/zstd-wasm', () => {
      throw new Error('not installed')
    })
    const fresh = await import('./world.ts')
    await fresh.World.run({}, async world => {
      await write(world.broker, 't', 0, ['good'])
      const builder = new BatchBuilder({ codec: 'none' })
      builder.append({ key: null, value: Buffer.from('packed'), timestamp: 1 })
      const packed = Buffer.from(await builder.finish({}))
      packed[22]! |= 4
      packed.writeUInt32BE(crc32c(packed, 21), 17)
      await world.broker.appendRaw('t', 0, packed)
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await fresh.take(consumer, 1)).toEqual(['good'])
      await expect(consumer.poll({ timeoutMs: 5_000 })).rejects.toMatchObject({
        code: 'ERR_MISSING_CODEC',
        message: expect.stringMatching(/^t-0 at offset 1: zstd needs .*npm install @bokuweb\/zstd-wasm$/),
      })
    })
    vi.doUnmock('@bokuweb/zstd-wasm')
    showZstd()
  })

  const damaged = async (world: World, partition: number, value: string) => {
    const builder = new BatchBuilder({ codec: 'none' })
    builder.append({ key: null, value: Buffer.from(value), timestamp: 1 })
    const bytes = Buffer.from(await builder.finish({}))
    bytes[bytes.length - 2]! ^= 0xff
    await world.broker.appendRaw('t', partition, bytes)
  }

  test('platformatic 7: a wrong checksum is an error with place and way past it, after the good records', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['good'])
      await damaged(world, 0, 'damaged')
      await write(world.broker, 't', 0, ['behind'])
      const consumer = world.consumer()
      consumer.assign([T0])
      expect(await take(consumer, 1)).toEqual(['good'])
      const failed = await consumer.poll({ timeoutMs: 5_000 }).catch(error => error)
      expect(failed).toBeInstanceOf(CorruptRecordError)
      expect(failed.message).toMatch(/t-0.*offset 1.*seek/)
      expect(await consumer.position(T0)).toBe(1n)
      await expect(consumer.poll({ timeoutMs: 5_000 })).rejects.toThrow(CorruptRecordError)
      consumer.seek(T0, 2n)
      expect(await take(consumer, 1)).toEqual(['behind'])
    }))

  test('kafkats O: poison is reported at a decent pace, and other partitions go on', () =>
    World.run({ topics: { t: 2 } }, async world => {
      await damaged(world, 0, 'damaged')
      await write(world.broker, 't', 1, numbered(10), { perBatch: 1 })
      const fetches = world.count(Fetch)
      const consumer = world.consumer()
      consumer.assign([T0, T1])
      const values: string[] = []
      let errors = 0
      const end = world.now + 10_000
      while (world.now < end) {
        try {
          for (const record of await consumer.poll({ timeoutMs: 1_000, maxRecords: 1 })) values.push(record.value)
        } catch {
          errors++
        }
      }
      expect(values).toEqual(numbered(10))
      expect(errors).toBeGreaterThan(3)
      expect(fetches.count).toBeLessThan(80)
    }))

  test('checkCrcs: false delivers it', () =>
    World.run({}, async world => {
      await damaged(world, 0, 'damaged')
      const consumer = world.consumer({ checkCrcs: false })
      consumer.assign([T0])
      expect(await take(consumer, 1)).toHaveLength(1)
    }))
})
