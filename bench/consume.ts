/**
 * `npx tsx bench/consume.ts [--bootstrap host:port] [--records N] [--rounds N] [--quick] [--json FILE]`: drains a prepared
 * backlog from a genuine Kafka, each side in a process of its own, the sides taking turns. Medians. Our side is bundled
 * first, as it is when installed. The peers need groups, whose joining is not counted.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { build } from 'esbuild'
import { JvmCluster } from '../test/brokers/jvm.ts'
import type { Drained } from './consume/drain.ts'
import { peersInstalled } from './rounds.ts'

const { values } = parseArgs({
  options: {
    bootstrap: { type: 'string' },
    records: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean' },
    json: { type: 'string' },
  },
})
const records = Number(values.records ?? (values.quick ? 500_000 : 2_000_000))
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
const here = (path: string) => resolve(import.meta.dirname, path)
const run = promisify(execFile)

interface Case {
  readonly name: string
  readonly partitions: number
  readonly valueBytes: number
  readonly records: number
}
const cases: readonly Case[] = [
  { name: '100 B × 1 partition', partitions: 1, valueBytes: 100, records },
  { name: '100 B × 6 partitions', partitions: 6, valueBytes: 100, records },
  { name: '1 KB × 6 partitions', partitions: 6, valueBytes: 1_000, records: Math.ceil(records / 4) },
]
type Side = (bootstrap: string, topic: string, of: Case) => Promise<Drained | undefined>

const node = peersInstalled()
const directory = mkdtempSync(join(tmpdir(), 'kafkawire-bench-'))
const bundle = join(directory, 'kafkawire.mjs')
await build({ entryPoints: [here('consume/kafkawire.ts')], bundle: true, platform: 'node', format: 'esm', outfile: bundle })

const script =
  (path: string, ...modes: string[]): Side =>
  async (bootstrap, topic, of) => {
    const { stdout } = await run(node, [path, bootstrap, topic, String(of.partitions), String(of.records), ...modes], {
      timeout: 120_000,
      cwd: here('peers'),
    })
    return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Drained
  }
/** librdkafka's command line client, where it is installed: start-up included, which is short. */
const kcat: Side = async (bootstrap, topic, of) => {
  const command = `TIMEFORMAT='%R %U %S'; time kcat -C -b ${bootstrap} -t ${topic} -o beginning -e -q > /dev/null`
  const { stderr } = await run('bash', ['-c', command], { timeout: 120_000 }).catch(() => ({ stderr: '' }))
  const [seconds, user, system] = stderr.trim().split('\n').at(-1)?.split(' ').map(Number) ?? []
  if (!seconds || user === undefined || system === undefined || Number.isNaN(seconds)) return undefined
  const side = 'kcat'
  const recordsPerCpuSecond = Math.round(of.records / (user + system))
  return {
    side,
    crc: 'not verified',
    records: of.records,
    recordsPerSecond: Math.round(of.records / seconds),
    recordsPerCpuSecond,
    turnMs: 0,
    rssMb: 0,
  }
}
const peer = (name: string) => script(here(`peers/consume/${name}.mjs`))
const sides: readonly Side[] = [
  script(bundle, 'batches'),
  script(bundle, 'released'),
  script(bundle, 'records'),
  peer('kafkats'),
  peer('kafka-ts'),
  peer('kafkajs'),
  peer('platformatic'),
  kcat,
]

const cluster = values.bootstrap === undefined ? await JvmCluster.start() : undefined
const rows: (Drained & { readonly case: string; readonly rounds: number })[] = []
try {
  const bootstrap = values.bootstrap ?? cluster?.listeners.plaintext ?? ''
  for (const of of cases) {
    const topic = `kafkawire-bench-${process.pid}-${of.partitions}-${of.valueBytes}`
    await run(node, [here('consume/fill.ts'), bootstrap, topic, String(of.partitions), String(of.records), String(of.valueBytes)])
    const results = new Map<string, Drained[]>()
    for (let round = 0; round < rounds; round++) {
      for (const side of sides) {
        const drained = await side(bootstrap, topic, of).catch((error: Error) => void console.error(error.message.slice(0, 500)))
        if (drained) results.set(drained.side, [...(results.get(drained.side) ?? []), drained])
        process.stderr.write('.')
      }
    }
    for (const list of results.values()) {
      const median = (of: (drained: Drained) => number) => list.map(of).sort((a, b) => a - b)[list.length >> 1] ?? 0
      const [{ side, crc, records: count }] = list as [Drained]
      rows.push({
        case: of.name,
        side,
        crc,
        records: count,
        rounds: list.length,
        recordsPerSecond: median(drained => drained.recordsPerSecond),
        recordsPerCpuSecond: median(drained => drained.recordsPerCpuSecond),
        turnMs: median(drained => drained.turnMs),
        rssMb: median(drained => drained.rssMb),
      })
    }
    process.stderr.write('\n')
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
  await cluster?.close()
}
const thousands = (n: number) => `${Math.round(n / 1_000).toLocaleString('en')} k`
for (const { name } of cases) {
  console.log(
    `\n## ${name}\n\n| side | checksums | records/s | records per CPU second | longest turn, ms | RSS, MB |\n|---|---|---|---|---|---|`,
  )
  for (const row of rows.filter(row => row.case === name))
    console.log(
      `| ${row.side} | ${row.crc} | ${thousands(row.recordsPerSecond)} | ${thousands(row.recordsPerCpuSecond)} | ${row.turnMs || '–'} | ${row.rssMb || '–'} |`,
    )
}
if (values.json) writeFileSync(values.json, `${JSON.stringify({ suite: 'consume', cpus: cpus().length, node, rows }, null, 2)}\n`)
