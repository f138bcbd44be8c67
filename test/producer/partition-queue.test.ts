import { beforeEach, describe, expect, test } from 'vitest'
import { BatchMemory } from '../../src/producer/batch-memory.ts'
import { Identities, sequenceAfter } from '../../src/producer/identity.ts'
import { PartitionQueue } from '../../src/producer/partition-queue.ts'
import { ProducerBatch } from '../../src/producer/producer-batch.ts'
import { EncodedBatch } from '../../src/protocol/records/index.ts'

const NODE = 1
let queue: PartitionQueue
let identities: Identities
beforeEach(() => {
  queue = new PartitionQueue('t', 0)
  identities = new Identities()
  identities.assigned({ producerId: 7n, epoch: 0 })
})

/** A batch of `records` records in the queue. */
function batchOf(records: number, createdAt = 0): ProducerBatch {
  const batch = new ProducerBatch(
    { topic: 't', partition: 0, createdAt, generation: 0 },
    { codec: 'none', level: undefined },
    new BatchMemory(0, 0),
    128,
  )
  for (let i = 0; i < records; i++)
    batch.append({ key: null, value: Buffer.from(String(i)), headers: undefined, timestamp: 5 }, undefined, 0)
  queue.push(batch)
  return batch
}
const take = () => queue.take(NODE, identities)
/** The broker has stored something of this producer: from then on batches may follow one another unanswered. */
function prove(): void {
  queue.complete(takeNew(), { stored: true })
}
function takeNew(): ProducerBatch {
  batchOf(1)
  return take()
}
const sequences = () => queue.batches.map(batch => batch.sequence && `${batch.sequence.identity.epoch}:${batch.sequence.base}`)
const encoded = (batch: ProducerBatch) => new EncodedBatch(Buffer.from(batch.encode(undefined) as Uint8Array))

test('sequences follow one another by records, batch after batch, and wrap at 2^31 - 1', () => {
  batchOf(3)
  batchOf(2)
  batchOf(1)
  take()
  take()
  take()
  expect(sequences()).toEqual(['0:0', '0:3', '0:5'])
  expect(sequenceAfter(2 ** 31 - 1, 1)).toBe(0)
  expect(sequenceAfter(2 ** 31 - 2, 5)).toBe(3)
})

describe('a batch that has to be sent again', () => {
  test('holds the partition until all is answered, then everything goes again in order, under the same numbers', () => {
    const [first, second, third] = [batchOf(1), batchOf(1), batchOf(1)]
    take()
    take()
    queue.retry(first, { retryAt: 10 })
    expect(queue.next(NODE)).toBeUndefined()
    queue.retry(second, { retryAt: 20 })
    expect(queue.retryAt).toBe(20)
    expect([take(), take(), take()]).toEqual([first, second, third])
    expect(sequences()).toEqual(['0:0', '0:1', '0:2'])
  })

  test('a later batch that was stored meanwhile is not sent again', () => {
    const [first, second] = [batchOf(1), batchOf(1)]
    take()
    take()
    queue.retry(first, { retryAt: 0 })
    queue.complete(second, { stored: true })
    expect(queue.batches).toEqual([first])
    expect(queue.next(NODE)).toBe(first)
  })

  test('nothing goes to another broker while the former one has not answered', () => {
    prove()
    batchOf(1)
    batchOf(1)
    const first = take()
    expect(queue.next(2)).toBeUndefined()
    expect(queue.next(NODE)).toBeDefined()
    queue.complete(first, { stored: true })
    expect(queue.next(2)).toBeDefined()
  })

  test('nothing follows the first batch of an identity before its answer: a broker without state takes any sequence', () => {
    const first = takeNew()
    batchOf(1)
    expect(queue.next(NODE)).toBeUndefined()
    queue.retry(first, { retryAt: 0 })
    expect(queue.next(NODE)).toBe(first)
    take()
    queue.complete(first, { stored: true })
    expect(queue.next(NODE)).toBeDefined()
  })

  test('no sixth batch follows one whose outcome is open: the broker would no longer recognise its repetition', () => {
    prove()
    const oldest = takeNew()
    const others = [takeNew(), takeNew(), takeNew(), takeNew()]
    queue.retry(oldest, { retryAt: 0 })
    for (const each of others) queue.complete(each, { stored: true })
    const next = batchOf(1)
    expect(queue.next(NODE)).toBe(oldest)
    take()
    expect(queue.next(NODE)).toBeUndefined()
    queue.complete(oldest, { stored: true })
    expect(queue.next(NODE)).toBe(next)
  })

  test('gets the same bytes again', () => {
    const batch = batchOf(2)
    take()
    const before = batch.encode(undefined)
    queue.retry(batch, { retryAt: 0 })
    take()
    expect(batch.encode(undefined)).toBe(before)
  })
})

describe('a sequence that the broker cannot continue', () => {
  test('is given up once the oldest batch says so and nothing is in flight: all is numbered anew in the next epoch', () => {
    const [first, second] = [batchOf(2), batchOf(1)]
    take()
    const sent = first.encode(undefined) as Uint8Array
    const copy = Buffer.from(sent)
    take()
    queue.retry(first, { retryAt: 0, renumber: 'next-epoch' })
    expect(queue.takeRenumbering()).toBeUndefined()
    queue.retry(second, { retryAt: 0, renumber: 'next-epoch' })
    const left = queue.takeRenumbering()
    expect(left).toEqual({ from: { producerId: 7n, epoch: 0 }, keepId: true })
    identities.leave(left!.from, { keepId: true })
    take()
    take()
    expect(sequences()).toEqual(['1:0', '1:2'])
    expect(encoded(first)).toMatchObject({ producerId: 7n, producerEpoch: 1, baseSequence: 0 })
    // A write of the first attempt may still hold the former bytes.
    expect(Buffer.compare(sent, copy)).toBe(0)
    expect(() => encoded(first).open({ checkCrcs: true, maxBytes: 1e6 })).not.toThrow()
  })

  test('an out-of-order batch behind an older open one gives up nothing', () => {
    const [first, second] = [batchOf(1), batchOf(1)]
    take()
    take()
    queue.retry(first, { retryAt: 0 })
    queue.retry(second, { retryAt: 0, renumber: 'next-epoch' })
    expect(queue.takeRenumbering()).toBeUndefined()
  })

  test('other partitions finish what they numbered before they take the new epoch', () => {
    const first = batchOf(1)
    take()
    identities.leave({ producerId: 7n, epoch: 0 }, { keepId: true })
    batchOf(1)
    take()
    expect(sequences()).toEqual(['0:0', '0:1'])
    queue.complete(first, { stored: true })
    queue.complete(queue.batches[0]!, { stored: true })
    batchOf(1)
    take()
    expect(sequences()).toEqual(['1:0'])
  })

  test('a second partition that meets the same gap does not raise the epoch again', () => {
    identities.leave({ producerId: 7n, epoch: 0 }, { keepId: true })
    identities.leave({ producerId: 7n, epoch: 0 }, { keepId: true })
    expect(identities.current).toEqual({ producerId: 7n, epoch: 1 })
  })

  test('the last epoch is followed by a new id', () => {
    identities.assigned({ producerId: 7n, epoch: 32_766 })
    identities.leave({ producerId: 7n, epoch: 32_766 }, { keepId: true })
    expect(identities.current).toBeUndefined()
  })
})

describe('a batch that failed for good', () => {
  test('gives its numbers back when nothing was numbered after it', () => {
    const first = batchOf(5)
    take()
    queue.complete(first, { stored: false })
    batchOf(1)
    take()
    expect(sequences()).toEqual(['0:0'])
  })
  test('leaves a gap when a later one was numbered, or when it may have been stored', () => {
    const first = batchOf(5)
    batchOf(1)
    take()
    take()
    queue.complete(first, { stored: false })
    expect(sequences()).toEqual(['0:5'])
    const second = queue.batches[0]!
    second.outcomeUnknown = true
    queue.complete(second, { stored: false })
    batchOf(1)
    take()
    expect(sequences()).toEqual(['0:6'])
  })
})

describe('a batch whose time is over', () => {
  test('leaves at once when it waits, and with its answer when it is in flight', () => {
    const [first, second] = [batchOf(1, 1), batchOf(1, 2)]
    batchOf(1, 30)
    take()
    expect(queue.expired(10)).toEqual([first, second])
    first.fail(() => new Error())
    expect(queue.drop(first)).toBe(false)
    expect(queue.drop(second)).toBe(true)
    expect(queue.batches).toHaveLength(2)
    expect(queue.expired(10)).toEqual([])
    queue.retry(first, { retryAt: 0 })
    expect(queue.batches).toHaveLength(1)
    expect(queue.waiting).toBe(1)
  })
})

test('halves of a split batch take its place and share its numbers', async () => {
  const whole = batchOf(5)
  batchOf(1)
  take()
  whole.encode(undefined)
  take()
  const halves = await whole.split(undefined, sequenceAfter)
  expect(halves.map(({ count }) => count)).toEqual([2, 3])
  queue.replace(whole, halves)
  expect(queue.next(NODE)).toBeUndefined()
  queue.retry(queue.batches[2]!, { retryAt: 0 })
  expect(sequences()).toEqual(['0:0', '0:2', '0:5'])
  expect(take()).toBe(halves[0])
})
