import { afterEach, describe, expect, test, vi } from 'vitest'
import { compress, decompress, type JobRunner } from '../../src/protocol/compression/index.ts'
import { zstdFrames } from '../../src/protocol/compression/zstd-frame.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { stepwise } from '../../src/runtime/stepwise.ts'
import { noise, text } from './sample.ts'
import { hideZstd } from './without-zstd.ts'

let showZstd = () => {}
const withoutZstd = async () => {
  showZstd = hideZstd()
  return import('../../src/protocol/compression/index.ts')
}
afterEach(() => {
  vi.doUnmock('@bokuweb/zstd-wasm')
  showZstd()
})

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex')
/** A header of three bytes, and what follows it. */
function block(type: 'raw' | 'rle' | 'compressed', size: number, last: boolean, content: Buffer): Buffer {
  const header = Buffer.alloc(3)
  header.writeUIntLE((size << 3) | (['raw', 'rle', 'compressed'].indexOf(type) << 1) | Number(last), 0, 3)
  return Buffer.concat([header, content])
}
const raw = (content: Buffer, last = true): Buffer => block('raw', content.length, last, content)
/** A frame that does not say how much it holds. */
const unsized = (...blocks: Buffer[]): Buffer => Buffer.concat([hex('28b52ffd 00 58'), ...blocks])
/** One that says so, in 8 bytes. */
function sized(claim: number, ...blocks: Buffer[]): Buffer {
  const frame = Buffer.concat([hex('28b52ffd e0 0000000000000000'), ...blocks])
  frame.writeBigUInt64LE(BigInt(claim), 5)
  return frame
}
const SKIPPABLE = hex('5a2a4d18 04000000 28b52ffd')

describe('what zstd frames hold at most', () => {
  const holds = (input: Buffer, maxBytes = 1 << 28) => zstdFrames(input, maxBytes).map(({ mostBytes }) => mostBytes)
  const small = raw(Buffer.from('abc'))

  test('what they say, otherwise what their blocks could hold', async () => {
    for (const size of [0, 1, 255, 256, 300, 65_535, 65_536, 66_000, 200_000])
      expect(holds(Buffer.from(await compress('zstd', text(size), undefined, undefined)))).toEqual([size])
    expect(holds(unsized(raw(Buffer.alloc(10), false), block('rle', 100_000, true, hex('61'))))).toEqual([100_010])
    expect(holds(unsized(block('compressed', 5, true, Buffer.alloc(5))))).toEqual([128 * 1024])
    expect(holds(hex('28b52ffd 20 03 190000 616263'))).toEqual([3])
    expect(holds(hex('28b52ffd 01 58 aa 190000 616263'))).toEqual([3]) // with a dictionary
    expect(holds(hex('28b52ffd 04 58 190000 616263 00112233'))).toEqual([3]) // with a checksum
  })

  test('each for itself, and all together no more than allowed', () => {
    const [a, b] = [sized(3, small), unsized(small)]
    expect(zstdFrames(Buffer.concat([a, b, a]), 100)).toEqual([
      { start: 0, end: a.length, mostBytes: 3 },
      { start: a.length, end: a.length + b.length, mostBytes: 3 },
      { start: a.length + b.length, end: 2 * a.length + b.length, mostBytes: 3 },
    ])
    expect(holds(Buffer.concat([b, b, b]), 5)).toEqual([3, 2, 0])
    expect(() => holds(Buffer.concat([b, a]), 5)).toThrow(/claims 3 bytes/)
  })

  test('skippable ones hold nothing, wherever they stand', () => {
    const frame = sized(3, small)
    const input = Buffer.concat([SKIPPABLE, frame, SKIPPABLE, SKIPPABLE, frame, SKIPPABLE])
    expect(zstdFrames(input, 100).map(({ start, end }) => [start, end])).toEqual([
      [12, 12 + frame.length],
      [36 + frame.length, 36 + 2 * frame.length],
    ])
    expect(zstdFrames(SKIPPABLE, 100)).toEqual([])
    for (let size = 1; size < SKIPPABLE.length; size++)
      expect(() => zstdFrames(SKIPPABLE.subarray(0, size), 100)).toThrow(RangeError)
    expect(() => zstdFrames(hex('602a4d18 00000000'), 100)).toThrow(/no zstd frame/)
  })

  test('a frame that claims more than its blocks could hold', () => {
    expect(() => holds(sized(4, small))).toThrow(/claims 4 bytes/)
    expect(() => holds(sized(128 * 1024 + 1, block('compressed', 2, true, Buffer.alloc(2))))).toThrow(/claims 131073 bytes/)
    expect(holds(sized(128 * 1024, block('compressed', 2, true, Buffer.alloc(2))))).toEqual([128 * 1024])
  })

  test('a frame that is cut off, also where only its checksum is missing', () => {
    for (const frame of [sized(3, small), hex('28b52ffd 04 58 190000 616263 00112233')])
      for (let size = 1; size < frame.length; size++) expect(() => holds(frame.subarray(0, size))).toThrow(RangeError)
  })

  test('blocks that cannot be', () => {
    const reserved = unsized(hex('070000'))
    expect(() => holds(reserved)).toThrow(/damaged zstd block/)
    expect(() => holds(unsized(block('rle', 128 * 1024 + 1, true, hex('61'))))).toThrow(/damaged zstd block/)
  })

  test('no walk is endless: of empty blocks, frames and skippable frames there are only so many', () => {
    const empty = raw(Buffer.alloc(0), false)
    const many = (count: number, bytes: Buffer) => Buffer.alloc(count * bytes.length, bytes)
    expect(holds(unsized(many(65_535, empty), small))).toEqual([3])
    expect(() => holds(unsized(many(65_536, empty), small))).toThrow(/more than 65536 zstd blocks/)
    expect(holds(many(4096, unsized(small))).length).toBe(4096)
    expect(() => holds(many(4097, unsized(small)))).toThrow(/more than 4096 zstd frames/)
    expect(() => holds(many(65_537, hex('502a4d18 00000000')))).toThrow(/more than 65536 skippable zstd frames/)
  })
})

describe.each([
  ['here', async () => ({ compress, decompress })],
  ['by the package', withoutZstd],
] as const)('zstd %s: several frames, as Java reads them', (_, codecs) => {
  test('one after the other, skippable and empty ones among them', async () => {
    const { compress, decompress } = await codecs()
    const packed = await Promise.all(
      [0, 20, 1000, 300_000].map(async size => Buffer.from(await compress('zstd', text(size), 3, undefined))),
    )
    const [empty, short, medium, long] = packed as [Buffer, Buffer, Buffer, Buffer]
    for (const runner of [undefined, nodeRuntime.offload])
      for (const [parts, sizes] of [
        [
          [short, medium],
          [20, 1000],
        ],
        [
          [medium, empty, unsized(raw(text(20)))],
          [1000, 20],
        ],
        [[empty, short], [20]],
        [[SKIPPABLE, short], [20]],
        [
          [SKIPPABLE, long, SKIPPABLE, unsized(raw(text(20))), long, SKIPPABLE],
          [300_000, 20, 300_000],
        ],
        [[SKIPPABLE], []],
      ] as const) {
        const expected = Buffer.concat(sizes.map(text))
        const output = await decompress('zstd', Buffer.concat(parts), expected.length, runner)
        expect(output.equals(expected), `${sizes}`).toBe(true)
        if (expected.length > 0)
          await expect((async () => decompress('zstd', Buffer.concat(parts), expected.length - 1, runner))()).rejects.toThrow(
            /do not decompress/,
          )
      }
  })

  test('no byte more than allowed, where a frame has no room left', async () => {
    const { compress, decompress } = await codecs()
    await compress('zstd', text(1), undefined, undefined)
    const frames = Buffer.concat(['abc', 'd'].map(content => unsized(raw(Buffer.from(content)))))
    expect(String(decompress('zstd', frames, 4, undefined))).toBe('abcd')
    for (const maxBytes of [3, 2, 1]) expect(() => decompress('zstd', frames, maxBytes, undefined)).toThrow(/do not decompress/)
  })

  test('many small ones from which much comes leave the loop', async () => {
    const { compress, decompress } = await codecs()
    await compress('zstd', text(1), undefined, undefined)
    const frame = unsized(block('rle', 100_000, true, hex('61')))
    const output = decompress('zstd', Buffer.alloc(11 * frame.length, frame), 2 << 20, nodeRuntime.offload)
    expect(output).toBeInstanceOf(Promise)
    expect((await output).equals(Buffer.alloc(1_100_000, 'a'))).toBe(true)
  })

  test('a damaged one among them is refused', async () => {
    const { compress, decompress } = await codecs()
    const good = Buffer.from(await compress('zstd', text(1000), 3, undefined))
    const bad = unsized(block('compressed', 20, true, Buffer.alloc(20, 0xff)))
    for (const parts of [
      [good, bad],
      [bad, good],
      [good, Buffer.from('no frame')],
      [good, good.subarray(0, -1)],
    ])
      await expect((async () => decompress('zstd', Buffer.concat(parts), 10_000, undefined))()).rejects.toMatchObject({
        code: 'ERR_CORRUPT_RECORD',
      })
  })
})

describe('zstd where node:zlib has none', () => {
  test('the package serves, also when others have initialised it before', async () => {
    for (let copy = 0; copy < 3; copy++) {
      const { compress, decompress } = await withoutZstd()
      for (let i = 1; i < 5; i++) {
        const packed = await compress('zstd', text(5000 * i), 5, undefined)
        expect((await decompress('zstd', packed, 5000 * i, undefined)).equals(text(5000 * i))).toBe(true)
        await new Promise<void>(resolve => void setImmediate(resolve))
      }
    }
  })

  test('large batches are worked on in a thread, many at once; small ones here, without a promise', async () => {
    const inputs = [1, 2, 3, 4].map(i => Buffer.concat([text(i * 100_000), noise(i * 50_000)]))
    const small = Buffer.from(await compress('zstd', text(10_000), undefined, undefined))
    let here = 0
    const standIn = (answer: string) => () => {
      here++
      return Buffer.from(answer)
    }
    vi.doMock('@bokuweb/zstd-wasm', () => ({ compress: standIn('packed'), decompress: standIn('unpacked') }))
    const mended = await withoutZstd()
    const pack = (input: Uint8Array) => mended.compress('zstd', input, undefined, nodeRuntime.offload)
    const unpack = (packed: Uint8Array, most: number) => mended.decompress('zstd', packed, most, nodeRuntime.offload)
    expect(String(await pack(text(10)))).toBe('packed')
    expect(String(pack(text(10_000)))).toBe('packed')
    expect(String(unpack(small, 10_000))).toBe('unpacked')

    here = 0
    const packed = await Promise.all(inputs.map(pack))
    const unpacked = await Promise.all(packed.map((bytes, i) => unpack(bytes, inputs[i]!.length)))
    unpacked.forEach((bytes, i) => void expect(bytes.equals(inputs[i]!), `input ${i}`).toBe(true))

    // Damage and bombs are refused as they are here, and only they.
    const damaged = Buffer.from(packed[3]!).fill(0xff, 20, 60)
    const { length } = inputs[3]!
    for (const [bytes, most] of [
      [damaged, length],
      [packed[3]!, length - 1],
    ] as const)
      await expect((async () => unpack(bytes, most))()).rejects.toMatchObject({ code: 'ERR_CORRUPT_RECORD' })
    expect((await unpack(packed[3]!, length)).equals(inputs[3]!)).toBe(true)
    expect(here).toBe(0)
  })

  test('where there are no threads, large batches are worked on here', async () => {
    const { compress, decompress } = await withoutZstd()
    const refused: JobRunner = { run: async job => job.pooled!(async () => undefined, stepwise) }
    const packed = await compress('zstd', text(100_000), undefined, refused)
    expect((await decompress('zstd', packed, 100_000, refused)).equals(text(100_000))).toBe(true)
  })

  test('without the package, the error names it', async () => {
    vi.doMock('@bokuweb/zstd-wasm', () => {
      throw new Error('not installed')
    })
    const { compress } = await withoutZstd()
    await expect(compress('zstd', text(10), undefined, undefined)).rejects.toMatchObject({
      code: 'ERR_MISSING_CODEC',
      message: expect.stringMatching(/npm install @bokuweb\/zstd-wasm$/),
    })
  })
})
