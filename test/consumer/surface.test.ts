import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { startBroker } from '../../src/broker/index.ts'
import { Client } from '../../src/client/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { parseConsumerOptions } from '../../src/consumer/options.ts'
import { DeserializationError } from '../../src/errors.ts'
import { JoinGroup } from '../../src/protocol/apis/11-join-group.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { json, type Serde, string } from '../../src/serde/index.ts'
import { Fetch, T0, T1, take, World } from './world.ts'
import { numbered, write } from './written.ts'

describe('options', () => {
  const parse = (options: object) => parseConsumerOptions({ bootstrapServers: 'localhost:9092', ...options }).own

  test("defaults are Java's; auto-commit needs a group", () => {
    expect(parse({})).toMatchObject({
      autoOffsetReset: 'latest',
      enableAutoCommit: false,
      maxPollRecords: 500,
      maxPollIntervalMs: 300_000,
      sessionTimeoutMs: 45_000,
      heartbeatIntervalMs: 3_000,
      fetchMinBytes: 1,
      fetchMaxWaitMs: 500,
      fetchMaxBytes: 52_428_800,
      maxPartitionFetchBytes: 1_048_576,
      checkCrcs: true,
      isolationLevel: 'read_uncommitted',
      autoCommitIntervalMs: 5_000,
    })
    expect(parse({ groupId: 'g' }).enableAutoCommit).toBe(true)
  })

  test("Java's names are taken, durations too", () => {
    expect(parse({ 'group.id': 'g', 'auto.offset.reset': 'by_duration:P1DT1M', 'max.poll.records': 7 })).toMatchObject({
      groupId: 'g',
      autoOffsetReset: { durationMs: 86_460_000 },
      maxPollRecords: 7,
    })
  })

  test.each([
    [{ groupID: 'g' }, /groupID.*groupId/],
    [{ groupInstanceId: 'i' }, /groupId/],
    [{ groupId: 'g', groupInstanceId: '..' }, /groupInstanceId/],
    [{ enableAutoCommit: true }, /groupId/],
    [{ heartbeatIntervalMs: 50_000 }, /heartbeatIntervalMs.*sessionTimeoutMs/],
    [{ fetchMaxWaitMs: 30_000 }, /requestTimeoutMs/],
    [{ maxResponseBytes: 1_000_000 }, /fetchMaxBytes.*maxResponseBytes/],
    [{ isolationLevel: 'serializable' }, /isolationLevel/],
    [{ autoOffsetReset: 'by_duration:soon' }, /by_duration/],
    [{ autoOffsetReset: 'by_duration:PT' }, /by_duration/],
    [{ maxPollRecords: 0 }, /maxPollRecords/],
    [{ key: 'string' }, /serde/],
  ])('%j is refused with a reason', (options, reason) => {
    expect(() => parse(options)).toThrow(reason)
  })
})

describe('subscribe and assign, as in kafka-python', () => {
  const withConsumer = async (body: (consumer: Consumer) => unknown) => {
    await using consumer = new Consumer({ bootstrapServers: 'localhost:1', groupId: 'g' })
    await body(consumer)
  }

  test('topics, patterns and partitions exclude one another', () =>
    withConsumer(async consumer => {
      consumer.subscribe('a')
      consumer.subscribe(['b', 'c', 'b'])
      expect(consumer.subscription()).toEqual(['b', 'c'])
      expect(() => consumer.subscribe({ pattern: /x/ })).toThrow(/unsubscribe/)
      expect(() => consumer.assign([T0])).toThrow(/unsubscribe/)
      await consumer.unsubscribe()
      consumer.assign([T0, T1, T0])
      expect(consumer.assignment()).toEqual([T0, T1])
      expect(consumer.subscription()).toBeNull()
      expect(() => consumer.subscribe('a')).toThrow(/assign/)
      consumer.assign([])
      consumer.subscribe('a')
    }))

  test.each(['', '.', '..', 'a b', 'x'.repeat(250), 'ä'])('%j is no topic name', topic =>
    withConsumer(consumer => {
      expect(() => consumer.subscribe([topic])).toThrow(/topic name/)
      expect(() => consumer.assign([{ topic, partition: 0 }])).toThrow(/topic name/)
    }),
  )

  test('what is not assigned cannot be sought, paused, or asked for', () =>
    withConsumer(async consumer => {
      consumer.assign([T0])
      for (const call of [
        () => consumer.seek(T1, 0),
        () => consumer.seekToEnd([T1]),
        () => consumer.pause([T1]),
        () => consumer.resume([T1]),
        () => consumer.highwater(T1),
      ])
        expect(call).toThrow(/not assigned/)
      await expect(consumer.position(T1)).rejects.toMatchObject({ code: 'ERR_ILLEGAL_STATE' })
      await expect(consumer.poll({ timeoutMs: -1 })).rejects.toThrow(/timeoutMs/)
      await expect(consumer.poll({ maxRecords: 0 })).rejects.toThrow(/maxRecords/)
    }))

  test('names that a call does not know are refused, with the nearest that it does', () =>
    withConsumer(async consumer => {
      const never = (value: object) => value as never
      expect(() => consumer.subscribe(never({ topic: 'a' }))).toThrow(/did you mean topics\?/)
      expect(() => consumer.subscribe('a', never({ lisener: {} }))).toThrow(/did you mean listener\?/)
      expect(() => consumer.subscribe('a', { listener: never({ onRevoke: () => {} }) })).toThrow(/did you mean onRevoked\?/)
      expect(consumer.subscription()).toBeNull()
      consumer.subscribe('a', {
        listener: new (class {
          onAssigned() {}
        })(),
      })
      await expect(consumer.poll(never({ timeout: 5 }))).rejects.toThrow(/did you mean timeoutMs\?/)
    }))

  test('reading without a subscription is an error, not a silence', () =>
    withConsumer(async consumer => {
      await expect(consumer.poll()).rejects.toThrow(/subscribe/)
      expect(() => consumer.batches()).toThrow(/subscribe/)
      expect(() => consumer.seekToBeginning()).toThrow(/no partitions/)
    }))

  test('assign keeps position and pause of partitions in both', () =>
    World.run({ topics: { t: 2 } }, async world => {
      await write(world.broker, 't', 0, numbered(5))
      const consumer = world.consumer()
      consumer.assign([T0])
      await take(consumer, 3)
      consumer.pause([T0])
      consumer.assign([T1, T0])
      expect(await consumer.position(T0)).toBe(3n)
      expect(consumer.paused()).toEqual([T0])
    }))
})

describe('asking the cluster', () => {
  test('offsets by time, beginning and end, without moving anything', () =>
    World.run({ topics: { t: 2 } }, async world => {
      await write(world.broker, 't', 0, numbered(10), { perBatch: 1, timestamp: i => 1_000 * (i + 1) })
      world.broker.deleteRecords('t', 0, 2n)
      const consumer = world.consumer()
      expect([...(await consumer.beginningOffsets([T0, T1]))].map(([, offset]) => offset)).toEqual([2n, 0n])
      expect([...(await consumer.endOffsets([T0, T1]))].map(([, offset]) => offset)).toEqual([10n, 0n])
      expect((await consumer.beginningOffsets([])).size).toBe(0)
      const found = await consumer.offsetsForTimes([
        [T0, 4_500],
        [T1, 0],
      ])
      expect(found.get(T0)).toMatchObject({ offset: 4n, timestamp: 5_000 })
      expect(found.get(T1)).toBeNull()
      expect((await consumer.offsetsForTimes([[T0, new Date(9_999_999_999_999)]])).get(T0)).toBeNull()
      await expect(consumer.offsetsForTimes([[T0, -1]])).rejects.toThrow(/0 or more/)
      const unknown = consumer.endOffsets([{ topic: 't', partition: 9 }], { timeoutMs: 2_000 })
      await expect(unknown).rejects.toMatchObject({ code: 'ERR_TIMEOUT' })
    }))

  test('topics and partitions', () =>
    World.run({ topics: { a: 2, b: 3 }, autoCreateTopics: true }, async world => {
      const consumer = world.consumer()
      expect(await consumer.partitionsFor('b')).toEqual([0, 1, 2])
      expect(await consumer.partitionsFor('nowhere')).toEqual([])
      expect(await consumer.topics()).toEqual(
        new Map([
          ['a', 2],
          ['b', 3],
        ]),
      )
    }))

  test('an AbortSignal ends a call', () =>
    World.run({}, async world => {
      const consumer = world.consumer()
      consumer.assign([T0])
      const stop = new AbortController()
      const polled = consumer.poll({ timeoutMs: 60_000, signal: stop.signal })
      const asked = consumer.endOffsets([{ topic: 't', partition: 7 }], { signal: stop.signal })
      await world.pass(500)
      stop.abort(new Error('enough'))
      await expect(polled).rejects.toMatchObject({ code: 'ERR_ABORTED' })
      await expect(asked).rejects.toThrow()
    }))

  test('two calls that read at once are refused', () =>
    World.run({}, async world => {
      const consumer = world.consumer()
      consumer.assign([T0])
      const first = consumer.poll({ timeoutMs: 1_000 })
      await expect(consumer.poll()).rejects.toMatchObject({ code: 'ERR_ILLEGAL_STATE' })
      await first
    }))

  test('metrics count', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(10))
      const consumer = world.consumer()
      consumer.assign([T0])
      await take(consumer, 4)
      expect(consumer.metrics()).toMatchObject({ recordsConsumed: 4, assignedPartitions: 1, recordsLagMax: 6, commits: 0 })
      expect(consumer.metrics().bytesFetched).toBeGreaterThan(0)
    }))
})

describe('serdes', () => {
  test('a record that cannot be read is an error with place and way past it', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['{"a":1}', 'nonsense', '{"a":3}'])
      await using consumer = new Consumer(
        {
          bootstrapServers: world.broker.bootstrapServers,
          autoOffsetReset: 'earliest',
          value: json(z.object({ a: z.number() })),
        },
        world.runtime,
      )
      consumer.assign([T0])
      const records = [...(await consumer.poll({ timeoutMs: 5_000 }))]
      expect(records[0]?.value).toEqual({ a: 1 })
      let error: unknown
      try {
        void records[1]?.value
      } catch (thrown) {
        error = thrown
      }
      expect(error).toBeInstanceOf(DeserializationError)
      expect(error).toMatchObject({ topic: 't', partition: 0, offset: 1n, part: 'value' })
      expect(String(error)).toContain('seek')
      expect(records[2]?.value).toEqual({ a: 3 })
    }))

  test('records and batches print as what they say, one that cannot be read included', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, ['{"a":1}', 'nonsense'])
      await using consumer = new Consumer(
        { bootstrapServers: world.broker.bootstrapServers, autoOffsetReset: 'earliest', value: json() },
        world.runtime,
      )
      consumer.assign([T0])
      const records = await consumer.poll({ timeoutMs: 5_000 })
      const [good, bad] = [...records]
      expect(inspect(good, { breakLength: Infinity })).toBe(
        "ConsumerRecord { topic: 't', partition: 0, offset: 0n, timestamp: 1000, key: null, value: { a: 1 }, headers: [] }",
      )
      expect(inspect(bad)).toMatch(/^ConsumerRecord \{.*offset: 1n.*DeserializationError/s)
      expect(inspect(records, { breakLength: Infinity })).toBe(
        "ConsumerRecords(2) [ ConsumerBatch { topic: 't', partition: 0, baseOffset: 0n, lastOffset: 1n, length: 2, highWatermark: 2n } ]",
      )
    }))

  test('prepare is awaited before a batch is delivered', () =>
    World.run({}, async world => {
      await write(world.broker, 't', 0, numbered(3))
      const seen: string[] = []
      const prepared: Serde<string> = {
        ...string,
        prepare: async batch => {
          await world.pass(100)
          for (let i = 0; i < batch.length; i++) seen.push(String(batch.bytesAt(i)))
        },
      }
      await using consumer = new Consumer(
        { bootstrapServers: world.broker.bootstrapServers, autoOffsetReset: 'earliest', value: prepared },
        world.runtime,
      )
      consumer.assign([T0])
      await consumer.poll({ timeoutMs: 5_000 })
      expect(seen).toEqual(numbered(3))
    }))
})

test('kafkats G: members that share a client neither block nor evict one another', () =>
  World.run({ topics: { t: 2 } }, async world => {
    const client = new Client({ bootstrapServers: world.broker.bootstrapServers }, world.runtime)
    const options = { client, groupId: 'g', autoOffsetReset: 'earliest', fetchMaxWaitMs: 20_000 } as const
    const consumers = [new Consumer(options), new Consumer(options)]
    const seen: number[] = []
    const loops = consumers.map(async (consumer, i) => {
      consumer.subscribe('t')
      for await (const record of consumer) seen.push(i + 0 * record.partition)
    })
    await world.until(() => consumers.every(consumer => consumer.assignment().length === 1), 20_000)
    await world.pass(1_000)
    for (const partition of [0, 1]) {
      const started = world.now
      await write(world.broker, 't', partition, ['x'])
      await world.until(() => seen.length === partition + 1)
      expect(world.now - started).toBeLessThan(100)
    }
    expect([...seen].sort()).toEqual([0, 1])
    await Promise.all(consumers.map(consumer => consumer.close()))
    await Promise.all(loops)
    await client.close()
  }))

describe('closing', () => {
  test('a for await loop ends, a poll that waits is rejected, and a shared client stays open', () =>
    World.run({}, async world => {
      const client = new Client({ bootstrapServers: world.broker.bootstrapServers }, world.runtime)
      const [one, two] = [new Consumer({ client, groupId: 'g' }), new Consumer({ client })]
      one.subscribe('t')
      two.assign([T0])
      const loop = (async () => {
        for await (const record of one) void record
        return 'ended'
      })()
      const polled = two.poll({ timeoutMs: 60_000 })
      await world.pass(1_000)
      await one.close()
      const closing = two.close()
      await expect(polled).rejects.toMatchObject({ code: 'ERR_CLOSED' })
      await closing
      expect(await loop).toBe('ended')
      await client.metadata.ensure(['t'])
      await client.close()
    }))

  test('R25: closed at any moment, it ends within its timeout and leaves no timer, connection or member behind', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const runtime = new SimulatedRuntime({ seed })
      await runtime.run(async () => {
        const broker = await startBroker({ topics: { t: 3 }, runtime: runtime.on('127.0.0.1') })
        for (let p = 0; p < 3; p++) await write(broker, 't', p, numbered(20), { perBatch: 2 })
        const consumer = new Consumer(
          { bootstrapServers: broker.bootstrapServers, groupId: 'g', autoOffsetReset: 'earliest', autoCommitIntervalMs: 20 },
          runtime,
        )
        consumer.subscribe('t')
        const reading = (async () => {
          if (seed % 3 === 0)
            await consumer.run({ concurrency: 2, eachRecord: () => new Promise(r => runtime.clock.setTimer(3, () => r(0))) })
          else if (seed % 3 === 1) for await (const record of consumer) void record
          else for await (const batch of consumer.batches()) void batch
        })()
        const outcome = reading.then(
          () => undefined,
          (error: unknown) => error,
        )
        await new Promise<void>(resolve => runtime.clock.setTimer(Math.floor(runtime.random() * 60), resolve))
        const started = runtime.clock.monotonic()
        await consumer.close({ timeoutMs: 5_000 })
        expect(runtime.clock.monotonic() - started).toBeLessThanOrEqual(5_100)
        expect(await outcome, `seed ${seed}`).toBeUndefined()
        await new Promise<void>(resolve => runtime.clock.setTimer(200, resolve))
        expect(broker.group('g')?.members ?? [], `seed ${seed}`).toEqual([])
        await broker.close()
        expect(runtime.hosts.openConnections).toBe(0)
      })
      await runtime.settle()
    }
  })

  test('close while the coordinator holds a join back does not wait for it', () =>
    World.run({}, async world => {
      world.broker.intercept(JoinGroup, () => 'drop')
      const consumer = world.consumer({ groupId: 'g' })
      consumer.subscribe('t')
      await consumer.poll({ timeoutMs: 500 })
      const started = world.now
      await consumer.close()
      expect(world.now - started).toBeLessThan(6_000)
    }))

  test('a broker that never answers does not keep close from ending', () =>
    World.run({}, async world => {
      world.broker.intercept(Fetch, () => 'drop')
      const consumer = world.consumer()
      consumer.assign([T0])
      await consumer.poll({ timeoutMs: 500 })
      const started = world.now
      await consumer.close({ timeoutMs: 2_000 })
      expect(world.now - started).toBeLessThanOrEqual(2_100)
    }))
})
