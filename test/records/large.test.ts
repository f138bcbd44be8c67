import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { CorruptRecordError } from '../../src/errors.ts'
import type { Job } from '../../src/protocol/compression/index.ts'
import { encodedBatches, type RecordBatch } from '../../src/protocol/records/index.ts'
import { kernel } from '../../src/protocol/records/kernel/kernel.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { bytes, CODECS, contents, resealed, written } from './sample.ts'

const world = vi.hoisted(() => ({ hasKernel: true }))
vi.mock('../../src/protocol/records/kernel/kernel.ts', async importOriginal => {
  const original = await importOriginal<typeof import('../../src/protocol/records/kernel/kernel.ts')>()
  return { ...original, kernel: () => (world.hasKernel ? original.kernel() : null) }
})
afterEach(() => {
  world.hasKernel = true
  vi.restoreAllMocks()
})

/** How many steps each job took that could be done step by step. */
let steps: number[] = []
const counting = {
  async run<T>(job: Job<T>): Promise<T> {
    if (!job.stepped) return job.inline()
    const work = job.stepped()
    for (let taken = 1; ; taken++) {
      const { done, value } = work.next()
      if (!done) continue
      steps.push(taken)
      return value
    }
  },
}
const open = (set: Buffer, offload?: typeof counting): RecordBatch | Promise<RecordBatch> => {
  steps = []
  return encodedBatches(set)
    .next()
    .value.open({ checkCrcs: true, maxBytes: 1 << 28, offload })
}

const small = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: null, value: bytes(`status=${i % 7}`), timestamp: 1_700_000_000_000 + i }))
/** Records of all sizes, some of which take several pieces. */
const mixed = Array.from({ length: 300 }, (_, i) => ({
  key: i % 5 === 0 ? null : bytes(`key ${i}`),
  value: i % 11 === 0 ? null : Buffer.alloc((i * i * i) % (i % 40 === 39 ? 700_001 : 9001), i),
  headers: i % 40 === 39 ? Array.from({ length: 2000 }, (_, j) => ({ key: `h${j}`, value: j % 2 ? null : bytes('x') })) : [],
  timestamp: 1_700_000_000_000 + i,
}))
const digest = (value: Uint8Array | null) => value && createHash('sha1').update(value).digest('base64')
const mixedRows = mixed.map(({ key, value, headers, timestamp }, i) => [i, timestamp, `${key}`, digest(value), headers.length])
/** What is read of `mixed`, in few words: comparing megabytes takes long. */
const rowsOf = (batch: RecordBatch) =>
  contents([batch]).map(({ key, value, headers, timestamp, offset }) => {
    headers.forEach((header, j) => {
      if (header.key !== `h${j}` || (j % 2 ? header.value !== null : `${header.value}` !== 'x')) throw new Error(`header ${j}`)
    })
    return [Number(offset), Number(timestamp), `${key}`, digest(value), headers.length]
  })

describe.each(CODECS)('a large batch, %s', codec => {
  test('many small records are indexed in pieces', async () => {
    const opened = open(await written(2, codec, small(50_000)), counting)
    expect(opened).toBeInstanceOf(Promise)
    const batch = await opened
    expect(batch).toHaveLength(50_000)
    expect([0, 9_999, 49_999].map(i => [batch.offsetAt(i), batch.timestampAt(i), `${batch.valueAt(i)}`])).toEqual(
      [0, 9_999, 49_999].map(i => [BigInt(i), 1_700_000_000_000 + i, `status=${i % 7}`]),
    )
    // Decompression goes first, in steps or, on other threads, without.
    expect(steps).toHaveLength(codec === 'snappy' || codec === 'lz4' ? 2 : 1)
    expect(steps.at(-1), 'of 900 KB').toBeGreaterThan(6)
  })

  test('records of all sizes are read as they were written', async () => {
    const set = await written(2, codec, mixed)
    expect(rowsOf(await open(set, counting))).toEqual(mixedRows)
    expect(steps.at(-1)).toBeGreaterThan(10)
    expect(rowsOf(await open(set)), 'without anybody to give way to').toEqual(mixedRows)
  })
})

test('the checksum of a large compressed batch is taken in pieces', async () => {
  const noise = Array.from({ length: 6 }, (_, i) => ({
    key: null,
    value: Buffer.from(Uint32Array.from({ length: 200_000 }, (_, j) => Math.imul(i * 200_000 + j + 1, 0x9e3779b1)).buffer),
    timestamp: 0,
  }))
  const set = await written(2, 'lz4', noise)
  expect(set.length).toBeGreaterThan(2 << 20)
  expect(await open(set, counting)).toHaveLength(6)
  expect(steps).toHaveLength(3)
  expect(steps[0]).toBeGreaterThan(16)
  set[set.length - 1]! ^= 1
  await expect(open(set, counting)).rejects.toThrow(/its checksum is/)
})

test('without the kernel, a large batch is read in pieces as well', async () => {
  world.hasKernel = false
  expect(rowsOf(await open(await written(2, 'none', mixed), counting))).toEqual(mixedRows)
  expect(steps[0]).toBeGreaterThan(10)
})

test('what is neither long nor rich in records is opened at once, whoever could give way', async () => {
  expect(open(await written(2, 'none', small(1000)), counting)).not.toBeInstanceOf(Promise)
  expect(steps).toEqual([])
})

test('the kernel does it, whatever the size', async () => {
  const scan = vi.spyOn(kernel()!, 'scan')
  const piece = vi.spyOn(kernel()!, 'piece')
  await open(await written(2, 'none', small(1000)))
  expect(scan).toHaveLastReturnedWith(true)
  const values = small(20_000).map(record => ({ ...record, value: Buffer.alloc(1000) }))
  expect(await open(await written(2, 'none', values))).toHaveLength(20_000)
  expect(piece.mock.results.reduce((records, { value }) => records + (value as number), 0)).toBe(20_000)
})

test('others have their turn while a large batch is opened', async () => {
  const set = await written(2, 'none', small(1_000_000))
  let turns = 0
  let running = true
  const turn = () => {
    turns++
    if (running) setImmediate(turn)
  }
  setImmediate(turn)
  const batch = await encodedBatches(set)
    .next()
    .value.open({ checkCrcs: true, maxBytes: 1 << 28, offload: nodeRuntime.offload })
  running = false
  expect(batch).toHaveLength(1_000_000)
  expect(turns).toBeGreaterThan(1)
})

describe('damage in a large batch is told as in a small one', () => {
  test.each<[string, RegExp, (set: Buffer) => Buffer]>([
    ['a checksum', /its checksum is/, set => flipped(set, set.length - 2)],
    ['a length, under a checksum that is wrong as well', /its checksum is/, set => flipped(set, 61)],
    ['the length of the first record', /a record claims 0 headers/, set => resealed(flipped(set, 61, 4))],
    [
      'a record in the middle',
      /a record|a field|the bytes end/,
      set => resealed(withByte(set, set.indexOf('status=3', 300_000) - 1, 99)),
    ],
    [
      'bytes at the end',
      /bytes follow the last of 50000 records/,
      set => resealed(counted(Buffer.concat([set, Buffer.alloc(9)]), 50_000)),
    ],
    ['fewer records than it says', /the bytes end inside a record|a record claims/, set => resealed(counted(set, 50_001))],
    ['more records than it says', /bytes follow the last of 49999 records/, set => resealed(counted(set, 49_999))],
    ['more records than its bytes could hold', /claims 2147483647 records/, set => resealed(counted(set, 0x7fff_ffff))],
  ])('%s', async (_, reason, damage) => {
    const set = damage(await written(2, 'none', small(50_000), { baseOffset: 7n }))
    for (const offload of [undefined, counting]) {
      const opening = (async () => open(set, offload))()
      await expect(opening).rejects.toThrow(reason)
      await expect(opening).rejects.toMatchObject({ baseOffset: 7n })
      await expect(opening).rejects.toBeInstanceOf(CorruptRecordError)
    }
  })
})

test.each([0, 1] as const)('a large message set of format %i is read in pieces', async magic => {
  const set = await written(magic, 'lz4', small(20_000), { baseOffset: 5n })
  const batch = await open(set, counting)
  expect(contents([batch]).map(({ offset, value }) => `${offset} ${value}`)).toEqual(
    small(20_000).map(({ value }, i) => `${i + 5} ${value}`),
  )
  expect(steps.at(-1)).toBeGreaterThan(40)
})

function flipped(set: Buffer, place: number, bit = 1): Buffer {
  return withByte(set, place, set[place]! ^ bit)
}
function withByte(set: Buffer, place: number, byte: number): Buffer {
  set[place] = byte
  return set
}
function counted(set: Buffer, count: number): Buffer {
  set.writeInt32BE(set.length - 12, 8)
  set.writeInt32BE(count, 57)
  return set
}
