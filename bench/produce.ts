/**
 * `npx tsx bench/produce.ts [--rounds N] [--records N] [--json FILE] [--embedded]`: producing 10 B keys and 100 B values to 6
 * partitions, acks all, against four peers. Each side runs in a process of its own, the sides take turns; medians count.
 */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { Admin } from '../src/admin/index.ts'
import { jvmAvailable } from '../test/brokers/choice.ts'
import { EmbeddedProcess } from '../test/brokers/embedded.ts'
import { JvmCluster } from '../test/brokers/jvm.ts'
import { peersInstalled } from './rounds.ts'

interface Figures {
  readonly side: string
  readonly recordsPerSecond: number
  readonly recordsPerCpuSecond: number
  readonly stallClockMs: number
  readonly rssMb: number
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    records: { type: 'string', default: '500000' },
    json: { type: 'string' },
    embedded: { type: 'boolean', default: false },
  },
})
const here = (path: string) => resolve(import.meta.dirname, path)
const node = peersInstalled()
const PARTITIONS = 6
/** By mode: the sides, and what share of the records each sends (the slow ones would take minutes). */
const MODES: Readonly<Record<string, readonly (readonly [module: string, share: number])[]>> = {
  batches: [
    ['produce/kafkawire.ts', 1],
    ['peers/produce/kafkats.mjs', 0.5],
    ['peers/produce/platformatic.mjs', 0.5],
    ['peers/produce/kafka-ts.mjs', 0.5],
    ['peers/produce/kafkajs.mjs', 0.5],
  ],
  singles: [
    ['produce/kafkawire.ts', 1],
    ['peers/produce/kafka-ts.mjs', 0.2],
    ['peers/produce/kafkajs.mjs', 0.04],
  ],
  enqueue: [['produce/kafkawire.ts', 2]],
}

const real = !values.embedded && (await jvmAvailable())
const broker = real ? await JvmCluster.start({}) : await EmbeddedProcess.start({})
const figures: Record<string, Figures[]> = {}
try {
  const { bootstrapServers } = broker
  await using admin = new Admin({ bootstrapServers })
  for (let round = 0; round < Number(values.rounds); round++)
    for (const [mode, sides] of Object.entries(MODES))
      for (const [module, share] of sides) {
        const topic = `produce-${round}-${mode}-${module.replaceAll(/[^a-z]/g, '-')}`
        await admin.createTopics([{ name: topic, partitions: PARTITIONS }])
        const records = Math.max(10_000, Math.round((Number(values.records) * share) / 10_000) * 10_000)
        const { stdout } = await promisify(execFile)(
          node,
          [here(module), bootstrapServers, topic, String(PARTITIONS), String(records), mode],
          { timeout: 120_000 },
        )
        const found = JSON.parse(stdout.trim().split('\n').at(-1)!) as Figures
        ;(figures[found.side] ??= []).push(found)
        process.stderr.write('.')
        await admin.deleteTopics([topic])
      }
} finally {
  await broker.close()
}

const median = (runs: readonly Figures[], pick: (run: Figures) => number) =>
  runs.map(pick).sort((a, b) => a - b)[runs.length >> 1]!
const rows = Object.entries(figures).map(([side, runs]) => ({
  side,
  recordsPerSecond: median(runs, run => run.recordsPerSecond),
  recordsPerCpuSecond: median(runs, run => run.recordsPerCpuSecond),
  stallClockMs: median(runs, run => run.stallClockMs),
  rssMb: median(runs, run => run.rssMb),
  runs,
}))
console.log(
  `\n## producing to ${real ? 'Apache Kafka 4.4.0' : 'the embedded broker'}, 10 B keys + 100 B values, ${PARTITIONS} partitions, acks all\n`,
)
console.log('| side | records/s | per CPU second | longest stall, ms by the clock | RSS, MB |\n|---|---|---|---|---|')
for (const { side, recordsPerSecond, recordsPerCpuSecond, stallClockMs, rssMb } of rows)
  console.log(
    `| ${side} | ${recordsPerSecond.toLocaleString('en-US')} | ${recordsPerCpuSecond.toLocaleString('en-US')} | ${stallClockMs} | ${rssMb} |`,
  )
if (values.json) writeFileSync(values.json, `${JSON.stringify({ node, real, rows }, null, 2)}\n`)
