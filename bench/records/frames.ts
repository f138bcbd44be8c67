import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'

export interface FrameRow {
  readonly case: string
  readonly node: string
  /** Processor time of the reader: socket, frame, checksum, index, one object and the first byte of its value. */
  readonly nsPerRecord: number
  readonly mbPerSecond: number
  /** Longest time of the main thread on the processor without giving the loop a turn. */
  readonly longestStepMs: number
}

const here = (path: string) => resolve(import.meta.dirname, path)
const loader = (version: string) => (Number(/\d+/.exec(version)![0]) >= 24 ? [] : ['--import', 'tsx'])

/** More rounds of what is over sooner, after as many bytes of warm-up for all. */
const ROUNDS = { 1: 20, 16: 3, 50: 1 } as const
const WARM_UP_MIB = 200

/** Fetch responses of 1, 16 and 50 MiB, written in pieces of 64 KiB by one process and read by another. */
export async function frames(node: string, rounds: number): Promise<FrameRow[]> {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  const rows: FrameRow[] = []
  for (const mib of [1, 16, 50] as const) {
    const server = spawn(node, [...loader(version), here('frame-server.ts'), String(mib)], { stdio: ['pipe', 'pipe', 'inherit'] })
    try {
      const port = await firstLine(server)
      const reader = spawn(
        node,
        [
          ...loader(version),
          here('frame-reader-process.ts'),
          port,
          String(rounds * ROUNDS[mib]),
          String(Math.ceil(WARM_UP_MIB / mib)),
        ],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      const { records, ms, longestStepMs } = JSON.parse(await firstLine(reader)) as {
        records: number
        ms: number
        longestStepMs: number
      }
      rows.push({
        case: `${mib} MiB`,
        node: version,
        nsPerRecord: (ms * 1e6) / records,
        mbPerSecond: (mib * 1.048576 * 1000) / ms,
        longestStepMs,
      })
    } finally {
      server.stdin?.end()
    }
  }
  return rows
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.setEncoding('utf8')
  while (!text.includes('\n')) {
    const [chunk] = (await Promise.race([once(child.stdout!, 'data'), once(child, 'close').then(() => ['\n'])])) as [string]
    text += chunk
  }
  return text.slice(0, text.indexOf('\n'))
}
