/**
 * `npm run bench:consume [-- --bootstrap host:port] [--records N] [--rounds N] [--quick] [--json FILE] [--docs]`: drains a
 * prepared backlog from a genuine Kafka, each side in a process of its own, the sides taking turns. Medians. Our side is
 * bundled first, as it is when installed. The peers need groups, whose joining is not counted. `--docs` rewrites its section
 * of docs/performance.md; with `--from FILE` from what `--json FILE` wrote before.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { build } from 'esbuild'
import { JvmCluster } from '../test/brokers/jvm.ts'
import { javaVersion, kafkaToolsClasspath } from '../test/java/java.ts'
import { conditions } from './conditions.ts'
import type { Drained } from './consume/drain.ts'
import { OWN_MODES, type Report, type Row, section } from './consume/report.ts'
import { replaceSection } from './docs-section.ts'
import { peersInstalled } from './rounds.ts'

const { values } = parseArgs({
  options: {
    bootstrap: { type: 'string' },
    records: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean' },
    json: { type: 'string' },
    from: { type: 'string' },
    docs: { type: 'boolean' },
  },
})
const records = Number(values.records ?? (values.quick ? 200_000 : 1_000_000))
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
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
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
/** Seconds of a command by the clock and on the processor; undefined when it fails or is not there. */
async function timed(command: string): Promise<{ wall: number; cpu: number; output: string } | undefined> {
  const script = `TIMEFORMAT='%R %U %S'; time ${command}`
  const ran = await run('bash', ['-c', script], { timeout: 120_000 }).catch(() => undefined)
  const [wall, user, system] = ran?.stderr.trim().split('\n').at(-1)?.split(' ').map(Number) ?? []
  if (!ran || !wall || user === undefined || system === undefined || Number.isNaN(wall)) return undefined
  return { wall, cpu: user + system, output: ran.stdout }
}

/** librdkafka's command line client, where it is installed: by the clock and on the processor from start to end. */
const kcat: Side = async (bootstrap, topic, { records }) => {
  const took = await timed(`kcat -C -b ${bootstrap} -t ${topic} -o beginning -e -q > /dev/null`)
  if (!took) return undefined
  const { version } = (await run('kcat', ['-V'])).stdout.match(/librdkafka (?<version>[\d.]+)/)?.groups ?? {}
  return {
    side: `kcat (librdkafka ${version})`,
    crc: 'not verified',
    records,
    recordsPerSecond: Math.round(records / took.wall),
    recordsPerCpuSecond: Math.round(records / took.cpu),
    turnMs: 0,
    rssMb: 0,
  }
}

/** Kafka's own measure, where Java is. What a run for a single record takes is subtracted from its processor time: the start of the JVM. */
const java: Side = async (bootstrap, topic, { records }) => {
  if (!((await javaVersion()) ?? 0)) return undefined
  const options = '-Xmx512m -Dorg.slf4j.simpleLogger.defaultLogLevel=error'
  const tool = `java ${options} -cp '${await kafkaToolsClasspath()}' org.apache.kafka.tools.ConsumerPerformance`
  const drain = (count: number) =>
    timed(`${tool} --bootstrap-server ${bootstrap} --topic ${topic} --num-records ${count} --hide-header`)
  const start = await drain(1)
  const took = await drain(records)
  // … data consumed in bytes, MB/s, records, records/s, rebalance ms, fetch ms, MB/s and records/s of the fetching alone
  const perSecond = Number(took?.output.trim().split('\n').at(-1)?.split(', ').at(-1))
  if (!start || !took || Number.isNaN(perSecond)) return undefined
  return {
    side: 'Java, ConsumerPerformance 4.3.1',
    crc: 'verified',
    records,
    recordsPerSecond: Math.round(perSecond),
    recordsPerCpuSecond: Math.round(records / Math.max(0.01, took.cpu - start.cpu)),
    turnMs: 0,
    rssMb: 0,
  }
}
const peer = (name: string) => script(here(`peers/consume/${name}.mjs`))
const sides: readonly Side[] = [
  ...OWN_MODES.map(mode => script(bundle, mode)),
  peer('kafkats'),
  peer('kafka-ts'),
  peer('kafkajs'),
  peer('platformatic'),
  kcat,
  java,
]

const report: Report = values.from
  ? (JSON.parse(readFileSync(values.from, 'utf8')) as Report)
  : { conditions: conditions('bench:consume'), rows: await measureAll() }
console.log(section(report))
if (values.json) writeFileSync(values.json, `${JSON.stringify({ suite: 'consume', ...report }, null, 2)}\n`)
if (values.docs) replaceSection('bench:consume', section(report))

async function measureAll(): Promise<Row[]> {
  const rows: Row[] = []
  const cluster = values.bootstrap === undefined ? await JvmCluster.start() : undefined
  try {
    const bootstrap = values.bootstrap ?? cluster?.listeners.plaintext ?? ''
    for (const of of cases) {
      const topic = `kafkawire-bench-${process.pid}-${of.partitions}-${of.valueBytes}`
      await run(node, [
        here('consume/fill.ts'),
        bootstrap,
        topic,
        String(of.partitions),
        String(of.records),
        String(of.valueBytes),
      ])
      const results = new Map<string, Drained[]>()
      for (let round = 0; round < rounds; round++) {
        for (const side of sides) {
          const drained = await side(bootstrap, topic, of).catch(
            (error: Error) => void console.error(error.message.slice(0, 500)),
          )
          if (drained) results.set(drained.side, [...(results.get(drained.side) ?? []), drained])
          process.stderr.write('.')
        }
      }
      for (const list of results.values()) {
        const median = (of: (drained: Drained) => number) => list.map(of).sort((a, b) => a - b)[list.length >> 1] ?? 0
        const [{ side, crc, records: count }] = list as [Drained]
        rows.push({
          case: of.name,
          valueBytes: of.valueBytes,
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
    await cluster?.close()
  }
  return rows
}
