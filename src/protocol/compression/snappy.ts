import type { Compressor, Job } from './codec.ts'
import { BLOCK_BYTES, lzJob } from './lz/lz.ts'

/**
 * What snappy-java writes, and with it Kafka's own clients: this header, then chunks of `size int32, block`. Others write one bare
 * block. Both are read; the first is written.
 *
 *     0x82 'SNAPPY' 0x00 · version int32 (1) · least compatible version int32 (1)
 */
const HEADER = Buffer.from('82534e41505059000000000100000001', 'hex')
const MARK = HEADER.subarray(0, 8)
/** A chunk of snappy-java. */
const CHUNK_BYTES = BLOCK_BYTES / 2
/** A copy of 64 bytes takes 3, so no block grows more than this. */
const MOST_GROWTH = 22

/** Snappy has no levels. */
export const snappy: Compressor = {
  compress,
  decompress,
}

function compress(input: Uint8Array): Job<Uint8Array> {
  return lzJob(input, function* (pass) {
    pass.put(HEADER)
    const prefix = Buffer.alloc(9)
    for (let at = 0; at < input.length; at += CHUNK_BYTES) {
      const size = Math.min(CHUNK_BYTES, input.length - at)
      const place = pass.size
      let preamble = 4
      for (let rest = size; ; rest >>>= 7) {
        prefix[preamble++] = rest > 0x7f ? (rest & 0x7f) | 0x80 : rest
        if (rest <= 0x7f) break
      }
      pass.put(prefix.subarray(0, preamble))
      prefix.writeInt32BE(preamble - 4 + pass.compress('snappy', at, size, 1))
      pass.patch(place, prefix.subarray(0, 4))
      yield
    }
    return yield* pass.output()
  })
}

function decompress(input: Uint8Array, maxBytes: number): Job<Buffer> {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length)
  return lzJob(bytes, function* (pass) {
    const block = function* (start: number, end: number): Generator<void, void> {
      let at = start
      let size = 0
      for (let shift = 0; ; shift += 7) {
        if (at >= end || shift > 28) throw new RangeError(`the block at ${start} has no size`)
        const byte = bytes[at++]!
        size += (byte & 0x7f) * 2 ** shift
        if (byte < 0x80) break
      }
      if (size > maxBytes - pass.size) throw new RangeError(`a block claims ${size} bytes`)
      if (size > (end - at) * MOST_GROWTH) throw new RangeError(`a block of ${end - at} bytes claims ${size}`)
      const before = pass.size
      if (!(yield* pass.snappy(at, end - at, size)) || pass.size - before !== size)
        throw new RangeError(`the block at ${start} is not ${size} bytes long, as it says`)
    }
    if (!bytes.subarray(0, MARK.length).equals(MARK)) yield* block(0, bytes.length)
    else
      for (let at = 0; at < bytes.length; ) {
        // Streams that were appended to one another each have a header.
        if (bytes.subarray(at, at + MARK.length).equals(MARK)) {
          at += HEADER.length
          continue
        }
        const size = at + 4 > bytes.length ? -1 : bytes.readInt32BE(at)
        at += 4
        if (size < 0 || size > bytes.length - at)
          throw new RangeError(`a chunk of ${size} bytes exceeds the ${bytes.length - at} left`)
        yield* block(at, at + size)
        at += size
        yield
      }
    return yield* pass.output()
  })
}
