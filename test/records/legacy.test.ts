import { describe, expect, test } from 'vitest'
import { CorruptRecordError } from '../../src/errors.ts'
import { compress } from '../../src/protocol/compression/index.ts'
import { encodedBatches, MessageSetBuilder } from '../../src/protocol/records/index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
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

describe.each([0, 1] as const)('a wrapper of format %i', magic => {
  test('that is damaged is refused with its offset, at once or later', async () => {
    const noise = Buffer.from(Uint32Array.from({ length: 10_000 }, (_, i) => Math.imul(i + 1, 0x9e3779b1)).buffer)
    for (const value of [bytes('short'), noise]) {
      const set = await written(magic, 'gzip', [{ key: null, value, timestamp: 0 }], { baseOffset: 42n })
      set[set.length - 12]! ^= 0xff
      const opening = (async () =>
        encodedBatches(resealed(set))
          .next()
          .value.open({ checkCrcs: true, maxBytes: 1 << 20, offload: nodeRuntime.offload }))()
      await expect(opening).rejects.toThrow(/the batch at offset 42 is damaged: .* do not decompress/)
      await expect(opening).rejects.toMatchObject({ code: 'ERR_CORRUPT_RECORD', baseOffset: 42n })
    }
  })

  test('has no zstd, which is younger', async () => {
    const inside = await compress('zstd', await written(magic, 'none', records), undefined, undefined)
    const set = await written(magic, 'none', [{ key: null, value: inside, timestamp: 0 }], { baseOffset: 42n })
    set[17] = 4
    await expect(opened(resealed(set))).rejects.toMatchObject({ code: 'ERR_CORRUPT_RECORD', baseOffset: 42n })
  })
})

test.each(['none', 'gzip'] as const)('format 0 has no timestamp, whatever its unused attributes say: %s', async codec => {
  const set = await written(0, codec, records.slice(0, 1))
  const sound = contents(await opened(set))
  set[17]! |= 0x08
  const [batch] = await opened(resealed(set))
  expect(batch!.encoded).toMatchObject({ timestampType: 'create', isTransactional: false, isControl: false, codec })
  expect(contents([batch!])).toEqual(sound)
  expect(batch!.timestampAt(0)).toBe(-1)
})

test('a wrapper of format 1 below the offset of its last message is refused', async () => {
  const set = await written(1, 'gzip', records, { baseOffset: 3n })
  set.writeBigInt64BE(2n, 0)
  expect(contents(await opened(set)).map(record => record.offset)).toEqual([0n, 1n, 2n])
  set.writeBigInt64BE(1n, 0)
  await expect(opened(set)).rejects.toThrow(/offset 1 is damaged: a message inside has the relative offset 2/)
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
