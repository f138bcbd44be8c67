// The Java client on the other end: what it compresses we read, what we compress it reads, byte for byte.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokerIsAtLeast } from '../brokers/broker-under-test.ts'
import { jvmAvailable } from '../brokers/choice.ts'
import { JavaProcess } from '../java/java.ts'
import { cluster, pollUntil } from './cluster.ts'

interface JavaRecord {
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers: readonly (readonly [string, string | null])[]
}

const codecs = (
  [
    ['none', '0.8'],
    ['gzip', '0.8'],
    ['snappy', '0.8'],
    ['lz4', '0.10'],
    ['zstd', '2.1'],
  ] as const
).filter(([, since]) => brokerIsAtLeast(since))
const withHeaders = brokerIsAtLeast('0.11')
const base64 = (bytes: Uint8Array | string | null) => bytes && Buffer.from(bytes).toString('base64')

/** Keys and values of every kind, long enough for a codec to find something, over several batches. */
const records: readonly JavaRecord[] = Array.from({ length: 300 }, (_, i) => ({
  key: i % 7 === 0 ? null : base64(i % 11 === 0 ? '' : `key-${i % 50}`),
  value: i % 13 === 0 ? null : i % 17 === 0 ? '' : base64(`value ${i} ${'kafka '.repeat(i % 60)}`),
  timestamp: 1_700_000_000_000 + i,
  headers:
    withHeaders && i % 5 === 0
      ? [
          ['h', base64(`${i}`)],
          ['h', null],
          ['größe', ''],
        ]
      : [],
}))

describe.runIf(await jvmAvailable())('the Java client', () => {
  let java: JavaProcess
  // 4.x clients need brokers of 2.1 or newer; 2.8's still speaks to 0.10.
  beforeAll(async () => {
    java = await JavaProcess.start(brokerIsAtLeast('2.1') ? '4.4.0' : '2.8.2', 'Clients.java')
  })
  afterAll(() => java.close())

  test('a key goes to the partition where Java puts it', async () => {
    const { topic: create, producer, bootstrapServers } = await cluster()
    const topic = await create('java-partitions', 7)
    // Every length modulo 4, and bytes of both signs.
    const keys = Array.from({ length: 200 }, (_, i) =>
      Buffer.from(Array.from({ length: i % 37 }, (_, j) => (i * 31 + j * 97) & 0xff)),
    )
    const config = {
      'bootstrap.servers': bootstrapServers,
      ...(brokerIsAtLeast('0.11') ? {} : { 'enable.idempotence': 'false' }),
    }
    const { results } = await java.ask<{ results: { partition: number }[] }>({
      do: 'produce',
      config,
      topic,
      records: keys.map(key => ({ key: base64(key), value: '' })),
    })
    const ours = await producer().send(keys.map(key => ({ topic, key, value: null })))
    const theirs = results.map(({ partition }) => partition)
    expect(ours.map(({ partition }) => partition)).toEqual(theirs)
    expect(new Set(theirs).size).toBe(7)
  })

  for (const [compression] of codecs) {
    test(`${compression}: written by Java, read by us`, async () => {
      const { topic: create, consumer: consume, bootstrapServers } = await cluster()
      const topic = await create(`java-${compression}`)
      const config = {
        'bootstrap.servers': bootstrapServers,
        'compression.type': compression,
        'linger.ms': '50',
        ...(brokerIsAtLeast('0.11') ? {} : { 'enable.idempotence': 'false' }),
      }
      await java.ask({ do: 'produce', config, topic, partition: 0, records })
      const consumer = consume()
      consumer.assign([{ topic, partition: 0 }])
      const read = await pollUntil(
        consumer,
        ({ key, value, timestamp, headers }) => ({
          key: base64(key),
          value: base64(value),
          timestamp,
          headers: headers.map(header => [header.key, base64(header.value)]),
        }),
        taken => taken.length >= records.length,
      )
      expect(read).toEqual(records)
    })

    test(`${compression}: written by us, read by Java`, async () => {
      const { topic: create, producer, bootstrapServers } = await cluster()
      const topic = await create(`ours-${compression}`)
      const decode = (text: string | null) => (text === null ? null : Buffer.from(text, 'base64'))
      await producer({ compression, lingerMs: 20 }).send(
        records.map(({ key, value, timestamp, headers }) => ({
          topic,
          partition: 0,
          key: decode(key),
          value: decode(value),
          timestamp,
          headers: headers.map(([name, bytes]) => ({ key: name, value: decode(bytes) })),
        })),
      )
      const config = { 'bootstrap.servers': bootstrapServers, 'check.crcs': 'true' }
      const answer = await java.ask<{ records: (JavaRecord & { offset: number })[] }>({
        do: 'consume',
        config,
        topic,
        partition: 0,
        count: records.length,
      })
      expect(answer.records.map(({ offset, ...record }) => record)).toEqual(records)
      expect(answer.records.map(({ offset }) => offset)).toEqual(records.map((_, i) => i))
    })
  }

  test.runIf(brokerIsAtLeast('0.11'))(
    'a transaction that Java aborted is not read with read_committed, and is without',
    async () => {
      const { topic: create, consumer: consume, bootstrapServers } = await cluster()
      const topic = await create('java-transactions')
      const config = { 'bootstrap.servers': bootstrapServers, 'transactional.id': topic }
      const write = (value: string, transaction: 'commit' | 'abort') =>
        java.ask({ do: 'produce', config, topic, partition: 0, transaction, records: [{ key: null, value: base64(value) }] })
      await write('first', 'commit')
      await write('aborted', 'abort')
      await write('last', 'commit')
      const valuesOf = async (isolationLevel: 'read_committed' | 'read_uncommitted', count: number) => {
        const consumer = consume({ isolationLevel })
        consumer.assign([{ topic, partition: 0 }])
        return pollUntil(
          consumer,
          record => String(record.value),
          taken => taken.length >= count,
        )
      }
      expect(await valuesOf('read_committed', 2)).toEqual(['first', 'last'])
      expect(await valuesOf('read_uncommitted', 3)).toEqual(['first', 'aborted', 'last'])
    },
  )

  test('offsets committed by one are found by the other, with their metadata', async () => {
    const { topic: create, consumer: consume, bootstrapServers } = await cluster()
    const topic = await create('shared-commits')
    const at = { topic, partition: 0 }
    const config = { 'bootstrap.servers': bootstrapServers, 'group.id': `${topic}-group` }
    const consumer = consume({ groupId: `${topic}-group`, enableAutoCommit: false })
    consumer.assign([at])
    await consumer.commit([[at, { offset: 3n, metadata: 'ours' }]])
    expect(await java.ask({ do: 'committed', config, ...at })).toEqual({ offset: 3, metadata: 'ours' })
    await java.ask({ do: 'commit', config, ...at, offset: 5, metadata: "Java's" })
    expect((await consumer.committed([at])).get(at)).toMatchObject({ offset: 5n, metadata: "Java's" })
  })
})
