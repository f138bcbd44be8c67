import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import * as zlib from 'node:zlib'
import { expect, test } from 'vitest'
import { type Codec, compress } from '../../src/protocol/compression/index.ts'

const MEGABYTE = 1024 * 1024
const LIMIT = 64 * MEGABYTE

const source = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../src', path))
/**
 * Decompresses what comes in, and says by how much the most memory that the process ever had grew over that: with what zlib, wasm and
 * threads took.
 */
const PROGRAM = `
import { buffer } from 'node:stream/consumers'
import { compress, decompress } from ${source('protocol/compression/index.ts')}
import { nodeRuntime } from ${source('runtime/node.ts')}
const [codec, offload, limit] = process.argv.slice(1)
const input = await buffer(process.stdin)
await compress(codec, Buffer.alloc(1), undefined, undefined)
const peak = () => process.resourceUsage().maxRSS * 1024
const before = peak()
const runner = offload === 'true' ? nodeRuntime.offload : undefined
const outcome = await (async () => decompress(codec, input, Number(limit), runner))().then(({ length }) => length, ({ code }) => code)
console.log(JSON.stringify({ outcome, grown: peak() - before }))
`

async function outcomeOf(codec: Codec, offload: boolean, input: Buffer): Promise<{ outcome: number | string; grown: number }> {
  const args = ['--import', 'tsx', '--input-type=module', '-e', PROGRAM, codec, String(offload), String(LIMIT)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(input)
  const [output] = await Promise.all([textOf(child.stdout), once(child, 'exit')])
  return JSON.parse(output)
}

/** A compressed megabyte of zeros whose content, between header and end, is there as often as there are megabytes. */
function repeated(codec: Codec, header: number, end: number, megabytes: number): Buffer {
  const one = Buffer.from(compress(codec, Buffer.alloc(MEGABYTE), undefined, undefined) as Uint8Array)
  const content = one.subarray(header, one.length - end)
  return Buffer.concat([one.subarray(0, header), ...Array(megabytes).fill(content), one.subarray(one.length - end)])
}
const gzipped = (megabytes: number) => Buffer.concat(Array(megabytes).fill(zlib.gzipSync(Buffer.alloc(MEGABYTE))))
/** Blocks of 128 KiB of one byte each. */
function zstdFrame(header: string, megabytes: number): Buffer {
  const blocks = Buffer.alloc(4 * 8 * megabytes)
  for (let at = 0; at < blocks.length; at += 4) blocks.writeUInt32LE((1 << 20) | 2 | Number(at + 4 === blocks.length), at)
  return Buffer.concat([Buffer.from(header, 'hex'), blocks])
}
const UNSIZED = '28b52ffd0058'
const sized = (megabytes: number) => {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(megabytes * MEGABYTE)
  return `28b52ffd8058${size.toString('hex')}`
}

const streams: readonly (readonly [name: string, codec: Codec, of: (megabytes: number) => Buffer])[] = [
  [
    'gzip of many members, the last of which says little',
    'gzip',
    megabytes => Buffer.concat([gzipped(megabytes), zlib.gzipSync('')]),
  ],
  ['snappy', 'snappy', megabytes => repeated('snappy', 16, 0, megabytes)],
  ['lz4', 'lz4', megabytes => repeated('lz4', 7, 4, megabytes)],
  ['zstd that says how much it holds', 'zstd', megabytes => zstdFrame(sized(megabytes), megabytes)],
  ['zstd that does not', 'zstd', megabytes => zstdFrame(UNSIZED, megabytes)],
  ['zstd of many frames', 'zstd', megabytes => Buffer.concat(Array(megabytes).fill(zstdFrame(UNSIZED, 1)))],
]

test.each(streams)(
  '%s: what it takes is bounded by the limit, not by what comes in',
  { timeout: 120_000 },
  async (_, codec, of) => {
    const bomb = of(512)
    const [honest, here, elsewhere] = await Promise.all([
      outcomeOf(codec, true, of(32)),
      outcomeOf(codec, false, bomb),
      outcomeOf(codec, true, bomb),
    ])
    for (const { outcome, grown } of [here, elsewhere]) {
      expect(outcome).toBe('ERR_CORRUPT_RECORD')
      expect(grown).toBeLessThan(2 * LIMIT)
    }
    // Nothing was damaged: less of the same is read.
    expect(honest.outcome).toBe(32 * MEGABYTE)
    expect(honest.grown).toBeLessThan(2 * LIMIT)
  },
)
