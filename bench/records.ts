/**
 * `npm run bench:records [-- --quick] [--json FILE] [--no-matrix] [--docs]`: record batches decoded and encoded, beside four peers
 * and Apache's own classes, each side in a process of its own, the sides taking turns; what no decoder can go past; the whole
 * matrix on our side; fetch responses over a socket. `--docs` rewrites docs/records-benchmark.svg, docs/records-matrix.md and its
 * section of docs/performance.md. `--from FILE` reports what `--json FILE` wrote before.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { javaVersion } from '../test/java/java.ts'
import { conditions } from './conditions.ts'
import { replaceSection } from './docs-section.ts'
import { type Cell, caseName, HEADLINES, MATRIX, OPERATIONS, PLAIN, sizeOf } from './records/cells.ts'
import { frames } from './records/frames.ts'
import { javaSide } from './records/java.ts'
import { crcOf, matrixPage, OWN, type Pace, type Report, type Row, section, svg } from './records/report.ts'
import { peersInstalled, type RoundsOptions, rounds } from './rounds.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    json: { type: 'string' },
    'no-matrix': { type: 'boolean' },
    docs: { type: 'boolean' },
    from: { type: 'string' },
  },
})
const here = (path: string) => resolve(import.meta.dirname, path)

const cells = new Map<string, Cell>(
  OPERATIONS.flatMap(operation => MATRIX.map(cell => [caseName(operation, cell), cell] as const)),
)
const pace: Pace = values.quick ? { rounds: 3, warmUpMs: 100, measureMs: 40 } : { rounds: 7, warmUpMs: 250, measureMs: 80 }
const matrixPace: Pace = values.quick ? { rounds: 1, warmUpMs: 4, measureMs: 4 } : { rounds: 3, warmUpMs: 10, measureMs: 10 }
const sizes = new Map<string, number>()

const report: Report = values.from
  ? (JSON.parse(readFileSync(values.from, 'utf8')) as Report)
  : { conditions: conditions('bench:records'), pace, matrixPace, rows: await measureAll() }
console.log(section(report))
if (values.json)
  writeFileSync(
    values.json,
    `${JSON.stringify({ ...report, rows: [] }).slice(0, -2)}\n${report.rows.map(row => JSON.stringify(row)).join(',\n')}\n]}\n`,
  )
if (values.docs) {
  writeFileSync(here('../docs/records-benchmark.svg'), svg(report))
  if (report.rows.some(row => row.suite === 'matrix')) writeFileSync(here('../docs/records-matrix.md'), matrixPage(report))
  replaceSection('bench:records', section(report))
}

async function measureAll(): Promise<Row[]> {
  const node24 = peersInstalled()
  const nodes = [...new Set([node24, process.execPath])]
  const own = here('records/kafkawire.ts')
  const peers = ['kafkajs', 'kafka-ts', 'platformatic', 'kafkats'].map(name => here(`peers/records/${name}.mjs`))
  const java = await javaVersion()
  const others = java ? [...peers, await javaSide(java)] : peers
  const cases = HEADLINES.map(([operation, cell]) => caseName(operation, cell))

  const rows: Row[] = []
  for (const node of nodes) {
    // The newest peer needs Node 24.
    const sides = node === node24 ? [own, ...others] : [own]
    rows.push(...(await measure('headlines', { sides, cases, node, ...pace })))
    rows.push(...(await measure('limits', { sides: [here('records/limits.ts')], node, ...pace })))
  }
  if (!values['no-matrix']) {
    rows.push(...(await measure('matrix', { sides: [own], node: node24, ...matrixPace })))
  }
  for (const node of nodes)
    for (const row of await frames(node, pace.rounds)) rows.push({ suite: 'frames', side: OWN, crc: 'verified', ...row })
  return rows
}

async function measure(suite: Row['suite'], options: Omit<RoundsOptions, 'suite'>): Promise<Row[]> {
  return (await rounds({ suite, ...options })).map(({ case: label, side, node, crc, ns, range: [least, most] }) => {
    const cell = cells.get(label) ?? PLAIN
    return {
      suite,
      case: label,
      side,
      node,
      crc: crcOf(label, crc),
      nsPerRecord: ns / cell.count,
      mbPerSecond: (1000 * sizeWithoutCodec(cell)) / ns,
      range: [least / cell.count, most / cell.count],
    }
  })
}

function sizeWithoutCodec(cell: Cell): number {
  const key = JSON.stringify({ ...cell, codec: 'none' })
  const size = sizes.get(key) ?? sizeOf(cell)
  sizes.set(key, size)
  return size
}
