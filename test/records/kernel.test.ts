import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileKernel, KERNELS, readBuilt } from '../../scripts/kernel.ts'
import { crc32c, crc32cPlain } from '../../src/protocol/records/crc32c.ts'
import { BatchBuilder } from '../../src/protocol/records/index.ts'
import { kernel } from '../../src/protocol/records/kernel/kernel.ts'
import { indexRecordsPlain, STRIDE } from '../../src/protocol/records/record-index.ts'

const RECORDS = 61

test.each(KERNELS)('$built is what $source compiles to', { timeout: 60_000 }, async ({ source, built }) => {
  expect(await compileKernel(source)).toBe(readBuilt(built))
})

test('the kernel runs here', () => {
  expect(kernel()).not.toBeNull()
})

test('the checksums of known inputs', () => {
  // RFC 3720, B.4
  expect(crc32cPlain(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32cPlain(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32cPlain(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(kernel()!.crc32c(Buffer.from('123456789'), 0, 9, 0)).toBe(0xe3069283)
})

test('a checksum goes on from that of what came before', () => {
  const bytes = Buffer.from('123456789'.repeat(100))
  for (const cut of [0, 1, 100, 450, 800, 900]) {
    expect(crc32c(bytes, cut, 900, crc32c(bytes, 0, cut)), `cut at ${cut}`).toBe(crc32cPlain(bytes))
    expect(crc32cPlain(bytes, cut, 900, crc32cPlain(bytes, 0, cut)), `cut at ${cut}`).toBe(crc32cPlain(bytes))
  }
})

test('kernel and TypeScript agree on the checksum at every length around the folding steps', { timeout: 60_000 }, () => {
  const bytes = Buffer.alloc(140_000)
  for (let i = 0, x = 1; i < bytes.length; i++) bytes[i] = (x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0) >>> 16
  const edges = [0, 8, 16, 64 * 16, (209 + 64) * 16, 65_536, 2 * 65_536]
  for (const edge of edges)
    for (let size = Math.max(0, edge - 40); size < edge + 40; size++)
      expect(kernel()!.crc32c(bytes, 7, 7 + size, 0), `${size} bytes`).toBe(crc32cPlain(bytes, 7, 7 + size))
})

const bytes = fc.uint8Array({ maxLength: 300 })
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 8, unit: 'grapheme' }), value: fc.option(bytes) }), { maxLength: 3 }),
  timestamp: fc.oneof(fc.integer({ min: 0, max: 1000 }), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })),
})
/** Byte flips, cuts and claims, as positions relative to the size. */
const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 })

test('kernel and TypeScript agree on the index of any batch, damaged or not', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 30 }),
      damage,
      fc.integer({ min: -2, max: 2 }),
      (records, flips, more) => {
        const builder = new BatchBuilder({ codec: 'none' })
        for (const each of records) builder.append(each)
        const batch = Buffer.from(builder.finish({}) as Uint8Array)
        for (const [place, value] of flips) batch[RECORDS + (place % (batch.length - RECORDS))] = value
        agree(batch, RECORDS, batch.length, records.length + (flips.length > 0 ? more : 0))
      },
    ),
    { numRuns: 1500, seed: 7 },
  )
})

test('kernel and TypeScript agree on the index of noise made of likely bytes', { timeout: 60_000 }, () => {
  const likely = fc.oneof(
    fc.constantFrom(0, 1, 2, 12, 14, 16, 20, 0x7f, 0x80, 0x81, 0xfe, 0xff),
    fc.integer({ min: 0, max: 255 }),
  )
  fc.assert(
    fc.property(fc.array(likely, { minLength: 7, maxLength: 60 }), fc.integer({ min: 1, max: 8 }), (noise, count) => {
      agree(Buffer.from(noise), 0, noise.length, count)
    }),
    { numRuns: 8000, seed: 7 },
  )
})

function agree(batch: Buffer, start: number, end: number, count: number): void {
  if (count < 1) return
  const plain = new Int32Array(count * STRIDE)
  const fast = new Int32Array(count * STRIDE)
  let wellFormed = false
  try {
    wellFormed = indexRecordsPlain(batch, start, end, count, plain, 0) === end
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError)
  }
  expect(kernel()!.takes(end, count)).toBe(true)
  expect(kernel()!.scan(batch, 0, start, end, count, fast, 0)).toBe(wellFormed)
  expect(kernel()!.crc).toBe(crc32cPlain(batch, 0, end))
  if (wellFormed) expect(fast).toEqual(plain)

  // The same bytes as a piece of a larger batch: what is whole in it, and no more.
  fast.fill(0)
  kernel()!.crc = 0
  const found = kernel()!.piece(batch, start, end, count, fast, 0, true)
  const { reached } = kernel()!
  plain.fill(0)
  expect(indexRecordsPlain(batch, start, end, found, plain, 0)).toBe(reached)
  expect(fast).toEqual(plain)
  expect(kernel()!.crc).toBe(crc32cPlain(batch, start, reached))
  if (found < count) expect(() => indexRecordsPlain(batch, reached, end, 1, plain, 0)).toThrow(RangeError)
}
