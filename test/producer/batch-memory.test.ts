import { afterEach, expect, test, vi } from 'vitest'
import { BatchMemory } from '../../src/producer/batch-memory.ts'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { SimulatedTransport } from '../../src/runtime/simulated/simulated-transport.ts'
import { numbered, upTo, values, World } from './fixture.ts'

afterEach(() => vi.restoreAllMocks())

/** A batch is full with 300 bytes, and the next one on that partition has memory of that size from the start. */
const quick = { batchSize: 300, lingerMs: 0, retryBackoffMs: 10 }

/** Every piece of memory of this size that was taken since, in order. */
function watchTaken(pieceBytes = quick.batchSize): Buffer[] {
  const taken: Buffer[] = []
  const take = BatchMemory.prototype.take
  vi.spyOn(BatchMemory.prototype, 'take').mockImplementation(function (this: BatchMemory, bytes) {
    const memory = take.call(this, bytes)
    if (bytes === pieceBytes) taken.push(memory)
    return memory
  })
  return taken
}

/** Every piece that was given back since. What it holds is spoilt, so that whoever still reads it is found out. */
function watchGiven(): Buffer[] {
  const given: Buffer[] = []
  const give = BatchMemory.prototype.give
  vi.spyOn(BatchMemory.prototype, 'give').mockImplementation(function (this: BatchMemory, memory) {
    memory.fill(0xee)
    given.push(memory)
    give.call(this, memory)
  })
  return given
}

test('a bounded number of pieces of one size is kept', () => {
  const memory = new BatchMemory(100, 250)
  const pieces = [memory.take(100), memory.take(100), memory.take(100)]
  expect(new Set(pieces).size).toBe(3)
  const other = memory.take(99)
  for (const piece of [...pieces, other]) memory.give(piece)
  expect([memory.take(100), memory.take(100)]).toEqual([pieces[1], pieces[0]])
  memory.give(Buffer.alloc(101))
  const fresh = memory.take(100)
  expect(fresh).toHaveLength(100)
  expect(pieces.some(piece => piece.buffer === fresh.buffer)).toBe(false)
  // batchSize 0, each record by itself: nothing to keep.
  const none = new BatchMemory(0, 1000)
  none.give(none.take(90))
  expect(none.take(90)).toHaveLength(90)
})

test.each(['none', 'gzip'] as const)('%s: batches are written where answered ones were, and arrive whole', compression =>
  World.run({}, async world => {
    const producer = world.producer({ ...quick, compression })
    watchGiven()
    const taken = watchTaken()
    for (let i = 0; i < 20; i++) await producer.send(numbered(200))
    expect(taken.length).toBeGreaterThan(150)
    expect(new Set(taken).size).toBeLessThan(taken.length / 5)
    expect(values(await world.stored())).toEqual(Array.from({ length: 20 }, () => upTo(200)).flat())
  }),
)

test('memory of a batch that was sent twice is not used again: a socket may still hold the first bytes', () =>
  World.run({}, async world => {
    const producer = world.producer(quick)
    await producer.send(numbered(200))
    const taken = watchTaken()
    const given = watchGiven()
    // Everything that is in flight has to go again, on another connection.
    world.broker.intercept(Produce, () => 'drop', { times: 1 })
    await producer.send(numbered(30))
    const twice = [...taken]
    expect(twice.length).toBeGreaterThan(0)
    expect(given.filter(memory => twice.includes(memory))).toEqual([])
  }))

test('batches that leave before they are full are written where answered ones were, too', () =>
  World.run({}, async world => {
    const producer = world.producer({ lingerMs: 0 })
    const taken = watchTaken(16_384)
    for (let i = 0; i < 50; i++)
      await producer.send(Array.from({ length: 130 }, () => ({ topic: 't', partition: 0, value: 'x'.repeat(100) })))
    expect(taken).toHaveLength(49)
    expect(new Set(taken).size).toBe(1)
  }))

test('nothing tells when the bytes of a batch that is not acknowledged have left: its memory is not used again', () =>
  World.run({}, async world => {
    const producer = world.producer({ ...quick, acks: 0, idempotent: false })
    const given = watchGiven()
    for (let i = 0; i < 5; i++) await producer.send(numbered(100))
    expect(given).toEqual([])
  }))

test('an answer that comes before its request has left whole is no proof that the memory is free', () =>
  World.run({}, async world => {
    const producer = world.producer(quick)
    await producer.send(numbered(200))
    const unflushed = vi.spyOn(SimulatedTransport.prototype, 'unflushedBytes', 'get').mockReturnValue(1)
    const given = watchGiven()
    await producer.send(numbered(200))
    const partly = given.length
    unflushed.mockReturnValue(0)
    await producer.send(numbered(200))
    expect(given.length).toBeGreaterThan(partly)
    // Of the requests in flight together, only the last one has a byte left.
    unflushed.mockReturnValue(1_000_000)
    const before = given.length
    await producer.send(numbered(200))
    expect(given).toHaveLength(before)
  }))

test('many partitions do not take more memory than bufferMemory because their batches were once full', () =>
  World.run({ topics: { t: 100 } }, async world => {
    const producer = world.producer({ batchSize: 100_000, bufferMemory: 2_000_000, maxRequestSize: 1_000_000 })
    const everywhere = (value: string) => Array.from({ length: 100 }, (_, partition) => ({ topic: 't', partition, value }))
    await producer.send(everywhere('x'.repeat(90_000)))
    let taken = 0
    const take = BatchMemory.prototype.take
    vi.spyOn(BatchMemory.prototype, 'take').mockImplementation(function (this: BatchMemory, bytes) {
      taken += bytes
      return take.call(this, bytes)
    })
    await producer.send(everywhere('y'))
    expect(taken).toBeGreaterThan(100_000)
    expect(taken).toBeLessThan(2_100_000)
  }))
