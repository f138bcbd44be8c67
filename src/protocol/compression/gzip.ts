import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { Compressor } from './codec.ts'

const gzipPooled = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gzip)
const gunzipPooled = promisify<Uint8Array, zlib.ZlibOptions, Buffer>(zlib.gunzip)

/** Levels 1–9 (KIP-390); zlib's default, 6, otherwise. */
export const gzip: Compressor = {
  compress: (input, level) => {
    const options = level === undefined ? {} : { level }
    return { inline: () => zlib.gzipSync(input, options), pooled: () => gzipPooled(input, options) }
  },
  decompress: (input, maxOutputLength) => ({
    inline: () => zlib.gunzipSync(input, { maxOutputLength }),
    pooled: () => gunzipPooled(input, { maxOutputLength }),
  }),
}
