import { expect, test } from 'vitest'
import { upTo, values, World } from './fixture.ts'

/** A world of two nodes, and a partition of `t` that each of them leads. */
const twoNodes = (body: (world: World, led: { slow: number; quick: number }) => Promise<void>) =>
  World.run({ topics: { t: 2 }, nodes: 2, config: { 'default.replication.factor': '1' } }, async world => {
    world.broker.moveLeader('t', 0, 1)
    world.broker.moveLeader('t', 1, 2)
    await body(world, { slow: 0, quick: 1 })
  })

test('R28: a broker that does not answer delays nobody but its own partitions', () =>
  twoNodes(async (world, { slow, quick }) => {
    const producer = world.producer()
    await producer.send([slow, quick].map(partition => ({ topic: 't', partition, value: '0' })))
    world.broker.freezeNode(1)
    const stuck = producer.send({ topic: 't', partition: slow, value: 'late' })
    const start = world.runtime.clock.monotonic()
    for (let i = 1; i < 50; i++) await producer.send({ topic: 't', partition: quick, value: String(i) })
    expect(world.runtime.clock.monotonic() - start).toBeLessThan(1_000)
    expect(values(await world.stored('t', quick))).toEqual(upTo(50))
    world.broker.thawNode(1)
    expect((await stuck).partition).toBe(slow)
  }))

test('KIP-794: with an availability timeout, records without a key leave out a broker that takes nothing', () =>
  twoNodes(async (world, { slow, quick }) => {
    const producer = world.producer({
      batchSize: 500,
      maxInFlightRequests: 1,
      partitionerAvailabilityTimeoutMs: 200,
      requestTimeoutMs: 60_000,
    })
    await producer.send([slow, quick].map(partition => ({ topic: 't', partition, value: 'x' })))
    world.broker.freezeNode(1)
    const stuck = Array.from({ length: 20 }, () => producer.send({ topic: 't', partition: slow, value: 'x'.repeat(100) }))
    await world.pass(1_000)
    const results = await producer.send(Array.from({ length: 200 }, () => ({ topic: 't', value: 'x'.repeat(50) })))
    expect(results.every(({ partition }) => partition === quick)).toBe(true)
    world.broker.thawNode(1)
    await Promise.all(stuck)
  }))

test('the adaptive choice gives fewer records to a partition whose queue is long', () =>
  twoNodes(async (world, { slow, quick }) => {
    const producer = world.producer({ batchSize: 500, bufferMemory: 32 << 20 })
    await producer.send([slow, quick].map(partition => ({ topic: 't', partition, value: 'x' })))
    world.broker.freezeNode(1)
    const sent: Promise<{ partition: number }>[] = []
    for (let i = 0; i < 400; i++) {
      for (let j = 0; j < 5; j++) sent.push(producer.send({ topic: 't', value: 'x'.repeat(100) }))
      await world.pass(10)
    }
    world.broker.thawNode(1)
    const partitions = (await Promise.all(sent)).map(({ partition }) => partition)
    const toSlow = partitions.filter(partition => partition === slow).length
    expect(toSlow).toBeLessThan(partitions.length / 4)
    expect(toSlow).toBeGreaterThan(0)
  }))
