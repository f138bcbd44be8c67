import type { ZlibOptions } from 'node:zlib'
import { nodeZlib, promised } from '../zlib.ts'
import type { Compressor } from './codec.ts'
import { joined } from './pieces.ts'

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
    // One piece: deflate adds little to what does not shrink.
    const options = { chunkSize: input.length + (input.length >>> 10) + 64, ...(level === undefined ? {} : { level }) }
    return {
      inline: () => nodeZlib().gzipSync(input, options),
      pooled: () => promised<ZlibOptions>(nodeZlib().gzip, input, options),
    }
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
    return {
      inline: () => nodeZlib().gunzipSync(bytes, options),
      // What zlib.gunzip does, but for its putting all the pieces of several members together at once.
      async pooled(_, inSteps) {
        const stream = nodeZlib().createGunzip(options)
        stream.end(bytes)
        const pieces: Buffer[] = []
        let size = 0
        for await (const piece of stream as AsyncIterable<Buffer>) {
          pieces.push(piece)
          size += piece.length
          if (size > mostBytes) throw new RangeError(`more than ${mostBytes} bytes`)
        }
        return inSteps(joined(pieces))
      },
      mostBytes,
    }
  },
}
