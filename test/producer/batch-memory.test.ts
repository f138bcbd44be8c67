import { afterEach, expect, test, vi } from 'vitest'
import { BatchMemory } from '../../src/producer/batch-memory.ts'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { numbered, upTo, values, World } from './fixture.ts'

afterEach(() => vi.restoreAllMocks())

/** A batch is full with 300 bytes, and the next one on that partition has memory of that size from the start. */
const quick = { batchSize: 300, lingerMs: 0, retryBackoffMs: 10 }

/** Every piece of memory of full batches that was taken since, in order. */
function watchTaken(): Buffer[] {
  const taken: Buffer[] = []
  const take = BatchMemory.prototype.take
  vi.spyOn(BatchMemory.prototype, 'take').mockImplementation(function (this: BatchMemory, bytes) {
    const memory = take.call(this, bytes)
    if (bytes === quick.batchSize) taken.push(memory)
    return memory
  })
  return taken
}

test('a bounded number of pieces of one size is kept', () => {
  const memory = new BatchMemory(100, 250)
  const pieces = [memory.take(100), memory.take(100), memory.take(100)]
  expect(new Set(pieces).size).toBe(3)
  const other = memory.take(99)
  for (const piece of [...pieces, other]) memory.give(piece)
  expect([memory.take(100), memory.take(100)]).toEqual([pieces[1], pieces[0]])
  const fresh = memory.take(100)
  expect(pieces.some(piece => piece.buffer === fresh.buffer)).toBe(false)
  // batchSize 0, each record by itself: nothing to keep.
  const none = new BatchMemory(0, 1000)
  none.give(none.take(90))
  expect(none.take(90)).toHaveLength(90)
})

test.each(['none', 'gzip'] as const)('%s: batches are written where answered ones were, and arrive whole', compression =>
  World.run({}, async world => {
    const producer = world.producer({ ...quick, compression })
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
    const given: Buffer[] = []
    const give = BatchMemory.prototype.give
    vi.spyOn(BatchMemory.prototype, 'give').mockImplementation(function (this: BatchMemory, memory) {
      given.push(memory)
      give.call(this, memory)
    })
    // Everything that is in flight has to go again, on another connection.
    world.broker.intercept(Produce, () => 'drop', { times: 1 })
    await producer.send(numbered(30))
    const twice = [...taken]
    expect(twice.length).toBeGreaterThan(0)
    expect(given.filter(memory => twice.includes(memory))).toEqual([])
  }))
