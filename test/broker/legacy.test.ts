import { describe, expect, test } from 'vitest'
import { Fetch, Produce } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { encodedBatches, MessageSetBuilder } from '../../src/protocol/records/index.ts'
import { batch } from './batches.ts'
import { fetchRequest, produce, setUp } from './set-up.ts'

async function messageSet(magic: 0 | 1, codec: 'none' | 'gzip', values: string[]) {
  const builder = new MessageSetBuilder({ magic, codec })
  values.forEach((value, i) => {
    builder.append({ key: Buffer.from('k'), value: Buffer.from(value), timestamp: 1000 + i })
  })
  return Buffer.from(await builder.finish())
}

describe('formats before 0.11', () => {
  test.each([
    [0, 'none'],
    [0, 'gzip'],
    [1, 'none'],
    [1, 'gzip'],
  ] as const)('format %i, %s, is kept as format 2 and given back in either', async (magic, codec) => {
    const { broker, client } = await setUp()
    const produced = await produce(client, await messageSet(magic, codec, ['a', 'b']), { version: magic === 0 ? 1 : 2 })
    expect(produced).toMatchObject({ errorCode: 0, baseOffset: 0n })
    expect((await broker.records('t', 0)).map(({ value, timestamp }) => [`${value}`, timestamp])).toEqual([
      ['a', magic === 0 ? -1 : 1000],
      ['b', magic === 0 ? -1 : 1001],
    ])
    for (let version = 0; version <= 4; version++) {
      const { responses } = await client.request(Fetch, version, fetchRequest(0n))
      const { records } = responses[0]!.partitions[0]!
      const [first] = encodedBatches(Buffer.from(records!))
      expect(first!.magic).toBe(version < 2 ? 0 : version < 4 ? 1 : 2)
      const texts: string[] = []
      for (const encoded of encodedBatches(Buffer.from(records!))) {
        const opened = await encoded.open({ checkCrcs: true, maxBytes: 1 << 20 })
        for (let i = 0; i < opened.length; i++) texts.push(`${opened.offsetAt(i)}:${opened.valueAt(i)}`)
      }
      expect(texts).toEqual(['0:a', '1:b'])
    }
  })

  test('compacted gaps keep their offsets, and before v3 a message above the limit is cut off', async () => {
    const { broker, client } = await setUp()
    await produce(client, batch(['a', 'b', 'c']))
    await produce(client, batch(['d'], { key: 'other' }))
    await broker.compact('t', 0)
    const { responses } = await client.request(Fetch, 3, fetchRequest(0n))
    expect([...encodedBatches(Buffer.from(responses[0]!.partitions[0]!.records!))].map(({ lastOffset }) => lastOffset)).toEqual([
      2n,
      3n,
    ])
    const cut = await client.request(Fetch, 2, fetchRequest(0n, {}, { partitionMaxBytes: 20 }))
    expect(cut.responses[0]!.partitions[0]!.records).toHaveLength(20)
  })

  test('may lie in the log beside format 2', async () => {
    const { broker, client } = await setUp()
    await broker.appendRaw('t', 0, await messageSet(1, 'gzip', ['a', 'b']))
    await produce(client, batch(['c']))
    await broker.appendRaw('t', 0, await messageSet(0, 'none', ['d']))
    const { responses } = await client.request(Fetch, 12, fetchRequest(0n))
    const texts: string[] = []
    for (const encoded of encodedBatches(Buffer.from(responses[0]!.partitions[0]!.records!))) {
      const opened = await encoded.open({ checkCrcs: true, maxBytes: 1 << 20 })
      for (let i = 0; i < opened.length; i++) texts.push(`${opened.offsetAt(i)}:${opened.valueAt(i)}`)
    }
    expect(texts).toEqual(['0:a', '1:b', '2:c', '3:d'])
  })

  test('damaged message sets and batches of format 2 are refused', async () => {
    const { client } = await setUp()
    const damaged = await messageSet(1, 'none', ['a'])
    damaged[damaged.length - 1]! ^= 1
    expect((await produce(client, damaged, { version: 2 })).errorCode).not.toBe(0)
    expect((await produce(client, await messageSet(1, 'none', ['a']), { version: 3 })).errorCode).toBe(ErrorCode.INVALID_RECORD)
    await client.request(Produce, 2, { acks: 1, timeoutMs: 1, topicData: [] })
  })

  test('a broker of 0.10.2 is emulated down to them', async () => {
    const { client } = await setUp({ asVersion: '0.10.2' })
    expect((await produce(client, await messageSet(1, 'none', ['a']), { version: 2 })).errorCode).toBe(0)
    const { responses } = await client.request(Fetch, 3, fetchRequest(0n))
    const [first] = encodedBatches(Buffer.from(responses[0]!.partitions[0]!.records!))
    expect(first!.magic).toBe(1)
    await expect(client.request(Produce, 3, { acks: 1, timeoutMs: 1, topicData: [] })).rejects.toThrow('closed')
  })
})
