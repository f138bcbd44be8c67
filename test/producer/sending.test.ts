import { describe, expect, test } from 'vitest'
import { PartialFailureError } from '../../src/errors.ts'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { Metadata } from '../../src/protocol/apis/03-metadata.ts'
import { compress } from '../../src/protocol/compression/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { encodedBatches } from '../../src/protocol/records/index.ts'
import { bytes, nullable, string } from '../../src/serde/index.ts'
import { numbered, upTo, values, World } from './fixture.ts'

/** Counts the Produce requests that reach the broker. */
const countRequests = (world: World) => {
  const counter = { requests: 0, batches: 0 }
  world.broker.intercept(Produce, ({ topicData }) => {
    counter.requests++
    counter.batches += topicData.reduce((sum, topic) => sum + topic.partitionData.length, 0)
    return 'pass'
  })
  return counter
}

test('one record: where it went, and what was stored', () =>
  World.run({ topics: { orders: 6 } }, async world => {
    const producer = world.producer()
    const metadata = await producer.send({ topic: 'orders', key: 'foobar', value: 'v', timestamp: 1234 })
    // murmur2('foobar') = -790332482
    expect(metadata.partition).toBe((-790332482 & 0x7fffffff) % 6)
    expect(metadata).toMatchObject({ topic: 'orders', offset: 0n, timestamp: 1234 })
    expect(JSON.stringify(metadata)).toBe(`{"topic":"orders","partition":${metadata.partition},"offset":"0","timestamp":1234}`)
    expect(await world.stored('orders', metadata.partition)).toEqual([{ offset: 0n, key: 'foobar', value: 'v' }])
  }))

test('a record whose value was misspelt is refused, not written as a tombstone', () =>
  World.run({ topics: { orders: 1 } }, async world => {
    const producer = world.producer()
    const misspelt = { topic: 'orders', val: 'v' } as unknown as { topic: string; value: string }
    await expect(producer.send(misspelt)).rejects.toThrow('no value, only topic, val')
    expect(await world.stored('orders', 0)).toEqual([])
  }))

test('many records: one promise, results in the order of the argument', () =>
  World.run({ topics: { t: 3 } }, async world => {
    const producer = world.producer()
    const records = Array.from({ length: 100 }, (_, i) => ({ topic: 't', key: `k${i}`, value: String(i) }))
    const results = await producer.send(records)
    expect(results).toHaveLength(100)
    const stored = await Promise.all([0, 1, 2].map(partition => world.stored('t', partition)))
    results.forEach(({ partition, offset }, i) => {
      expect(stored[partition]!.find(record => record.offset === offset)?.value).toBe(String(i))
    })
    expect(await producer.send([])).toEqual([])
  }))

describe('R13: concurrent sends of an idempotent producer', () => {
  test.each([1, 20, 1_000, 10_000])('%i at once get as many distinct offsets, in order', count =>
    World.run({}, async world => {
      const producer = world.producer()
      const results = await Promise.all(numbered(count).map(record => producer.send(record)))
      expect(results.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, i) => BigInt(i)))
      expect(values(await world.stored())).toEqual(upTo(count))
    }),
  )
})

test('P1: a thousand concurrent sends are a few requests', () =>
  World.run({ topics: { t: 6 } }, async world => {
    const counter = countRequests(world)
    const producer = world.producer()
    await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => producer.send({ topic: 't', key: String(i), value: 'x'.repeat(100) })),
    )
    expect(counter.requests).toBeLessThanOrEqual(10)
    expect(counter.batches).toBeLessThanOrEqual(30)
  }))

test('a large array becomes batches of batchSize, not one', () =>
  World.run({}, async world => {
    const sizes: number[] = []
    world.broker.intercept(Produce, ({ topicData }) => {
      for (const topic of topicData) for (const { records } of topic.partitionData) sizes.push(records!.length)
      return 'pass'
    })
    const producer = world.producer({ batchSize: 4_000 })
    await producer.send(Array.from({ length: 1_000 }, () => ({ topic: 't', value: 'x'.repeat(100) })))
    expect(Math.max(...sizes)).toBeLessThanOrEqual(4_000)
    expect(sizes.length).toBeLessThan(40)
  }))

describe('linger', () => {
  test('records of a few milliseconds share a batch', () =>
    World.run({}, async world => {
      const counter = countRequests(world)
      const producer = world.producer({ lingerMs: 50 })
      await producer.send({ topic: 't', value: 'first' })
      const start = world.runtime.clock.monotonic()
      const sends = [producer.send({ topic: 't', value: 'a' })]
      await world.pass(20)
      sends.push(producer.send({ topic: 't', value: 'b' }))
      await Promise.all(sends)
      expect(world.runtime.clock.monotonic() - start).toBeGreaterThanOrEqual(50)
      expect(counter.requests).toBe(2)
    }))

  test('a full batch does not wait, a flush ends all waiting', () =>
    World.run({}, async world => {
      const producer = world.producer({ lingerMs: 10_000, batchSize: 1_000 })
      const { clock } = world.runtime
      const full = producer.send({ topic: 't', value: 'x'.repeat(990) })
      await full
      const lingering = producer.send({ topic: 't', value: 'y' })
      await producer.flush()
      await lingering
      expect(clock.monotonic()).toBeLessThan(5_000)
    }))

  test('flush waits for records whose topic is not known yet', () =>
    World.run({ topics: {} }, async world => {
      const producer = world.producer({ lingerMs: 10_000 })
      let settled = false
      const sent = producer.send({ topic: 'made-on-demand', value: 'x' }).then(() => {
        settled = true
      })
      await producer.flush()
      await Promise.resolve()
      await sent
      expect(settled).toBe(true)
      expect(world.runtime.clock.monotonic()).toBeLessThan(5_000)
    }))
})

describe('what is refused before it is sent', () => {
  test('a record larger than maxRequestSize, an unreadable value, a wrong partition: that record only', () =>
    World.run({}, async world => {
      const producer = world.producer({ maxRequestSize: 10_000 })
      const error = await producer
        .send([
          { topic: 't', value: 'fine' },
          { topic: 't', value: 'x'.repeat(10_000) },
          { topic: 't', value: null as unknown as string },
          { topic: 't', value: 'far', partition: 7 },
          { topic: 't', value: 'odd', partition: -1 },
          { topic: 't', value: 'late', timestamp: -5 },
          { topic: 't', value: 'fine too' },
        ])
        .catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(PartialFailureError)
      const { results } = error as PartialFailureError
      expect(results).toMatchObject([
        { status: 'fulfilled', value: { offset: 0n } },
        { reason: { code: 'ERR_RECORD_TOO_LARGE', message: expect.stringContaining('maxRequestSize') } },
        { reason: { code: 'ERR_SERIALIZATION', message: expect.stringContaining('nullable(string)') } },
        { reason: { code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining('partitions 0 to 0') } },
        { reason: { code: 'ERR_INVALID_ARGUMENT' } },
        { reason: { code: 'ERR_INVALID_ARGUMENT' } },
        { status: 'fulfilled', value: { offset: 1n } },
      ])
      expect(values(await world.stored())).toEqual(['fine', 'fine too'])
      await expect(producer.send({ topic: 't', value: 'x'.repeat(10_000) })).rejects.toMatchObject({
        code: 'ERR_RECORD_TOO_LARGE',
      })
    }))

  test('a topic that does not exist and may not be created', () =>
    World.run({ autoCreateTopics: false }, async world => {
      const producer = world.producer()
      await expect(producer.send({ topic: 'nowhere', value: 'x' })).rejects.toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION' })
      world.broker.createTopic('nowhere', 1)
      await producer.send({ topic: 'nowhere', value: 'x' })
    }))
})

test('R30: null and empty keys, values and headers, in order and with duplicates; an empty key is hashed', () =>
  World.run({ topics: { t: 7 } }, async world => {
    const producer = world.producer({ key: string, value: nullable(string) as never })
    const empty = await producer.send({ topic: 't', key: '', value: '' })
    // murmur2('') = 275646681
    expect(empty.partition).toBe(275646681 % 7)
    const none = await producer.send({ topic: 't', key: null, value: null as never, partition: 1 })
    expect(await world.stored('t', empty.partition)).toMatchObject([{ key: '', value: '' }])
    expect(await world.stored('t', none.partition)).toMatchObject([{ key: null, value: null }])
    const captured: string[] = []
    world.broker.intercept(Produce, ({ topicData }) => {
      captured.push(Buffer.from(topicData[0]!.partitionData[0]!.records!).toString('latin1'))
      return 'pass'
    })
    await producer.send({
      topic: 't',
      value: 'v',
      headers: [
        { key: 'h', value: 'one' },
        { key: 'h', value: null },
        { key: 'g', value: Buffer.from([0xff]) },
      ],
    })
    await producer.send({ topic: 't', value: 'v', headers: { h: ['one', null], g: new Uint8Array([0xff]) } })
    const records = captured.map(batch => batch.slice(61))
    expect(records[0]).toContain('\x02h\x06one\x02h\x01\x02g\x02\xff')
    expect(records[1]!.slice(2)).toBe(records[0]!.slice(2))
  }))

test('custom partitioners see bytes and topic; a wrong answer is that record’s error', () =>
  World.run({ topics: { t: 3 } }, async world => {
    const producer = world.producer({
      value: bytes as never,
      partitioner: ({ value }, { partitionCount }) => (value![0] === 0xff ? 99 : value![0]! % partitionCount),
    })
    const to = (byte: number) => producer.send({ topic: 't', value: Uint8Array.of(byte) as never })
    expect((await to(5)).partition).toBe(2)
    await expect(to(0xff)).rejects.toThrow('the partitioner chose 99')
    const late = world.producer({ partitioner: (() => Promise.reject(new Error('no shards'))) as never })
    await expect(late.send({ topic: 't', value: 'v' })).rejects.toThrow('the partitioner chose [object Promise]')
  }))

test('records without a key fill one partition’s batch, then another’s, and reach all of them evenly', () =>
  World.run({ topics: { t: 4 } }, async world => {
    const producer = world.producer({ batchSize: 2_000 })
    const results = await producer.send(Array.from({ length: 8_000 }, () => ({ topic: 't', value: 'x'.repeat(60) })))
    const counts = [0, 0, 0, 0]
    let switches = 0
    results.forEach(({ partition }, i) => {
      counts[partition]!++
      if (i > 0 && results[i - 1]!.partition !== partition) switches++
    })
    for (const count of counts) expect(count).toBeGreaterThan(1_500)
    expect(switches).toBeLessThan(8_000 / 15)
  }))

describe('compression', () => {
  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s: smaller on the wire, the same in the log', async codec => {
    // Loading a codec takes real time, which a simulation does not wait for.
    await compress(codec, Buffer.from('x'), undefined, undefined)
    await World.run({}, async world => {
      let size = 0
      world.broker.intercept(Produce, ({ topicData }) => {
        size += topicData[0]!.partitionData[0]!.records!.length
        return 'pass'
      })
      const producer = world.producer({ compression: codec })
      await producer.send(numbered(2_000).map(record => ({ ...record, key: 'the same key in each of them' })))
      expect(size).toBeLessThan(40_000)
      expect(values(await world.stored())).toEqual(upTo(2_000))
    })
  })
})

describe('acks', () => {
  test('1: acknowledged by the leader, without sequence numbers', () =>
    World.run({}, async world => {
      const seen: number[] = []
      world.broker.intercept(Produce, ({ acks }) => {
        seen.push(acks)
        return 'pass'
      })
      const producer = world.producer({ acks: 1 })
      expect((await producer.send({ topic: 't', value: 'x' })).offset).toBe(0n)
      expect(seen).toEqual([1])
    }))
  test('0: done when it left, at an offset nobody tells', () =>
    World.run({}, async world => {
      const producer = world.producer({ acks: 0 })
      expect((await producer.send(numbered(3))).map(({ offset }) => offset)).toEqual([-1n, -1n, -1n])
      await world.pass(10)
      expect(world.broker.partition('t', 0).endOffset).toBe(3n)
    }))
})

describe('backpressure', () => {
  /** Holds answers back until told otherwise. */
  const hold = (world: World) => {
    let release = () => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    world.broker.intercept(Produce, async (_, context) => {
      await gate
      return context.next() as never
    })
    return () => release()
  }
  const kilobyte = { topic: 't', value: 'x'.repeat(1_000) }
  const small = { bufferMemory: 65_536, maxRequestSize: 20_000 }

  test('send waits for room, in order, and none is lost', () =>
    World.run({}, async world => {
      const producer = world.producer(small)
      const results = producer.send(Array.from({ length: 500 }, (_, i) => ({ ...kilobyte, value: `${i} `.padEnd(1_000) })))
      await world.pass(0)
      expect(producer.bufferedBytes).toBeGreaterThan(65_536)
      await results
      expect(values(await world.stored()).map(value => value.trim())).toEqual(upTo(500))
      expect(producer.bufferedBytes).toBe(0)
    }))

  test('send fails after maxBlockMs without room, and says what to do', () =>
    World.run({}, async world => {
      const release = hold(world)
      const producer = world.producer({ ...small, maxBlockMs: 500 })
      await producer.connect()
      const sent = producer.send(Array.from({ length: 100 }, () => kilobyte)).catch((reason: unknown) => reason)
      await world.pass(600)
      release()
      const error = await sent
      expect(error).toBeInstanceOf(PartialFailureError)
      expect((error as PartialFailureError).cause).toMatchObject({
        code: 'ERR_TIMEOUT',
        outcome: 'not-sent',
        message: expect.stringContaining('bufferMemory'),
      })
    }))

  test('enqueue answers false before the buffer is full, throws beyond it, and goes on after drained()', () =>
    World.run({}, async world => {
      const producer = world.producer(small)
      await producer.send(kilobyte)
      let accepted = 1
      while (producer.enqueue(kilobyte)) accepted++
      expect(accepted * 1_000).toBeLessThan(65_536)
      expect(() => {
        for (;;) producer.enqueue(kilobyte)
      }).toThrow(expect.objectContaining({ code: 'ERR_BUFFER_FULL' }))
      await producer.drained()
      expect(producer.bufferedBytes).toBeLessThanOrEqual(65_536 / 2)
      expect(producer.enqueue(kilobyte)).toBe(true)
      await producer.flush()
      expect(producer.bufferedBytes).toBe(0)
    }))

  test('an enqueued record that cannot be delivered reaches onError, or one logged line', () =>
    World.run({}, async world => {
      world.broker.intercept(Produce, ({ topicData }) => ({
        responses: topicData.map(({ name, topicId, partitionData }) => ({
          name,
          topicId,
          partitionResponses: partitionData.map(({ index }) => ({
            index,
            errorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED,
            baseOffset: -1n,
            recordErrors: [],
          })),
        })),
      }))
      const lost: unknown[] = []
      const producer = world.producer({
        onError: (error, failed) => lost.push([(error as Error & { error: string }).error, failed]),
      })
      producer.enqueue({ topic: 't', value: 'x' })
      producer.enqueue({ topic: 't', value: 'y' })
      await producer.flush()
      expect(lost).toEqual([['TOPIC_AUTHORIZATION_FAILED', { topic: 't', partition: 0, records: 2 }]])
      const silent = world.producer()
      silent.enqueue({ topic: 't', value: 'x' })
      await silent.flush()
      expect(world.warnings).toEqual([expect.stringContaining('enqueued records were lost')])
    }))
})

test('a topic that is not written to any more is not asked about for ever, and goes on where it was', () =>
  World.run({}, async world => {
    const producer = world.producer({ metadataMaxAgeMs: 10_000, metadataMaxIdleMs: 60_000 })
    await producer.send(numbered(3))
    let asked = 0
    world.broker.intercept(Metadata, ({ topics }) => {
      if (topics?.some(({ name }) => name === 't')) asked++
      return 'pass'
    })
    await world.pass(300_000)
    expect(asked).toBeLessThan(20)
    const before = asked
    await world.pass(300_000)
    expect(asked).toBe(before)
    // The same sequence numbers again would be taken for a repetition.
    expect((await producer.send(numbered(3))).map(({ offset }) => offset)).toEqual([3n, 4n, 5n])
    expect(values(await world.stored())).toEqual([...upTo(3), ...upTo(3)])
  }))

describe('a serde of the user’s own', () => {
  const wrong: readonly [string, unknown][] = [
    ['a text', 'text'],
    ['nothing', undefined],
    ['a promise', Promise.resolve(Buffer.from('late'))],
    ['a promise that fails', () => Promise.reject(new Error('registry down'))],
    ['an ArrayBuffer', new ArrayBuffer(4)],
    ['wider numbers', new Uint16Array([300, 400])],
    ['a list', [1, 2]],
  ]
  test.each(wrong)('that gives %s fails its record, and no other one', (_, given) =>
    World.run({}, async world => {
      const value = {
        serialize: (text: string) => (text !== 'BAD' ? Buffer.from(text) : typeof given === 'function' ? given() : given),
        deserialize: String,
      } as never
      const producer = world.producer({ value, lingerMs: 0, deliveryTimeoutMs: 40_000 })
      const send = (text: string) => producer.send({ topic: 't', partition: 0, value: text })
      // At first the topic is not known yet, and the records are parked.
      const first = await Promise.allSettled(['good1', 'good2', 'BAD', 'good3'].map(send))
      expect(first.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
      expect(first[2]).toMatchObject({ reason: { code: 'ERR_SERIALIZATION' } })
      expect(String((first[2] as PromiseRejectedResult).reason)).toMatch(
        /the serde of the value gave .* for t, where a Uint8Array/,
      )
      await expect(send('BAD')).rejects.toMatchObject({ code: 'ERR_SERIALIZATION' })
      await send('good4')
      await producer.flush()
      expect(producer.bufferedBytes).toBe(0)
      expect(values(await world.stored())).toEqual(['good1', 'good2', 'good3', 'good4'])
    }),
  )
})

test('the bytes of a record are those it had when it was sent, whatever becomes of them afterwards', () =>
  World.run({}, async world => {
    const producer = world.producer({
      key: bytes,
      value: bytes,
      batchSize: 4_000,
      bufferMemory: 65_536,
      maxRequestSize: 60_000,
    } as never)
    const buffer = Buffer.alloc(2_000)
    const header = Buffer.alloc(1)
    const headers: number[] = []
    world.broker.intercept(Produce, async ({ topicData }) => {
      for (const batch of encodedBatches(Buffer.from(topicData[0]!.partitionData[0]!.records!))) {
        const opened = await batch.open({ checkCrcs: true, maxBytes: 1 << 20 })
        for (let i = 0; i < opened.length; i++) headers.push(opened.headersAt(i)[0]!.value![0]!)
      }
      return 'pass' as const
    })
    // The topic is not known yet, and later the buffer is full: records wait outside of batches.
    const sent = Array.from({ length: 100 }, (_, i) =>
      producer.send({ topic: 't', partition: 0, value: buffer.fill(i), headers: { h: header.fill(i) } } as never),
    )
    buffer.fill(0xff)
    header.fill(0xff)
    await Promise.all(sent)
    expect(headers).toEqual(Array.from({ length: 100 }, (_, i) => i))
    const stored = await world.stored()
    expect(stored.map(({ value }) => value)).toEqual(Array.from({ length: 100 }, (_, i) => Buffer.alloc(2_000, i).toString()))
  }))

test.each([null, 5n, '5', 1.5, -1, Number.NaN, {}, new Date(Number.NaN)])('the timestamp %s is refused by name', timestamp =>
  World.run({}, async world => {
    const sent = world.producer().send({ topic: 't', value: 'v', timestamp: timestamp as never })
    await expect(sent).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: expect.stringMatching(/^the timestamp .* is not/),
    })
    expect(await world.stored()).toEqual([])
  }),
)
