/**
 * `npm run bench [-- --quick] [--json FILE]`: the figures that the README quotes. A Metadata response decoded, against a
 * decoder written by hand and four peers, each side in a process of its own, the sides taking turns; and the demo, on the
 * embedded broker and on a genuine Kafka. Every figure is the median of its rounds.
 */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { jvmAvailable } from '../test/brokers/choice.ts'
import { peersInstalled, type Row, rounds, table } from './rounds.ts'

interface DemoFigures {
  readonly produceRecordsPerSecond: number
  readonly consumeRecordsPerSecond: number
  readonly maxLoopStallMs: number
  readonly broker: string
  readonly brokerVersion: string
  readonly verified: boolean
}

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } })
const here = (path: string) => resolve(import.meta.dirname, path)

const metadata = await metadataRows()
const demos = [await demo('embedded', [])]
if (await jvmAvailable()) demos.push(await demo('Apache Kafka 4.4.0', ['--kafka', '4.4.0']))
else console.log('no Java and Maven here: the demo ran on the embedded broker only')
if (values.json)
  writeFileSync(values.json, `${JSON.stringify({ cpus: cpus().length, node: process.version, metadata, demos }, null, 2)}\n`)

/** 3 brokers, 50 topics of 6 partitions: what a client decodes first, and again every few minutes. */
async function metadataRows(): Promise<Row[]> {
  const sides = [
    here('protocol/kafkawire.ts'),
    here('protocol/by-hand.ts'),
    ...['kafkajs', 'kafka-ts', 'kafkats', 'platformatic'].map(name => here(`peers/protocol/${name}.mjs`)),
  ]
  const pace = values.quick ? { rounds: 3, warmUpMs: 100, measureMs: 60 } : { rounds: 7 }
  const cases = ['Metadata response v12, decode', 'Metadata response v6, decode']
  // One Node for all sides: the newest peer needs 24.
  const rows = await rounds({ suite: 'metadata', sides, cases, node: peersInstalled(), ...pace })
  console.log(`\n## Metadata response, decode (${rows[0]?.node})\n\n${table(rows)}`)
  return rows
}

async function demo(title: string, flags: string[]) {
  const runs: DemoFigures[] = []
  for (let round = 0; round < (values.quick ? 1 : 3); round++) {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', here('../examples/demo.ts'), '--json', ...flags],
      {
        cwd: here('..'),
        maxBuffer: 16 << 20,
      },
    )
    runs.push(JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as DemoFigures)
  }
  const median = (pick: (figures: DemoFigures) => number) => runs.map(pick).sort((a, b) => a - b)[runs.length >> 1]!
  const figures = {
    title,
    rounds: runs.length,
    produceRecordsPerSecond: median(run => run.produceRecordsPerSecond),
    consumeRecordsPerSecond: median(run => run.consumeRecordsPerSecond),
    longestTurnCpuMs: median(run => run.maxLoopStallMs),
    verified: runs.every(run => run.verified),
    runs,
  }
  const thousands = (n: number) => n.toLocaleString('en-US')
  console.log(
    `\n## demo on ${title} (${process.version})\n\nproduced ${thousands(figures.produceRecordsPerSecond)} records/s, consumed ${thousands(figures.consumeRecordsPerSecond)} records/s, ` +
      `longest turn ${figures.longestTurnCpuMs} ms of CPU, ${figures.verified ? 'verified' : 'NOT VERIFIED'}`,
  )
  return figures
}
