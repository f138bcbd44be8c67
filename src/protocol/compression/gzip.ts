import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { Compressor } from './codec.ts'

const gzipPooled = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip)
const gunzipPooled = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip)

/** How each member begins. */
const MAGIC = Buffer.from('1f8b08', 'hex')
const LEAST_BYTES = 18
/** Deflate shrinks nothing more than this. */
const MOST_GROWTH = 1032
/** The least size of the pieces in which node:zlib takes what comes out. */
const LEAST_CHUNK_BYTES = 64

/** zlib's default level is 6. */
export const gzip: Compressor = {
  compress(input, level) {
    const options = {
      chunkSize: Math.max(LEAST_CHUNK_BYTES, input.length >>> 1),
      ...(level === undefined ? {} : { level }),
    }
    return { inline: () => zlib.gzipSync(input, options), pooled: () => gzipPooled(input, options) }
  },
  decompress(input, maxBytes) {
    if (input.length < LEAST_BYTES) throw new RangeError('no gzip')
    const bytes = Buffer.from(input.buffer, input.byteOffset, input.length)
    // How much the last member says it holds: all there is, unless there are others.
    const claimed = bytes.readUInt32LE(bytes.length - 4)
    const bound = Math.min(maxBytes, bytes.length * MOST_GROWTH)
    if (claimed > bound) throw new RangeError(`gzip that claims ${claimed} bytes`)
    const mostBytes = bytes.includes(MAGIC, 1) ? bound : claimed
    const options = {
      maxOutputLength: Math.max(1, mostBytes),
      // One piece, with a byte of room by which zlib sees that it needs no other; no small ones, whatever is claimed.
      chunkSize: Math.max(LEAST_CHUNK_BYTES, claimed + 1, Math.min(bytes.length, bound)),
    }
    return { inline: () => zlib.gunzipSync(input, options), pooled: () => gunzipPooled(input, options), mostBytes }
  },
}
