import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { PLAIN, sizeOf } from './cells.ts'

export interface FrameRow {
  readonly case: string
  readonly node: string
  /** Processor time of the reader, all threads: from the socket to the first byte of each value. */
  readonly nsPerRecord: number
  readonly range: readonly [number, number]
  readonly mbPerSecond: number
  /** Longest turn of its event loop, in processor time of the main thread, over all rounds. */
  readonly longestTurnMs: number
  readonly rssMb: number
}

const here = (path: string) => resolve(import.meta.dirname, path)
const loader = (version: string) => (Number(/\d+/.exec(version)![0]) >= 24 ? [] : ['--import', 'tsx'])

export const RESPONSE_MIB = [1, 16, 50] as const
export const MODES = ['batches', 'released'] as const
export const frameCase = (mib: number, mode: (typeof MODES)[number]): string => `${mib} MiB, ${mode}`

/** As much for responses of every size, so that all are as warm. */
const MIB_PER_ROUND = 200

/** Fetch responses of 1, 16 and 50 MiB, written in pieces of 64 KiB by one process and consumed by another. */
export async function frames(node: string, rounds: number): Promise<FrameRow[]> {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  const bytesPerRecord = sizeOf(PLAIN) / PLAIN.count
  const perRound = Math.round((MIB_PER_ROUND * 2 ** 20) / bytesPerRecord)
  const rows: FrameRow[] = []
  for (const mode of MODES) {
    for (const mib of RESPONSE_MIB) {
      const server = spawn(node, [...loader(version), here('frame-server.ts'), String(mib)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      try {
        const args = [await firstLine(server), mode, String(perRound), String(rounds), '2']
        const reader = spawn(node, [...loader(version), here('frame-consumer.ts'), ...args], {
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        const found = JSON.parse(await firstLine(reader)) as Omit<FrameRow, 'case' | 'node' | 'mbPerSecond'>
        const mbPerSecond = (1000 * bytesPerRecord) / found.nsPerRecord
        rows.push({ case: frameCase(mib, mode), node: version, ...found, mbPerSecond })
        process.stderr.write('.')
      } finally {
        server.stdin?.end()
      }
    }
  }
  process.stderr.write('\n')
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
