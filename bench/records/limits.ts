/** What no decoder goes past: the bytes copied once, the headers walked, the checksum alone. */
import { createRequire } from 'node:module'
import { crc32 } from 'node:zlib'
import { crc32cPlain } from '../../src/protocol/records/crc32c.ts'
import { crc32c, encodedBatches } from '../../src/protocol/records/index.ts'
import type { Side } from '../rounds.ts'
import { batchOf } from './cells.ts'

const bytes = await batchOf({ valueBytes: 100, count: 1000, headers: 0, codec: 'none' })
const target = Buffer.alloc(bytes.length)
const native = createRequire(new URL('../peers/package.json', import.meta.url))('@node-rs/crc32') as {
  crc32c(bytes: Buffer): number
}
const sink = { total: 0 }

const repeat = (work: () => void) => () => (n: number) => {
  for (let i = 0; i < n; i++) work()
}
export default {
  name: 'limit',
  cases: {
    memcpy: repeat(() => target.set(bytes)),
    'walk of the batch headers': repeat(() => {
      for (const batch of encodedBatches(bytes)) sink.total += batch.count
    }),
    'CRC32C, kernel': repeat(() => {
      sink.total += crc32c(bytes, 21)
    }),
    'CRC32C, TypeScript': repeat(() => {
      sink.total += crc32cPlain(bytes, 21)
    }),
    'CRC32C, @node-rs/crc32 (native addon)': repeat(() => {
      sink.total += native.crc32c(bytes)
    }),
    'CRC32 (zlib), node:zlib': repeat(() => {
      sink.total += crc32(bytes)
    }),
  },
} satisfies Side
