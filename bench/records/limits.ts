/** What no decoder goes past: the bytes copied once, a step from length to length, the checksum alone. */
import { createRequire } from 'node:module'
import { crc32 } from 'node:zlib'
import { crc32cPlain } from '../../src/protocol/records/crc32c.ts'
import { crc32c, encodedBatches } from '../../src/protocol/records/index.ts'
import { ATTRIBUTES, RECORDS } from '../../src/protocol/records/layout.ts'
import type { Side } from '../rounds.ts'
import { batchOf, PLAIN } from './cells.ts'

const bytes = await batchOf(PLAIN)
const checked = bytes.subarray(ATTRIBUTES)
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
    'walk from record to record, by their lengths alone': repeat(() => {
      for (let at = RECORDS; at < bytes.length; sink.total++) {
        // The lengths take one byte or two: zigzag, so the half.
        const low = bytes[at++]!
        at += (low < 128 ? low : (low & 127) | (bytes[at++]! << 7)) >> 1
      }
    }),
    'CRC32C, kernel': repeat(() => {
      sink.total += crc32c(bytes, ATTRIBUTES)
    }),
    'CRC32C, TypeScript': repeat(() => {
      sink.total += crc32cPlain(bytes, ATTRIBUTES)
    }),
    'CRC32C, @node-rs/crc32 (native addon)': repeat(() => {
      sink.total += native.crc32c(checked)
    }),
    'CRC32 (zlib), node:zlib': repeat(() => {
      sink.total += crc32(checked)
    }),
  },
} satisfies Side
