import { type Compressor, type Job, OFFLOAD_OUTPUT_BYTES } from './codec.ts'
import { BLOCK_BYTES, type LzPass, lzJob } from './lz/lz.ts'

/**
 * The LZ4 frame format, little-endian:
 *
 *     magic 4 · flags 1 · block size code 1 · [content size 8] · [dictionary id 4] · header hash 1
 *     · { size 4, top bit set when stored as it is · block · [block hash 4] } … · 0 as size · [content hash 4]
 *
 *     flags:  7–6 version, 1 · 5 blocks independent · 4 block hashes · 3 content size · 2 content hash · 0 dictionary id
 */
const MAGIC = 0x184d2204
const VERSION = 0x40
const INDEPENDENT = 0x20
const BLOCK_HASHES = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_HASH = 0x04
const DICTIONARY = 0x01
/** 64 KiB to 4 MiB. */
const BLOCK_SIZE_64K = 4
const STORED = 0x8000_0000

/** A byte of a length stands for 255 of output, so no block grows more than this. */
const MOST_GROWTH = 255

/** Java's default (KIP-390). */
const FAST_LEVEL = 9
const MOST_ATTEMPTS = 4096

/** 9 is the fast compressor, as in Java; the other levels search up to 2^level earlier places for each, 4096 at most. */
export const lz4: Compressor = {
  compress: (input, level = FAST_LEVEL, legacy = false) =>
    compress(input, level === FAST_LEVEL ? 1 : Math.min(2 ** level, MOST_ATTEMPTS), legacy),
  decompress,
}

function compress(input: Uint8Array, attempts: number, legacy: boolean): Job<Uint8Array> {
  return lzJob(input, function* (pass) {
    const word = Buffer.alloc(7)
    word.writeUInt32LE(MAGIC)
    word[4] = VERSION | INDEPENDENT
    word[5] = BLOCK_SIZE_64K << 4
    pass.put(word.subarray(0, 6))
    word[6] = headerHash(pass.outputHash(legacy ? 0 : 4, legacy ? 6 : 2))
    pass.put(word.subarray(6))
    for (let at = 0; at < input.length; at += BLOCK_BYTES) {
      const size = Math.min(BLOCK_BYTES, input.length - at)
      const place = pass.size
      pass.put(word.subarray(0, 4))
      let taken = pass.compress('lz4', at, size, attempts)
      if (taken >= size) {
        pass.retract(taken)
        pass.literal(at, size)
        taken = size + STORED
      }
      word.writeUInt32LE(taken)
      pass.patch(place, word.subarray(0, 4))
      yield
    }
    word.writeUInt32LE(0)
    pass.put(word.subarray(0, 4))
    return yield* pass.output()
  })
}

function decompress(input: Uint8Array, maxBytes: number, legacy: boolean): Job<Buffer> {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length)
  const job = lzJob(bytes, function* (pass) {
    // A read past the end throws RangeError, from Buffer.
    if (bytes.readUInt32LE(0) !== MAGIC) throw new RangeError('no LZ4 frame')
    const flags = bytes.readUInt8(4)
    if ((flags & 0xc0) !== VERSION || flags & DICTIONARY) throw new RangeError(`an LZ4 frame with the flags ${flags}`)
    const code = (bytes.readUInt8(5) >>> 4) & 7
    if (code < BLOCK_SIZE_64K) throw new RangeError(`an LZ4 frame with the block size ${code}`)
    const blockBytes = 1 << (8 + 2 * code)
    let at = flags & CONTENT_SIZE ? 14 : 6
    // Kafka's clients took the hash over the magic number too in message format 0, and do not look at it there (KAFKA-3160).
    const found = bytes.readUInt8(at)
    if (!legacy && found !== headerHash(pass.inputHash(4, at - 4))) throw new RangeError('the header of an LZ4 frame is damaged')
    at++
    for (;;) {
      const word = bytes.readUInt32LE(at)
      at += 4
      if (word === 0) break
      const size = word % STORED
      if (size > bytes.length - at || size > blockBytes) throw new RangeError(`an LZ4 block claims ${size} bytes`)
      const room = Math.min(blockBytes, maxBytes - pass.size)
      if (word >= STORED) {
        if (size > room) throw new RangeError('more than allowed')
        pass.literal(at, size)
      } else if (!pass.lz4(at, size, room)) throw new RangeError('more than allowed')
      if (flags & BLOCK_HASHES) verify(pass, at, size, bytes.readUInt32LE(at + size))
      at += size + (flags & BLOCK_HASHES ? 4 : 0)
      yield
    }
    if (flags & CONTENT_HASH && bytes.readUInt32LE(at) !== (yield* pass.contentHash()))
      throw new RangeError('the content of an LZ4 frame is damaged')
    return yield* pass.output()
  })
  return { ...job, mostBytes: Math.min(maxBytes, boundOf(bytes)) }
}

/** What comes out of the blocks of a frame at most. The walk over them ends once that is much. */
function boundOf(bytes: Buffer): number {
  if (bytes.length < 11) return 0
  const blockBytes = 1 << (8 + 2 * ((bytes[5]! >>> 4) & 7))
  const hashBytes = bytes[4]! & BLOCK_HASHES ? 4 : 0
  let bound = 0
  for (let at = bytes[4]! & CONTENT_SIZE ? 15 : 7; at + 4 <= bytes.length && bound < OFFLOAD_OUTPUT_BYTES; ) {
    const size = bytes.readUInt32LE(at) % STORED
    if (size === 0) break
    bound += Math.min(blockBytes, size * MOST_GROWTH)
    at += 4 + size + hashBytes
  }
  return bound
}

const headerHash = (hash: number): number => (hash >>> 8) & 0xff

function verify(pass: LzPass, at: number, size: number, announced: number): void {
  if (pass.inputHash(at, size) !== announced) throw new RangeError(`the LZ4 block at ${at} is damaged`)
}
