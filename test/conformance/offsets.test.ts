import { describe, expect, test } from 'vitest'
import { cluster, pollUntil } from './cluster.ts'

const base = 1_700_000_000_000

describe('offsets of a partition', () => {
  test('beginning, end, by time, and seeking to each', async () => {
    const { topic: create, producer, consumer: consume } = await cluster()
    const topic = await create('offsets', 2)
    const at = { topic, partition: 0 }
    // Ten records a second apart, each a batch of its own: 0.10 finds times by its index of batches.
    const written = producer({ lingerMs: 0 })
    for (let i = 0; i < 10; i++) await written.send({ ...at, value: Buffer.from(`v${i}`), timestamp: base + i * 1_000 })
    const consumer = consume()
    consumer.assign([at])
    expect((await consumer.beginningOffsets([at])).get(at)).toBe(0n)
    expect((await consumer.endOffsets([at, { topic, partition: 1 }])).get(topic, 1)).toBe(0n)
    expect((await consumer.endOffsets([at])).get(at)).toBe(10n)
    const found = await consumer.offsetsForTimes([
      [at, base + 2_500],
      [{ topic, partition: 1 }, base],
    ])
    expect(found.get(at)).toMatchObject({ offset: 3n, timestamp: base + 3_000 })
    expect(found.get(topic, 1)).toBeNull()
    expect((await consumer.offsetsForTimes([[at, base + 60_000]])).get(at)).toBeNull()

    consumer.seek(at, 7n)
    expect(await consumer.position(at)).toBe(7n)
    const tail = await pollUntil(
      consumer,
      record => String(record.value),
      taken => taken.length >= 3,
    )
    expect(tail).toEqual(['v7', 'v8', 'v9'])
    expect(await consumer.position(at)).toBe(10n)
    consumer.seekToBeginning([at])
    expect(await consumer.position(at)).toBe(0n)
    const [first] = await pollUntil(
      consumer,
      record => String(record.value),
      taken => taken.length >= 10,
    )
    expect(first).toBe('v0')
    consumer.seekToEnd([at])
    expect(await consumer.position(at)).toBe(10n)
  })

  test('a paused partition hands out nothing, and goes on where it was', async () => {
    const { topic: create, producer, consumer: consume } = await cluster()
    const topic = await create('paused', 2)
    const partitions = [0, 1].map(partition => ({ topic, partition }))
    await producer().send(partitions.flatMap(at => [0, 1, 2].map(i => ({ ...at, value: Buffer.from(`${at.partition}:${i}`) }))))
    const consumer = consume()
    consumer.assign(partitions)
    consumer.pause([partitions[1]!])
    const first = await pollUntil(
      consumer,
      record => String(record.value),
      taken => taken.length >= 3,
    )
    expect(first).toEqual(['0:0', '0:1', '0:2'])
    expect((await consumer.poll({ timeoutMs: 300 })).length).toBe(0)
    consumer.resume([partitions[1]!])
    const second = await pollUntil(
      consumer,
      record => String(record.value),
      taken => taken.length >= 3,
    )
    expect(second).toEqual(['1:0', '1:1', '1:2'])
  })

  test("where nothing is committed, autoOffsetReset 'latest' reads only what comes later", async () => {
    const { topic: create, producer: produce, consumer: consume } = await cluster()
    const topic = await create('latest')
    const producer = produce()
    await producer.send({ topic, value: Buffer.from('early') })
    const consumer = consume({ autoOffsetReset: 'latest' })
    consumer.assign([{ topic, partition: 0 }])
    expect(await consumer.position({ topic, partition: 0 })).toBe(1n)
    await producer.send({ topic, value: Buffer.from('late') })
    const read = await pollUntil(
      consumer,
      record => String(record.value),
      taken => taken.length > 0,
    )
    expect(read).toEqual(['late'])
  })

  test("autoOffsetReset 'none' says that there is no offset", async () => {
    const { topic: create, consumer: consume } = await cluster()
    const topic = await create('none')
    const consumer = consume({ autoOffsetReset: 'none', groupId: `${topic}-group` })
    consumer.assign([{ topic, partition: 0 }])
    await expect(consumer.poll({ timeoutMs: 10_000 })).rejects.toMatchObject({ code: 'ERR_NO_OFFSET' })
  })
})
