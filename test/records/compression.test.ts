import * as zlib from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'
import { compress, decompress, type JobRunner, OFFLOAD_BYTES } from '../../src/protocol/compression/index.ts'
import { BatchBuilder, encodedBatches } from '../../src/protocol/records/index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { stepwise } from '../../src/runtime/stepwise.ts'
import { CODECS, noise, text } from './sample.ts'

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

test('what the thread pool cannot do fails the promise: gzip that cannot be made, zstd that is damaged', async () => {
  const spy = vi.spyOn(process.getBuiltinModule('node:zlib'), 'gzip')
  try {
    spy.mockImplementation(((_: unknown, __: unknown, done: (error: Error) => void) => done(new Error('out of memory'))) as never)
    await expect(compress('gzip', text(50_000), undefined, nodeRuntime.offload)).rejects.toThrow('out of memory')
  } finally {
    spy.mockRestore()
  }
  // A frame whose one block is to use the literals' tree of the block before.
  const packed = Buffer.concat([Buffer.from('28b52ffd0058057102', 'hex'), Buffer.alloc(20_000, 0xff)])
  const unpacked = decompress('zstd', packed, 1_000_000, nodeRuntime.offload)
  expect(unpacked).toBeInstanceOf(Promise)
  await expect(unpacked).rejects.toMatchObject({ code: 'ERR_CORRUPT_RECORD' })
})

/** What `work` asks of Buffer, as node:zlib does for the pieces it fills. */
async function asked<T>(work: () => T | Promise<T>): Promise<{ result: T; pieces: number; bytes: number }> {
  const spy = vi.spyOn(Buffer, 'allocUnsafe')
  try {
    const result = await work()
    const sizes = spy.mock.calls.map(([size]) => size)
    return { result, pieces: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
  } finally {
    spy.mockRestore()
  }
}

describe('gzip and what it claims at its end', () => {
  const zeros = Buffer.alloc(8 << 20)
  const claiming = (input: Buffer, bytes: number): Buffer => {
    const packed = zlib.gzipSync(input)
    packed.writeUInt32LE(bytes, packed.length - 4)
    return packed
  }

  test.each([undefined, nodeRuntime.offload])(
    'of several members the last one says little: no small pieces for that',
    async runner => {
      const packed = Buffer.concat([zlib.gzipSync(zeros), zlib.gzipSync('')])
      const { result, pieces, bytes } = await asked(() => decompress('gzip', packed, 16 << 20, runner))
      expect(result.equals(zeros)).toBe(true)
      expect(pieces).toBeLessThan(1100)
      expect(bytes).toBeLessThan(2.1 * zeros.length)
    },
  )

  test('of several members, small ones from which much may come leave the loop', async () => {
    const packed = Buffer.concat([zlib.gzipSync(zeros), zlib.gzipSync('')])
    expect(packed.length).toBeLessThan(OFFLOAD_BYTES)
    const unpacked = decompress('gzip', packed, 16 << 20, nodeRuntime.offload)
    expect(unpacked).toBeInstanceOf(Promise)
    expect((await unpacked).equals(zeros)).toBe(true)
  })

  test('what several members hold is put together step by step', async () => {
    let steps = 0
    const counting = function* <T>(work: Iterator<void, T>): Generator<void, T, void> {
      for (; ; steps++, yield) {
        const { done, value } = work.next()
        if (done) return value
      }
    }
    const runner: JobRunner = {
      run: job =>
        job.pooled!(
          async () => undefined,
          work => stepwise(counting(work)),
        ),
    }
    const packed = Buffer.concat([zlib.gzipSync(zeros), zlib.gzipSync(noise(3_000_000))])
    const unpacked = await decompress('gzip', packed, 16 << 20, runner)
    expect(unpacked.equals(Buffer.concat([zeros, noise(3_000_000)]))).toBe(true)
    expect(steps).toBeGreaterThan(unpacked.length / (512 * 1024))
    await expect(decompress('gzip', packed, unpacked.length - 1, runner)).rejects.toThrow(/more than 11388607 bytes/)
  })

  test('one member makes one piece, and is held to what it says', async () => {
    const packed = zlib.gzipSync(text(50_000))
    const honest = await asked(() => decompress('gzip', packed, 1 << 20, undefined))
    expect(honest).toMatchObject({ result: text(50_000), pieces: 1, bytes: 50_001 })
    const refused = (packed: Buffer, reason: RegExp) =>
      asked(() => expect(() => decompress('gzip', packed, 16 << 20, undefined)).toThrow(reason))
    expect((await refused(claiming(zeros, 100), /larger than 100 bytes/)).bytes).toBeLessThan(100_000)
    // Too much is refused before a byte of it is made: for the limit, or for what deflate can do.
    expect((await refused(zlib.gzipSync(Buffer.alloc(17 << 20)), /claims 17825792 bytes/)).pieces).toBe(0)
    expect((await refused(claiming(text(10), 1 << 20), /claims 1048576 bytes/)).pieces).toBe(0)
  })
})

/** The blocks of snappy-java's chunks as one bare block: what other clients write. */
function bare(packed: Uint8Array, size: number, literal: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.from(packed)
  const parts: Buffer[] = [varint(size + literal.length)]
  for (let at = 16; at < bytes.length; ) {
    const end = at + 4 + bytes.readInt32BE(at)
    at += 4
    while (bytes[at++]! > 0x7f);
    parts.push(bytes.subarray(at, end))
    at = end
  }
  if (literal.length > 0) {
    const tag = Buffer.from([63 << 2, 0, 0, 0, 0])
    tag.writeUInt32LE(literal.length - 1, 1)
    parts.push(tag, literal)
  }
  return Buffer.concat(parts)
}
function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    if (rest <= 0x7f) return Buffer.from(bytes)
  }
}

/** Runs jobs step by step, counting. */
function stepping(counted: { steps: number }): JobRunner {
  return {
    async run(job) {
      for (const work = job.stepped!(); ; counted.steps++) {
        const { done, value } = work.next()
        if (done) return value
      }
    },
  }
}

test('snappy: a large bare block, and a literal of megabytes in it, are undone step by step', async () => {
  const head = text(5_000_000)
  const literal = noise(3_000_000)
  const packed = bare(await compress('snappy', head, undefined, undefined), head.length, literal)
  const most = head.length + literal.length
  const counted = { steps: 0 }
  const unpacked = await decompress('snappy', packed, most, stepping(counted))
  expect(unpacked.equals(Buffer.concat([head, literal]))).toBe(true)
  // Half a megabyte at most at a time: bringing the input in, undoing it, taking the output out.
  expect(counted.steps).toBeGreaterThan((packed.length + 2 * most) / (512 * 1024) - 4)
  expect((decompress('snappy', packed, most, undefined) as Buffer).equals(unpacked)).toBe(true)
  // Whatever is too much, too little or damaged is found at any step.
  for (const [bytes, reason] of [
    [packed.subarray(0, -1), /damaged/],
    [packed.subarray(0, -2_000_000), /damaged/],
    [Buffer.concat([packed, Buffer.from([0, 97])]), /is not 8000000 bytes long/],
    [Buffer.concat([packed, Buffer.from([2, 1, 0])]), /is not 8000000 bytes long/],
    [Buffer.from(packed).fill(0xff, 100_000, 100_100), /damaged|is not/],
  ] as const)
    await expect((async () => decompress('snappy', bytes, most, stepping(counted)))()).rejects.toThrow(reason)
})

test('snappy: a block that claims more than its bytes could hold is refused for that, however high the limit', () => {
  const claim = Buffer.concat([varint(45), Buffer.from([0, 97])])
  expect(() => decompress('snappy', claim, 1 << 28, undefined)).toThrow(/a block of 2 bytes claims 45/)
  const zeros = Buffer.concat([varint(65), Buffer.from([0, 97, (63 << 2) | 2, 1, 0])])
  expect(String(decompress('snappy', zeros, 65, undefined))).toBe('a'.repeat(65))
})

/** xxHash32, as its specification has it, for what LZ4 frames are checked with. */
function xxh32(bytes: Buffer): number {
  const [p1, p2, p3, p4, p5] = [2_654_435_761, 2_246_822_519, 3_266_489_917, 668_265_263, 374_761_393] as const
  const rotated = (value: number, by: number) => (value << by) | (value >>> (32 - by))
  const lanes = [p1 + p2, p2, 0, -p1].map(lane => lane | 0)
  let at = 0
  for (; at + 16 <= bytes.length; at += 16)
    for (let i = 0; i < 4; i++)
      lanes[i] = Math.imul(rotated((lanes[i]! + Math.imul(bytes.readInt32LE(at + 4 * i), p2)) | 0, 13), p1)
  const [a, b, c, d] = lanes as [number, number, number, number]
  let hash = bytes.length < 16 ? p5 : rotated(a, 1) + rotated(b, 7) + rotated(c, 12) + rotated(d, 18)
  hash = (hash + bytes.length) | 0
  for (; at + 4 <= bytes.length; at += 4) hash = Math.imul(rotated((hash + Math.imul(bytes.readInt32LE(at), p3)) | 0, 17), p4)
  for (; at < bytes.length; at++) hash = Math.imul(rotated((hash + Math.imul(bytes[at]!, p5)) | 0, 11), p1)
  hash = Math.imul(hash ^ (hash >>> 15), p2)
  hash = Math.imul(hash ^ (hash >>> 13), p3)
  return (hash ^ (hash >>> 16)) >>> 0
}

test('lz4: a large content hash is taken, and much output copied, step by step', async () => {
  const input = noise(4 << 20)
  const frame = Buffer.from(await compress('lz4', input, undefined, undefined))
  // Its blocks are stored. The hash of the content goes to its end, and a flag says so.
  const counted = { steps: 0 }
  await decompress('lz4', frame, input.length, stepping(counted))
  const without = counted.steps
  expect(without).toBe(64 + 8 + 7)
  const hashed = Buffer.concat([frame, Buffer.alloc(4)])
  hashed[4]! |= 4
  hashed[6] = (xxh32(hashed.subarray(4, 6)) >>> 8) & 0xff
  hashed.writeUInt32LE(xxh32(input), frame.length)
  counted.steps = 0
  expect((await decompress('lz4', hashed, input.length, stepping(counted))).equals(input)).toBe(true)
  expect(counted.steps).toBe(without + 7)
  hashed[hashed.length - 1]! ^= 1
  await expect((async () => decompress('lz4', hashed, input.length, stepping(counted)))()).rejects.toThrow(
    /content of an LZ4 frame/,
  )
})

test('lz4: a frame that needs a dictionary is refused, whatever the hash of its header', () => {
  const frame = Buffer.from('04224d18614000050000806162636465' + '00000000', 'hex')
  for (let hash = 0; hash < 256; hash++) {
    frame[6] = hash
    expect(() => decompress('lz4', frame, 100, undefined)).toThrow(/LZ4 frame with the flags 97/)
  }
  // The same without the flag, and the hash that goes with it.
  frame[4] = 0x60
  frame[6] = 0x82
  expect(String(decompress('lz4', frame, 100, undefined))).toBe('abcde')
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

test.each([
  ['gzip', [1, 9, -1], [0, 10, 99, -2, 1.5, Number.NaN], 'between 1 and 9, or -1, for gzip'],
  ['lz4', [1, 17], [0, 18, 99, -3, 9.5], 'between 1 and 17 for lz4'],
  ['zstd', [-131_072, 0, 22], [-131_073, 23, 99, 2.5], 'between -131072 and 22 for zstd'],
  ['snappy', [], [1, 5], `has no meaning with compression 'snappy'`],
] as const)('%s: levels that Kafka has (KIP-390) are taken, others named', async (codec, taken, others, range) => {
  for (const level of taken) {
    const packed = await compress(codec, text(1000), level, undefined)
    expect((await decompress(codec, packed, 1000, undefined)).equals(text(1000)), `level ${level}`).toBe(true)
  }
  for (const level of others) {
    const builder = new BatchBuilder({ codec, level })
    builder.append({ key: null, value: text(10), timestamp: 0 })
    const refused = expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining(range) })
    expect(() => builder.finish({}), `level ${level}`).toThrow(refused)
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

test.each(['gzip', 'lz4', 'zstd'] as const)('%s: a small input from which much comes leaves the loop too', async codec => {
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
