/**
 * Round trips on one connection against an embedded broker in another process, for us, four peers, and a bare socket that
 * sends prepared bytes and only counts the answers: the most that can be had with this broker on this machine.
 */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { EmbeddedProcess } from '../../test/brokers/embedded.ts'
import { peersInstalled } from '../rounds.ts'
import { median } from './median.ts'

/** Medians over the rounds. */
export interface RoundTrips {
  readonly side: string
  readonly depth: number
  readonly perSecond: number
  readonly perCpuSecond: number
  readonly p50Us: number
  readonly p99Us: number
}

export const DEPTHS = [1, 16, 256] as const

export const BARE_SOCKET = 'a bare socket'

const SIDES = [
  'kafkawire.ts',
  ...['kafkats', 'platformatic', 'kafka-ts', 'kafkajs', 'bare-socket'].map(peer => `../peers/client/${peer}.mjs`),
].map(path => resolve(import.meta.dirname, path))

/** Each measurement in a process of its own; the sides take turns. `perCpuSecond` counts the client's process alone. */
export async function roundTrips(options: { rounds: number; measureMs: number }): Promise<RoundTrips[]> {
  const node = peersInstalled()
  const broker = await EmbeddedProcess.start({ nodes: 1, topics: {} })
  const samples = new Map<string, RoundTrips[]>()
  try {
    const [host = '', port = ''] = broker.bootstrapServers.split(':')
    for (let round = 0; round < options.rounds; round++) {
      for (const depth of DEPTHS) {
        for (const side of SIDES) {
          const args = [side, host, port, String(depth), String(options.measureMs)]
          const { stdout } = await promisify(execFile)(node, args, { timeout: 60_000 })
          const found = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as RoundTrips
          const key = `${found.side} ${depth}`
          samples.set(key, [...(samples.get(key) ?? []), found])
          process.stderr.write('.')
        }
      }
    }
  } finally {
    await broker.close()
  }
  process.stderr.write('\n')
  return Array.from(samples.values(), runs => {
    const of = (pick: (run: RoundTrips) => number) => median(runs.map(pick))
    return {
      side: runs[0]?.side ?? '',
      depth: runs[0]?.depth ?? 0,
      perSecond: of(run => run.perSecond),
      perCpuSecond: of(run => run.perCpuSecond),
      p50Us: of(run => run.p50Us),
      p99Us: of(run => run.p99Us),
    }
  })
}
