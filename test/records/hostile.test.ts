import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { CorruptRecordError } from '../../src/errors.ts'
import { type Codec, encodedBatches } from '../../src/protocol/records/index.ts'
import { bytes, CODECS, opened, resealed, written } from './sample.ts'

const one = [{ key: bytes('k'), value: bytes('v'), timestamp: 0 }]
const refused = (set: Buffer, options?: { maxBytes?: number }) => expect(opened(set, options)).rejects.toThrow(CorruptRecordError)

/** A batch whose compressed records are these bytes. */
async function around(codec: Codec, compressed: Buffer, count = 1): Promise<Buffer> {
  const header = (await written(2, 'none', one)).subarray(0, 61)
  const set = Buffer.concat([header, compressed])
  set.writeInt32BE(set.length - 12, 8)
  set[22] = CODECS.indexOf(codec)
  set.writeInt32BE(count, 57)
  return resealed(set)
}

/**
 * What is left outside the heap after `work`, above what was there before, for lack of a garbage collection: mostly all that it
 * took. What zlib and wasm take meanwhile compression-memory.test.ts watches.
 */
async function allocated(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().arrayBuffers
  await work()
  return process.memoryUsage().arrayBuffers - before
}

describe('a hostile broker', { timeout: 60_000 }, () => {
  test.each([-2_147_483_648, -1, 0, 13])('NegativeBatchLength: %i', async length => {
    const set = await written(2, 'none', one)
    set.writeInt32BE(length, 8)
    expect(() => [...encodedBatches(set)]).toThrow(CorruptRecordError)
  })

  test('a batch too short for its own header', async () => {
    const set = await written(2, 'none', one)
    set.writeInt32BE(30, 8)
    await refused(set)
  })

  test('a length of 2 GiB is a batch that was cut off, and nothing is allocated for it', async () => {
    const set = await written(2, 'none', one)
    set.writeInt32BE(0x7fff_ffff, 8)
    expect(await opened(set)).toEqual([])
  })

  test('an unknown format', async () => {
    const set = await written(2, 'none', one)
    set[16] = 3
    expect(() => [...encodedBatches(set)]).toThrow(/claims format 3/)
  })

  test.each([-1, -2_147_483_648])('NegativeRecordCount: %i', async count => {
    const set = await written(2, 'none', one)
    set.writeInt32BE(count, 57)
    await refused(resealed(set))
  })

  test.each(CODECS)('HugeRecordCountBounded: %s', async codec => {
    const set = await written(2, codec, one)
    set.writeInt32BE(0x7fff_ffff, 57)
    expect(await allocated(() => refused(resealed(set)))).toBeLessThan(1 << 20)
  })

  test('EmptyBatchClaimingRecords', async () => {
    const set = (await written(2, 'none', one)).subarray(0, 61)
    set.writeInt32BE(61 - 12, 8)
    await refused(resealed(set))
  })

  test('fewer records than bytes, or more', async () => {
    const set = await written(2, 'none', [...one, ...one])
    for (const count of [1, 3]) {
      set.writeInt32BE(count, 57)
      await refused(resealed(set))
    }
  })

  test('an unknown codec', async () => {
    const set = await written(2, 'none', one)
    set[22] = 7
    await expect(opened(resealed(set))).rejects.toThrow(/codec 7 is unknown/)
  })

  test.each(CODECS.slice(1))('DecompressBombBounded: %s', async codec => {
    const set = await written(2, codec, [{ key: null, value: Buffer.alloc(16 << 20), timestamp: 0 }])
    expect(set.length).toBeLessThan(4 << 20)
    expect(await allocated(() => refused(set, { maxBytes: 1 << 20 }))).toBeLessThan(8 << 20)
  })

  test('ZstdHugeClaim: a frame of 20 bytes that claims a terabyte', async () => {
    const claim = Buffer.from('28b52ffde0000000000001000001000061', 'hex')
    expect(await allocated(() => around('zstd', claim).then(refused))).toBeLessThan(1 << 20)
  })

  test('a snappy block, a gzip trailer and an lz4 frame that claim gigabytes', async () => {
    const gzip = gzipSync('x')
    gzip.writeUInt32LE(0xffff_fff0, gzip.length - 4)
    expect(
      await allocated(async () => {
        await refused(await around('snappy', Buffer.from('ffffffff0f0061', 'hex')))
        await refused(await around('snappy', Buffer.from('82534e415050590000000001000000017fffffff', 'hex')))
        await refused(await around('gzip', gzip))
        await refused(await around('lz4', Buffer.from('04224d186870ffffffffffffff7f00ffffff7f', 'hex')))
      }),
    ).toBeLessThan(2 << 20)
  })

  test.each(CODECS.slice(1))('%s that is cut off at any place', async codec => {
    const set = await written(2, codec, [{ key: null, value: Buffer.from('some text '.repeat(40)), timestamp: 0 }])
    const compressed = set.subarray(61)
    for (let size = 0; size < compressed.length; size++) await refused(await around(codec, compressed.subarray(0, size)))
  })

  test('HugeHeaderCountBounded', async () => {
    const set = await written(2, 'none', one)
    const grown = Buffer.concat([set.subarray(0, set.length - 1), Buffer.from('feffffff0f', 'hex')])
    grown.writeInt32BE(grown.length - 12, 8)
    grown[61]! += 8
    expect(await allocated(() => refused(resealed(grown)))).toBeLessThan(1 << 20)
  })
})
