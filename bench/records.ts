/**
 * `npm run bench:records [-- --quick] [--json FILE] [--no-matrix] [--docs]`: record batches decoded and encoded, beside four peers, each
 * side in a process of its own, the sides taking turns; what no decoder can go past; the whole matrix on our side; fetch responses
 * over a socket. `--from FILE` reports what `--json FILE` wrote before. `--docs` rewrites docs/records-benchmark.svg and the tables of docs/performance.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { javaVersion } from '../test/java/java.ts'
import { replaceSection } from './docs-section.ts'
import { type Cell, CODECS, caseName, HEADLINES, MATRIX, OPERATIONS, sizeOf } from './records/cells.ts'
import { type Bars, chart } from './records/chart.ts'
import { type FrameRow, frames } from './records/frames.ts'
import { measureJava } from './records/java.ts'
import { peersInstalled, rounds } from './rounds.ts'

/** A line of `--json`. */
interface Row {
  readonly suite: 'headlines' | 'limits' | 'matrix' | 'frames'
  readonly case: string
  readonly side: string
  readonly node: string
  readonly crc: string
  readonly nsPerRecord: number
  readonly mbPerSecond: number
  readonly range?: readonly [number, number]
  readonly longestStepMs?: number
}

const OWN = 'kafkawire'
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
const pace = values.quick ? { rounds: 3, measureMs: 60 } : { rounds: 7, measureMs: 100 }
const node24 = peersInstalled()
const nodes = [...new Set([node24, process.execPath])]

const cells = new Map<string, Cell>(
  OPERATIONS.flatMap(operation => MATRIX.map(cell => [caseName(operation, cell), cell] as const)),
)
const sizes = new Map<string, number>()
const plain: Cell = { valueBytes: 100, count: 1000, headers: 0, codec: 'none' }

const rows: Row[] = []
const overSocket: FrameRow[] = []
if (values.from) {
  for (const row of JSON.parse(readFileSync(values.from, 'utf8')) as (Row & Partial<FrameRow>)[])
    if (row.suite === 'frames') overSocket.push({ ...row, longestStepMs: row.longestStepMs ?? Number.NaN })
    else rows.push(row)
} else {
  await measureAll()
}

console.log(report())
if (values.json)
  writeFileSync(values.json, `[\n${[...rows, ...overSocket.map(frameRow)].map(row => JSON.stringify(row)).join(',\n')}\n]\n`)
if (values.docs) document()

async function measureAll(): Promise<void> {
  for (const node of nodes) {
    const own = [here('records/kafkawire.ts')]
    const peers = ['kafkajs', 'kafka-ts', 'platformatic', 'kafkats'].map(name => here(`peers/records/${name}.mjs`))
    // The newest peer needs Node 24.
    const sides = node === node24 ? [...own, ...peers] : own
    const cases = HEADLINES.map(([operation, cell]) => caseName(operation, cell))
    await measure('headlines', sides, cases, node, pace)
    await measure('limits', [here('records/limits.ts')], [], node, pace)
  }
  const java = await javaVersion()
  if (java)
    for (const [label, ns] of await measureJava(pace.measureMs))
      add('headlines', label, 'Apache kafka-clients 4.4.0', `Java ${java}`, 'verified', ns)
  if (!values['no-matrix']) {
    const matrixPace = values.quick ? { rounds: 1, measureMs: 8 } : { rounds: 3, measureMs: 25 }
    await measure('matrix', [here('records/kafkawire.ts')], [], node24, matrixPace)
  }
  for (const node of nodes) overSocket.push(...(await frames(node, values.quick ? 3 : 7)))
}

async function measure(
  suite: Row['suite'],
  sides: readonly string[],
  cases: readonly string[],
  node: string,
  speed: { rounds: number; measureMs: number },
) {
  for (const row of await rounds({ suite, sides, cases, node, ...speed }))
    add(suite, row.case, row.side, row.node, row.crc, row.ns, row.range)
}

function add(
  suite: Row['suite'],
  label: string,
  side: string,
  node: string,
  crc: string,
  ns: number,
  range?: readonly [number, number],
): void {
  const cell = cells.get(label) ?? plain
  const key = JSON.stringify({ ...cell, codec: 'none' })
  if (!sizes.has(key)) sizes.set(key, sizeOf(cell))
  rows.push({
    suite,
    case: label,
    side,
    node,
    crc,
    nsPerRecord: ns / cell.count,
    mbPerSecond: (1000 * sizes.get(key)!) / ns,
    ...(range ? { range: [range[0] / cell.count, range[1] / cell.count] } : {}),
  })
}

function frameRow(row: FrameRow): Row {
  return {
    suite: 'frames',
    case: row.case,
    side: OWN,
    node: row.node,
    crc: 'verified',
    nsPerRecord: row.nsPerRecord,
    mbPerSecond: row.mbPerSecond,
    longestStepMs: row.longestStepMs,
  }
}

function report(): string {
  const parts: string[] = []
  for (const suite of ['headlines', 'limits'] as const) {
    const of = rows.filter(row => row.suite === suite)
    const columns = [...new Set(of.map(row => `${row.side}\n${row.node}`))]
    const named = columns.map(column => {
      const [side, node] = column.split('\n')
      const crc = of.find(row => row.side === side)!.crc
      return `${side}<br>${node}${crc ? `<br>CRC ${crc}` : ''}`
    })
    parts.push(
      `### ${suite === 'headlines' ? 'Batches' : 'What no decoder goes past (100 B × 1000, uncompressed)'}\n`,
      `| ns per record | ${named.join(' | ')} |`,
      `|---|${columns.map(() => '---:').join('|')}|`,
      ...[...new Set(of.map(row => row.case))].map(label => {
        const ours = of.find(row => row.case === label && row.side === OWN && row.node.startsWith('v24'))
        const figures = columns.map(column => {
          const row = of.find(each => each.case === label && `${each.side}\n${each.node}` === column)
          if (!row) return '–'
          const ratio = ours && row.side !== OWN ? ` (×${(row.nsPerRecord / ours.nsPerRecord).toFixed(1)})` : ''
          return `${figure(row.nsPerRecord)}${ratio}`
        })
        return `| ${label.replace('|', '–')} | ${figures.join(' | ')} |`
      }),
      '',
    )
  }
  parts.push(...matrixTables())
  parts.push(
    '### Fetch responses that arrive in pieces of 64 KiB over a socket (100 B values, CRC verified; processor time of the reader, in the last column of its main thread)\n',
    '| response | Node | ns per record | MB/s | longest step |',
    '|---|---|---:|---:|---:|',
    ...overSocket.map(
      row =>
        `| ${row.case} | ${row.node} | ${figure(row.nsPerRecord)} | ${Math.round(row.mbPerSecond)} | ${row.longestStepMs ? row.longestStepMs.toFixed(1) : '< 4'} ms |`,
    ),
    '',
  )
  return parts.join('\n')
}

/** The part of the matrix without headers; `--json` has the rest. */
function matrixTables(): string[] {
  if (!rows.some(row => row.suite === 'matrix')) return []
  return OPERATIONS.flatMap(operation => [
    `### ${operation}, ns per record, without headers\n`,
    `| value × records | ${CODECS.join(' | ')} |`,
    `|---|${CODECS.map(() => '---:').join('|')}|`,
    ...MATRIX.filter(cell => cell.headers === 0 && cell.codec === 'none').map(cell => {
      const figures = CODECS.map(
        codec => rows.find(row => row.suite === 'matrix' && row.case === caseName(operation, { ...cell, codec }))!,
      )
      return `| ${cell.valueBytes} B × ${cell.count} | ${figures.map(row => figure(row.nsPerRecord)).join(' | ')} |`
    }),
    '',
  ])
}

function figure(ns: number): string {
  return ns < 10 ? ns.toFixed(2) : ns < 100 ? ns.toFixed(1) : Math.round(ns).toLocaleString('en-US')
}

/** Puts the figures where the README and docs/performance.md show them. */
function document(): void {
  const bars = (title: string, label: string): Bars => ({
    title,
    rows: rows
      .filter(row => row.suite === 'headlines' && row.case === label && (row.side !== OWN || row.node.startsWith('v24')))
      .sort((a, b) => a.nsPerRecord - b.nsPerRecord)
      .map(row => ({
        name: row.side,
        // Whoever writes has to compute it.
        note: label.startsWith('encode') ? '' : row.crc === 'not verified' ? 'CRC not verified' : 'CRC verified',
        value: row.nsPerRecord,
        own: row.side === OWN,
      })),
  })
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}`
  const node = rows.find(row => row.node.startsWith('v24'))!.node
  const date = new Date().toISOString().slice(0, 10)
  const caption = `ns per record, less is better. Median of ${pace.rounds} rounds, each side in its own process, Node ${node.slice(1)}, ${machine}, ${date}`
  writeFileSync(
    here('../docs/records-benchmark.svg'),
    chart(caption, [
      bars('Decode a batch into record objects: 1000 × (10 B key, 100 B value)', caseName('decode, records', plain)),
      bars('The same, each record with 2 headers', caseName('decode, records', { ...plain, headers: 2 })),
      bars('Decode, lz4, key and value read', caseName('decode, key and value bytes', { ...plain, codec: 'lz4' })),
      bars('Encode a batch: 1000 × (10 B key, 100 B value)', caseName('encode', plain)),
    ]),
  )
  const section = `## Record batches\n\n${machine}, ${date}, \`npm run bench:records -- --docs\`; medians of ${pace.rounds} rounds. Nanoseconds are processor time of all threads of a side's own process; in brackets, times our figure on Node 24.\n\n![](records-benchmark.svg)\n\n${report()}`
  replaceSection('bench:records', section)
}
