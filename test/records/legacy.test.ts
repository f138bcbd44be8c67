import { describe, expect, test } from 'vitest'
import { CorruptRecordError } from '../../src/errors.ts'
import { encodedBatches, MessageSetBuilder } from '../../src/protocol/records/index.ts'
import { bytes, CODECS, contents, opened, resealed, written } from './sample.ts'

const records = [
  { key: null, value: bytes('v'), timestamp: 1_700_000_000_000 },
  { key: bytes(''), value: null, timestamp: 1_600_000_000_000 },
  { key: bytes('k'), value: Buffer.alloc(70_000, 2), timestamp: 1_700_000_000_005 },
]

describe.each([0, 1] as const)('format %i', magic => {
  test.each(CODECS.filter(codec => codec !== 'zstd'))('what is written with %s is read again', async codec => {
    const set = await written(magic, codec, records, { baseOffset: 2n ** 55n + 3n })
    expect(contents(await opened(set))).toEqual(
      records.map((record, i) => ({
        offset: 2n ** 55n + 3n + BigInt(i),
        timestamp: magic === 0 ? -1n : BigInt(record.timestamp),
        key: record.key,
        value: record.value,
        headers: [],
      })),
    )
    expect([...encodedBatches(set)].at(-1)).toMatchObject({
      magic,
      codec,
      lastOffset: 2n ** 55n + 5n,
      producerId: -1n,
      isControl: false,
      isTransactional: false,
      baseSequence: -1,
      partitionLeaderEpoch: -1,
    })
  })

  test('a message that is cut off is left out, inside a wrapper too', async () => {
    const set = await written(magic, 'none', records)
    expect(contents(await opened(set.subarray(0, set.length - 1)))).toHaveLength(2)
    const builder = new MessageSetBuilder({ magic, codec: 'gzip' })
    builder.append({ key: null, value: bytes('a'), timestamp: 1 })
    expect(contents(await opened(Buffer.from(await builder.finish())))).toHaveLength(1)
  })

  test('a checksum is verified, unless told not to', async () => {
    const set = await written(magic, 'none', records.slice(0, 1))
    set[set.length - 1]! ^= 1
    await expect(opened(set)).rejects.toThrow(/offset 0 is damaged: its checksum/)
    expect(await opened(set, { checkCrcs: false })).toHaveLength(1)
  })
})

test('formats follow one another, as on a log that lived through upgrades', async () => {
  const sets = await Promise.all([
    written(0, 'gzip', records, { baseOffset: 0n }),
    written(1, 'none', records, { baseOffset: 3n }),
    written(1, 'lz4', records, { baseOffset: 6n }),
    written(2, 'snappy', records, { baseOffset: 9n }),
  ])
  expect(contents(await opened(Buffer.concat(sets))).map(record => record.offset)).toEqual(
    Array.from({ length: 12 }, (_, i) => BigInt(i)),
  )
})

test('a wrapper with LogAppendTime gives its time to all inside it', async () => {
  const set = await written(1, 'gzip', records, { logAppendTimeMs: 9000n })
  const [batch] = await opened(set)
  expect(batch!.encoded.timestampType).toBe('log-append')
  expect(contents([batch!]).map(record => record.timestamp)).toEqual([9000n, 9000n, 9000n])
})

test('a wrapper of format 1 whose offset was left at 0 counts from 0', async () => {
  const set = await written(1, 'gzip', records)
  set.writeBigInt64BE(0n, 0)
  expect(contents(await opened(set)).map(record => record.offset)).toEqual([0n, 1n, 2n])
})

test('zstd needs format 2', () => {
  expect(() => new MessageSetBuilder({ magic: 1, codec: 'zstd' })).toThrow(/Kafka 2.1/)
})

test('headers need format 2', () => {
  const builder = new MessageSetBuilder({ magic: 1, codec: 'none' })
  expect(() => builder.append({ key: null, value: null, headers: [{ key: 'a', value: null }], timestamp: 0 })).toThrow(
    /Kafka 0.11/,
  )
})

test.each([
  [
    'a null value',
    async () => {
      const set = await written(1, 'none', [{ key: null, value: null, timestamp: 0 }])
      set[17] = 1
      return resealed(set)
    },
  ],
  ['nothing', async () => wrapped(Buffer.alloc(0))],
  ['a compressed message', async () => wrapped(await written(1, 'gzip', records))],
  ['a message of format 2', async () => wrapped(await written(2, 'none', records))],
])('a wrapper around %s is refused', async (_, set) => {
  await expect(set().then(bytes => opened(bytes))).rejects.toThrow(CorruptRecordError)
})

/** Puts bytes where a compressed message set belongs. */
async function wrapped(inside: Buffer): Promise<Buffer> {
  const { gzipSync } = await import('node:zlib')
  const set = await written(1, 'none', [{ key: null, value: gzipSync(inside), timestamp: 0 }])
  set[17] = 1
  return resealed(set)
}
