import { describe, expect, test } from 'vitest'
import { KafkaError } from '../../src/errors.ts'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { numbered, upTo, values, World } from './fixture.ts'

test('ProduceAfterClose: close sends what lingers, then refuses; a second close is the same promise', () =>
  World.run({}, async world => {
    const producer = world.producer({ lingerMs: 60_000, deliveryTimeoutMs: 120_000 })
    const sent = producer.send(numbered(10))
    await world.pass(50)
    const closing = producer.close()
    expect(producer.close()).toBe(closing)
    await closing
    expect(await sent).toHaveLength(10)
    expect(world.runtime.clock.monotonic()).toBeLessThan(5_000)
    for (const topic of ['t', 'never-seen'])
      await expect(producer.send({ topic, value: 'x' })).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(() => producer.enqueue({ topic: 't', value: 'x' })).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }))
    await expect(producer.flush()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  }))

test('await using closes it', () =>
  World.run({}, async world => {
    let sent: Promise<unknown> | undefined
    {
      await using producer = world.producer({ lingerMs: 1_000 })
      sent = producer.send(numbered(5))
    }
    await sent
    expect(values(await world.stored())).toEqual(upTo(5))
  }))

test('close gives up after timeoutMs, and says of what was under way that nobody knows', () =>
  World.run({}, async world => {
    const producer = world.producer()
    await producer.send(numbered(1))
    world.broker.freezeNode(1)
    const inFlight = producer.send({ topic: 't', value: 'x' }).catch((reason: unknown) => reason)
    await world.pass(50)
    const waiting = producer.send({ topic: 'unheard-of', value: 'y' }).catch((reason: unknown) => reason)
    const start = world.runtime.clock.monotonic()
    const closing = producer.close({ timeoutMs: 500 })
    expect(await inFlight).toMatchObject({ code: 'ERR_TIMEOUT', outcome: 'unknown' })
    expect(await waiting).toMatchObject({ code: 'ERR_CLOSED' })
    expect(world.runtime.clock.monotonic() - start).toBeLessThan(600)
    world.broker.thawNode(1)
    await closing
  }))

test('the time of close includes that of its connections, whose brokers may hang', () =>
  World.run({}, async world => {
    const producer = world.producer()
    await producer.send(numbered(1))
    world.broker.freezeNode(1)
    const pending = producer.send({ topic: 't', value: 'x' }).catch((reason: unknown) => reason)
    await world.pass(100)
    const started = world.runtime.clock.monotonic()
    await producer.close({ timeoutMs: 2_000 })
    expect(world.runtime.clock.monotonic() - started).toBeLessThanOrEqual(2_010)
    expect(await pending).toMatchObject({ code: 'ERR_TIMEOUT', outcome: 'unknown' })
    world.broker.thawNode(1)
  }))

test('a producer that was never used closes without dialling', () =>
  World.run({}, async world => {
    const producer = world.producer()
    await producer.close()
    expect(world.runtime.hosts.openConnections).toBe(0)
  }))

test('a shared client outlives the producer that used it', () =>
  World.run({}, async world => {
    const owner = world.producer()
    await owner.connect()
    const { Producer } = await import('../../src/producer/index.ts')
    const shared = new Producer({ client: owner.client })
    await shared.send({ topic: 't', value: Buffer.from('a') })
    await shared.close()
    expect((await owner.send({ topic: 't', value: 'b' })).offset).toBe(1n)
  }))

describe('close at any moment', () => {
  // From before the first packet to after the last answer, in steps finer than the network's latency.
  const moments = Array.from({ length: 40 }, (_, i) => i * 0.35)

  test.each([5_000, 0])(
    'with %i ms for the last flush every promise settles, what was acknowledged is stored, no connection is left',
    async timeoutMs => {
      await Promise.all(
        moments.map((moment, seed) =>
          World.run({ seed: seed + 1, topics: { t: 1 }, nodes: 2 }, async world => {
            const producer = world.producer({ batchSize: 400, lingerMs: 1, retryBackoffMs: 2 })
            const sends = numbered(100).map(record =>
              producer.send(record).then(
                ({ offset }) => ({ offset, value: record.value, error: undefined }),
                (error: unknown) => ({ offset: undefined, value: record.value, error }),
              ),
            )
            await new Promise<void>(resolve => world.runtime.clock.at(world.runtime.clock.monotonic() + moment, resolve))
            await producer.close({ timeoutMs })
            const outcomes = await Promise.all(sends)
            // The broker's side of them is still a moment on its way.
            await world.pass(20)
            expect(world.runtime.hosts.openConnections).toBe(0)
            const stored = await world.stored()
            for (const { offset, value, error } of outcomes) {
              if (error) expect(KafkaError.is(error)).toBe(true)
              else expect(stored.find(record => record.offset === offset)?.value).toBe(value)
            }
            if (timeoutMs > 0) expect(values(stored)).toEqual(upTo(100))
            else expect(values(stored)).toEqual(upTo(stored.length))
          }),
        ),
      )
    },
  )
})

test('flush resolves although some of what it waits for fails', () =>
  World.run({}, async world => {
    const producer = world.producer({ requestTimeoutMs: 500, deliveryTimeoutMs: 1_000 })
    await producer.send(numbered(1))
    world.broker.intercept(Produce, () => 'drop')
    const failed = producer.send({ topic: 't', value: 'x' }).catch((reason: unknown) => reason)
    await producer.flush()
    expect(await failed).toMatchObject({ code: 'ERR_TIMEOUT' })
  }))
