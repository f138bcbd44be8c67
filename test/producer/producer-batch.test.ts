import { describe, expect, test } from 'vitest'
import { BatchMemory } from '../../src/producer/batch-memory.ts'
import { ProducerBatch } from '../../src/producer/producer-batch.ts'
import type { RecordMetadata } from '../../src/producer/record.ts'
import type { SendCall } from '../../src/producer/send-call.ts'
import { type Codec, encodedBatches } from '../../src/protocol/records/index.ts'

/** Writes down what it is told. */
class Told implements SendCall {
  readonly heard: string[] = []
  acknowledged(index: number, { offset }: RecordMetadata): void {
    this.heard.push(`${index} at ${offset}`)
  }
  failed(index: number, error: Error): void {
    this.heard.push(`${index} failed: ${error.message}`)
  }
}

function batchOf(count: number, call?: SendCall, codec: Codec = 'none'): ProducerBatch {
  const at = { topic: 't', partition: 3, createdAt: 0, generation: 0 }
  const batch = new ProducerBatch(at, { codec, level: undefined }, new BatchMemory(0, 0), 64)
  for (let i = 0; i < count; i++)
    batch.append(
      { key: null, value: Buffer.from(`value ${i}`), headers: undefined, timestamp: 1_000 + i },
      i % 2 === 0 ? call : undefined,
      i,
    )
  return batch
}
const acknowledgement = { topic: 't', partition: 3, baseOffset: 2n ** 53n, logAppendTimeMs: undefined }

test('each waiting record hears once, whatever comes later', () => {
  const call = new Told()
  const batch = batchOf(4, call)
  expect(batch.unawaited).toBe(2)
  batch.acknowledge(acknowledgement)
  batch.acknowledge(acknowledgement)
  batch.fail(() => new Error('late'))
  // Offsets are exact beyond 2^53.
  expect(call.heard).toEqual(['0 at 9007199254740992', '2 at 9007199254740994'])
})

test('halves tell the callers of the whole', async () => {
  const call = new Told()
  const batch = batchOf(5, call)
  batch.encode(undefined)
  const [first, second] = await batch.split(undefined, (base, count) => base + count)
  second.acknowledge(acknowledgement)
  first.fail(delta => new Error(`delta ${delta}`))
  expect(call.heard).toEqual(['2 at 9007199254740992', '4 at 9007199254740994', '0 failed: delta 0'])
})

test('a repetition under another sequence is a copy: an earlier write may still hold the bytes', async () => {
  const batch = batchOf(2)
  batch.sequence = { identity: { producerId: 5n, epoch: 0 }, base: 7 }
  const first = await batch.encode(undefined)
  const before = Buffer.from(first)
  expect(await batch.encode(undefined)).toBe(first)
  batch.sequence = { identity: { producerId: 5n, epoch: 1 }, base: 0 }
  const second = await batch.encode(undefined)
  expect(Buffer.from(first)).toEqual(before)
  const [stamped] = encodedBatches(Buffer.from(second))
  expect(stamped).toMatchObject({ producerId: 5n, producerEpoch: 1, baseSequence: 0 })
})

describe('message sets for brokers before 0.11', () => {
  test.each([
    [0, 'none'],
    [1, 'none'],
    [1, 'gzip'],
  ] as const)('format %i, %s: the same records', async (magic, codec) => {
    const batch = batchOf(20, undefined, codec)
    const set = await batch.encodeMessageSet(magic, undefined)
    const read: string[] = []
    for (const encoded of encodedBatches(Buffer.from(set))) {
      expect(encoded.magic).toBe(magic)
      const opened = await encoded.open({ checkCrcs: true, maxBytes: 1 << 20 })
      for (let i = 0; i < opened.length; i++) read.push(`${opened.valueAt(i)}${magic === 1 ? ` ${opened.timestampAt(i)}` : ''}`)
    }
    expect(read).toEqual(Array.from({ length: 20 }, (_, i) => `value ${i}${magic === 1 ? ` ${1_000 + i}` : ''}`))
    // A broker that was upgraded meanwhile gets a batch of format 2.
    expect((await batch.encode(undefined))[16]).toBe(2)
  })

  test('have no place for headers', async () => {
    const batch = batchOf(1)
    batch.append({ key: null, value: null, headers: [{ key: 'h', value: null }], timestamp: 1 }, undefined, 0)
    await expect(batch.encodeMessageSet(1, undefined)).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_VERSION' })
  })
})
