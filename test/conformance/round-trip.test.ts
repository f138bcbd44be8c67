import { describe, expect, test } from 'vitest'
import { json, string } from '../../src/serde/index.ts'
import { brokerIsAtLeast } from '../brokers/broker-under-test.ts'
import { cluster, pollUntil } from './cluster.ts'

const bytesOf = (text: string) => Buffer.from(text)

describe('what is written is what is read', () => {
  test('keys and values: bytes, empty and null differ', async () => {
    const { topic: create, producer: produce, consumer: consume } = await cluster()
    const topic = await create('round-trip')
    const binary = Buffer.from([0, 0xff, 0xc3, 0x28, 0x80])
    const written = [
      { key: bytesOf('key'), value: bytesOf('value') },
      { key: null, value: bytesOf('no key') },
      { key: bytesOf(''), value: bytesOf('empty key') },
      { key: bytesOf('tombstone'), value: null },
      { key: bytesOf('empty value'), value: bytesOf('') },
      { key: null, value: null },
      { key: binary, value: binary },
    ]
    const results = await produce().send(written.map(record => ({ topic, partition: 0, ...record })))
    expect(results.map(({ partition, offset }) => ({ partition, offset }))).toEqual(
      written.map((_, i) => ({ partition: 0, offset: BigInt(i) })),
    )
    const consumer = consume()
    consumer.assign([{ topic, partition: 0 }])
    const read = await pollUntil(
      consumer,
      ({ key, value, offset }) => ({ key: copy(key), value: copy(value), offset }),
      taken => taken.length >= written.length,
    )
    expect(read).toEqual(written.map(({ key, value }, i) => ({ key: copy(key), value: copy(value), offset: BigInt(i) })))
  })

  test.runIf(brokerIsAtLeast('0.11'))('headers keep order, duplicates, empty and null values', async () => {
    const { topic: create, producer, consumer: consume } = await cluster()
    const topic = await create('headers')
    const headers = [
      { key: 'trace', value: bytesOf('1') },
      { key: 'trace', value: bytesOf('2') },
      { key: 'empty', value: bytesOf('') },
      { key: 'null', value: null },
      { key: '', value: bytesOf('no name') },
      { key: 'größe', value: Buffer.from([0xff, 0]) },
    ]
    await producer().send({ topic, value: bytesOf('v'), headers })
    const consumer = consume()
    consumer.assign([{ topic, partition: 0 }])
    const [read] = await pollUntil(
      consumer,
      record => record.headers.map(({ key, value }) => ({ key, value: copy(value) })),
      taken => taken.length > 0,
    )
    expect(read).toEqual(headers.map(({ key, value }) => ({ key, value: copy(value) })))
  })

  test('timestamps are kept, and made where none is given', async () => {
    const { topic: create, producer: produce, consumer: consume } = await cluster()
    const topic = await create('timestamps')
    const producer = produce()
    const before = Date.now()
    await producer.send({ topic, value: bytesOf('given'), timestamp: 1_600_000_000_123 })
    await producer.send({ topic, value: bytesOf('made') })
    const consumer = consume()
    consumer.assign([{ topic, partition: 0 }])
    const read = await pollUntil(
      consumer,
      ({ timestamp, timestampType }) => ({ timestamp, timestampType }),
      taken => taken.length >= 2,
    )
    expect(read[0]).toEqual({ timestamp: 1_600_000_000_123, timestampType: 'create' })
    expect(read[1]!.timestamp).toBeGreaterThanOrEqual(before)
    expect(read[1]!.timestamp).toBeLessThanOrEqual(Date.now())
  })

  test('a topic with LogAppendTime has the time of the broker', async () => {
    const { topic: create, producer, consumer: consume } = await cluster()
    const topic = await create('append-time', 1, { 'message.timestamp.type': 'LogAppendTime' })
    await producer().send({ topic, value: bytesOf('v'), timestamp: 1_000_000 })
    const consumer = consume()
    consumer.assign([{ topic, partition: 0 }])
    const [read] = await pollUntil(
      consumer,
      ({ timestamp, timestampType }) => ({ timestamp, timestampType }),
      taken => taken.length > 0,
    )
    expect(read!.timestampType).toBe('log-append')
    expect(Math.abs(read!.timestamp - Date.now())).toBeLessThan(60_000)
  })

  test('a record of 1 MB', async () => {
    const { topic: create, producer, consumer: consume } = await cluster()
    const topic = await create('large')
    const value = Buffer.alloc(1_000_000)
    for (let i = 0; i < value.length; i++) value[i] = (i * 31 + (i >> 8)) & 0xff
    await producer().send({ topic, key: bytesOf('large'), value })
    const consumer = consume({ maxPartitionFetchBytes: 1_024 }) // the first batch comes whole even if it is larger (KIP-74)
    consumer.assign([{ topic, partition: 0 }])
    const [read] = await pollUntil(
      consumer,
      record => copy(record.value),
      taken => taken.length > 0,
    )
    expect(Buffer.compare(read!, value)).toBe(0)
  })

  test('strings and JSON through serdes', async () => {
    const { topic: create, producer, consumer: consume } = await cluster()
    const topic = await create('serdes')
    const order = { id: 'o-1', amount: 5, tags: ['grün', '日本'] }
    await producer({ key: string, value: json() }).send({
      topic,
      key: order.id,
      value: order,
    })
    const consumer = consume({ key: string, value: json() })
    consumer.assign([{ topic, partition: 0 }])
    const [read] = await pollUntil(
      consumer,
      ({ key, value }) => ({ key, value }),
      taken => taken.length > 0,
    )
    expect(read).toEqual({ key: 'o-1', value: order })
  })
})

describe('compression', () => {
  const codecs = [
    ['gzip', '0.8'],
    ['snappy', '0.8'],
    ['lz4', '0.10'],
    ['zstd', '2.1'],
  ] as const
  for (const [compression, since] of codecs) {
    test.runIf(brokerIsAtLeast(since))(`${compression}: written by us, read by us`, async () => {
      const { topic: create, producer, consumer: consume } = await cluster()
      const topic = await create(`ours-${compression}`)
      const values = Array.from({ length: 500 }, (_, i) => `value ${i} `.repeat(20))
      await producer({ compression, lingerMs: 20 }).send(values.map(value => ({ topic, partition: 0, value: bytesOf(value) })))
      const consumer = consume()
      consumer.assign([{ topic, partition: 0 }])
      const read = await pollUntil(
        consumer,
        record => String(record.value),
        taken => taken.length >= values.length,
      )
      expect(read).toEqual(values)
    })
  }
})

describe('volume', () => {
  test('100,000 records over 3 partitions come back complete and in order', async () => {
    const { topic: create, producer: produce, consumer: consume } = await cluster()
    const topic = await create('volume', 3)
    const total = 100_000
    const producer = produce({ lingerMs: 5, batchSize: 65_536 })
    for (let from = 0; from < total; from += 10_000)
      await producer.send(
        Array.from({ length: 10_000 }, (_, i) => ({
          topic,
          key: bytesOf(`k${(from + i) % 997}`),
          value: bytesOf(String(from + i)),
        })),
      )
    const consumer = consume()
    consumer.assign([0, 1, 2].map(partition => ({ topic, partition })))
    const seen = new Uint8Array(total)
    const nextOffset = [0n, 0n, 0n]
    const lastOfKey = new Map<string, number>()
    let count = 0
    for await (const batch of consumer.batches()) {
      for (const record of batch) {
        const number = Number(String(record.value))
        seen[number]!++
        expect(record.offset).toBe(nextOffset[record.partition]!)
        nextOffset[record.partition]!++
        const key = String(record.key)
        expect(number).toBeGreaterThan(lastOfKey.get(key) ?? -1)
        lastOfKey.set(key, number)
        count++
      }
      if (count >= total) break
    }
    expect(count).toBe(total)
    expect(seen.every(times => times === 1)).toBe(true)
  })
})

/** Compares as plain bytes, whatever they are views of. */
function copy(bytes: Uint8Array | null): Uint8Array | null {
  return bytes && new Uint8Array(bytes)
}
