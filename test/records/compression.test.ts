import * as zlib from 'node:zlib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { compress, decompress, type JobRunner, OFFLOAD_BYTES } from '../../src/protocol/compression/index.ts'
import { BatchBuilder, encodedBatches } from '../../src/protocol/records/index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { CODECS } from './sample.ts'

const text = (bytes: number): Buffer =>
  Buffer.from('{"id":4711,"user":"somebody","amount":42}\n'.repeat(bytes / 42 + 1)).subarray(0, bytes)
const noise = (bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes)
  for (let i = 0, x = 1; i < bytes; i++) buffer[i] = (x = (Math.imul(x, 1_103_515_245) + 12_345) >>> 0) >>> 16
  return buffer
}

const GOLDEN =
  'H4sIAAAAAAACA2NR8pWIcSgQZGQAgcemQPq/dLVSZoqSlYm5oaGOUmlxapGSlVJxfm5qUn5KpZKOUmJufmleCVDeqJZLi+H/CAf7AsBBFBDIu1gaGIL8HzCVZAaAQ64w8QQ3KJCZnFUbADArC9h3AQAA'

describe.each(CODECS.slice(1))('%s', codec => {
  test.each([1, 5, 12, 13, 14, 255, 32_768, 65_535, 65_536, 65_537, 300_000])(
    '%i bytes of text, of noise and of zeros',
    async size => {
      for (const input of [text(size), noise(size), Buffer.alloc(size)]) {
        const packed = await compress(codec, input, undefined, undefined)
        expect(packed.length).toBeLessThan(size + size / 6 + 64)
        expect((await decompress(codec, packed, size, undefined)).equals(input)).toBe(true)
      }
    },
  )

  test('text shrinks, and the limit on the output is exact', async () => {
    const packed = await compress(codec, text(100_000), undefined, undefined)
    expect(packed.length).toBeLessThan(10_000)
    await expect((async () => decompress(codec, packed, 99_999, undefined))()).rejects.toThrow(/at most 99999 bytes/)
  })
})

test('snappy: a bare block, as other clients write it', () => {
  // Preamble 11, literal of 5 bytes "hello", literal of 1 byte " ", copy of 5 from 6 back.
  expect(String(decompress('snappy', Buffer.from('0b1068656c6c6f00200506', 'hex'), 100, undefined))).toBe('hello hello')
})

test('lz4: linked blocks, block and content hashes, a content size, as lz4 -B4 -BD -BX --content-size writes them', () => {
  const packed = Buffer.from(zlib.gunzipSync(Buffer.from(GOLDEN, 'base64')))
  expect((decompress('lz4', packed, 70_000, undefined) as Buffer).equals(text(70_000))).toBe(true)
  for (const at of [5, 20, packed.length - 1]) {
    const damaged = Buffer.from(packed)
    damaged[at]! ^= 1
    expect(() => decompress('lz4', damaged, 70_000, undefined)).toThrow(/do not decompress/)
  }
})

test('lz4: levels above 9 search deeper', async () => {
  const input = Buffer.concat([text(20_000), noise(2000), text(20_000)])
  const fast = await compress('lz4', input, undefined, undefined)
  const deep = await compress('lz4', input, 17, undefined)
  expect(deep.length).toBeLessThanOrEqual(fast.length)
  expect((await decompress('lz4', deep, input.length, undefined)).equals(input)).toBe(true)
})

test('lz4 in message format 0 has its own header hash, which nobody looks at', async () => {
  const legacy = await compress('lz4', text(100), undefined, undefined, true)
  expect(String(await decompress('lz4', legacy, 100, undefined, true))).toBe(String(text(100)))
  expect(() => decompress('lz4', legacy, 100, undefined, false)).toThrow(/header of an LZ4 frame/)
})

test.each(CODECS.slice(1))('%s of large batches leaves the loop, of small ones it does not', async codec => {
  await compress(codec, text(1), undefined, undefined) // loads what it needs
  let jobs = 0
  const runner: JobRunner = {
    run(job) {
      jobs++
      return nodeRuntime.offload.run(job)
    },
  }
  for (const value of [noise(2 * OFFLOAD_BYTES), text(100)]) {
    const builder = new BatchBuilder({ codec })
    builder.append({ key: null, value, timestamp: 0 })
    const before = jobs
    const batch = builder.finish({ offload: runner })
    const [encoded] = [...encodedBatches(Buffer.from(await batch))]
    const records = encoded!.open({ checkCrcs: true, maxBytes: 1 << 20, offload: runner })
    expect((await records).valueAt(0)?.equals(value)).toBe(true)
    const off = value.length > OFFLOAD_BYTES
    expect([batch instanceof Promise, records instanceof Promise, jobs - before]).toEqual([off, off, off ? 2 : 0])
  }
})

test.each(['gzip', 'zstd'] as const)('%s: a small input from which much comes leaves the loop too', async codec => {
  const zeros = Buffer.alloc(2 << 20)
  const packed = await compress(codec, zeros, undefined, undefined)
  expect(packed.length).toBeLessThan(OFFLOAD_BYTES)
  const unpacked = decompress(codec, packed, zeros.length, nodeRuntime.offload)
  expect(unpacked).toBeInstanceOf(Promise)
  expect((await unpacked).equals(zeros)).toBe(true)
})

test.each(['snappy', 'lz4'] as const)(
  '%s of many large batches at once: the steps interleave, the results do not mix',
  async codec => {
    const inputs = Array.from({ length: 6 }, (_, i) => (i % 2 ? noise((i + 1) * 200_000) : text((i + 1) * 300_000)))
    let steps = 0
    // One step a turn, so that all of them are under way together.
    const runner: JobRunner = {
      async run(job) {
        const work = job.stepped!()
        for (;;) {
          const { done, value } = work.next()
          if (done) return value
          steps++
          await new Promise<void>(resolve => void setImmediate(resolve))
        }
      },
    }
    const packed = await Promise.all(inputs.map(input => compress(codec, input, undefined, runner)))
    const unpacked = await Promise.all(packed.map((bytes, i) => decompress(codec, bytes, inputs[i]!.length, runner)))
    unpacked.forEach((bytes, i) => void expect(bytes.equals(inputs[i]!), `input ${i}`).toBe(true))
    expect(steps).toBeGreaterThan(50)
    // A damaged one fails alone, and the instance it used serves again.
    const damaged = Buffer.from(packed[0]!).fill(0xff, 40, 90)
    await expect((async () => decompress(codec, damaged, inputs[0]!.length, runner))()).rejects.toMatchObject({
      code: 'ERR_CORRUPT_RECORD',
    })
    expect((await decompress(codec, packed[1]!, inputs[1]!.length, undefined)).equals(inputs[1]!)).toBe(true)
  },
)

describe('zstd where node:zlib has none', () => {
  const withoutZstd = async () => {
    vi.resetModules()
    vi.doMock('node:zlib', () => ({ ...zlib, default: undefined, zstdCompressSync: undefined }))
    return import('../../src/protocol/compression/index.ts')
  }
  afterEach(() => {
    vi.doUnmock('node:zlib')
    vi.doUnmock('@bokuweb/zstd-wasm')
    vi.resetModules()
  })

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
    const refused: JobRunner = { run: async job => job.pooled!(async () => undefined) }
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
