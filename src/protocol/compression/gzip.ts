import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { Compressor } from './codec.ts'

const gzipPooled = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip)
const gunzipPooled = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip)

/** Deflate shrinks nothing more than this. */
const MOST_GROWTH = 1032

/** Levels 1–9 (KIP-390); zlib's default, 6, otherwise. */
export const gzip: Compressor = {
  compress(input, level) {
    const options = { chunkSize: Math.max(64, input.length >>> 1), ...(level === undefined ? {} : { level }) }
    return { inline: () => zlib.gzipSync(input, options), pooled: () => gzipPooled(input, options) }
  },
  decompress(input, maxBytes) {
    if (maxBytes < 1 || input.length < 18) throw new RangeError('no gzip')
    // The size it claims at its end makes one piece of the output; what it could really hold bounds the claim.
    const claimed = new DataView(input.buffer, input.byteOffset + input.length - 4, 4).getUint32(0, true)
    const mostBytes = Math.min(claimed, maxBytes, input.length * MOST_GROWTH)
    const options = { maxOutputLength: maxBytes, chunkSize: Math.max(64, mostBytes) }
    return { inline: () => zlib.gunzipSync(input, options), pooled: () => gunzipPooled(input, options), mostBytes }
  },
}
