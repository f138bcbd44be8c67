/** What the record bench measured, as Markdown. */
import { type Conditions, described } from '../conditions.ts'
import { type Goal, goalsTable } from '../goals.ts'
import { type Cell, CODECS, caseName, MATRIX, OPERATIONS, type Operation, PLAIN } from './cells.ts'
import { type Bars, chart } from './chart.ts'
import { frameCase, MODES } from './frames.ts'

/** A line of `--json`. */
export interface Row {
  readonly suite: 'headlines' | 'limits' | 'matrix' | 'frames'
  readonly case: string
  readonly side: string
  /** Version of Node, or of Java. */
  readonly node: string
  readonly crc: string
  readonly nsPerRecord: number
  readonly mbPerSecond: number
  /** Least and greatest of the rounds. */
  readonly range: readonly [number, number]
  /** Of the frames alone: over all rounds. */
  readonly longestTurnMs?: number
  readonly rssMb?: number
}

/** What each side does for each case. */
export interface Pace {
  readonly rounds: number
  readonly warmUpMs: number
  readonly measureMs: number
}

export interface Report {
  readonly conditions: Conditions
  readonly pace: Pace
  readonly matrixPace: Pace
  readonly rows: readonly Row[]
}

export const OWN = 'kafkawire'
export const KERNEL_CRC = 'CRC32C, kernel'
export const NATIVE_CRC = 'CRC32C, @node-rs/crc32 (native addon)'

/** What happens to the checksum in a case of a side that decodes in this way. */
export function crcOf(label: string, decoding: string): string {
  return label.startsWith('encode') || label.startsWith('CRC') ? 'computed' : decoding || 'not applicable'
}

const isNode = (row: Row): boolean => row.node.startsWith('v')
/** The Node that all sides share. */
const isShared = (row: Row): boolean => row.node.startsWith('v24')

export function section({ conditions, pace: { rounds, warmUpMs, measureMs }, rows }: Report): string {
  return [
    '## Record batches\n',
    `${described(conditions)}. Medians of ${rounds} rounds. A round is a process per side, which does one case after another: ${warmUpMs} ms to warm up, then`,
    `${measureMs} ms in which the processor time of all its threads, garbage collection included, is divided by what was done. (A JVM gets twice and four times`,
    'as long.) In brackets: as multiples of our figure on Node 24.\n',
    '![](records-benchmark.svg)\n',
    '### What was aimed at\n',
    'The best peer is the fastest of the other Node clients in the same run, whether it verifies checksums or not.\n',
    ...goalsTable(goals(rows)),
    '',
    '### Batches\n',
    '*Index only* opens a batch: checksum and index, no object per record. The other clients have nothing like it; they make objects as they read. *Records*',
    'are what `consumer.batches()` hands out, an object for each, nothing read of it; *key and value bytes*, *string* and *JSON* are read from those objects',
    'through the serdes `bytes`, `string` and `json()`. Peers do the same through their own functions, as their consumers call them. Decompression is on',
    "the main thread; a consumer takes that of large batches off it. Whoever encodes has to compute the checksum, so the columns' heads speak of decoding.\n",
    ...comparison(rows.filter(row => row.suite === 'headlines')),
    '### What no decoder goes past (100 B × 1000, uncompressed)\n',
    ...comparison(rows.filter(row => row.suite === 'limits')),
    '### Fetch responses that arrive in pieces of 64 KiB over a socket\n',
    '100 B values, uncompressed, CRC verified, through `consumer.batches()`, the first byte of each value read; *released* calls `batch.release()` when done.',
    'Processor time of the consuming process, all threads, from the socket on. The longest turn of its event loop is counted over all rounds, in processor time of the',
    'main thread, the arrival of responses and garbage collection included; it is an upper bound, about a millisecond too high.\n',
    '| response | Node | ns per record | MB/s | longest turn, ms | RSS, MB |',
    '|---|---|---:|---:|---:|---:|',
    ...rows
      .filter(row => row.suite === 'frames')
      .map(
        row =>
          `| ${row.case} | ${row.node} | ${figure(row.nsPerRecord)} | ${Math.round(row.mbPerSecond)} | ${row.longestTurnMs!.toFixed(1)} | ${Math.round(row.rssMb!)} |`,
      ),
  ].join('\n')
}

/** The figures that the project set itself, those that it misses included. */
export function goals(rows: readonly Row[]): Goal[] {
  const found: Goal[] = []
  const besidePeers = (what: string, least: number, operation: Operation, cell: Cell) => {
    const label = caseName(operation, cell)
    const of = rows.filter(row => row.suite === 'headlines' && row.case === label && isShared(row))
    const own = of.find(row => row.side === OWN)
    const [best] = of.filter(row => row.side !== OWN).sort((a, b) => a.nsPerRecord - b.nsPerRecord)
    if (!own || !best) return
    const came = best.nsPerRecord / own.nsPerRecord
    found.push({ what, aim: { least }, unit: '× the best peer', came, best: `${best.side}, CRC ${best.crc}` })
  }
  besidePeers('index and record objects', 3, 'decode, records', PLAIN)
  besidePeers('the same with 2 headers, not read', 4, 'decode, records', { ...PLAIN, headers: 2 })
  besidePeers('key and value bytes read', 2, 'decode, key and value bytes', PLAIN)
  besidePeers('lz4, key and value bytes read', 1.5, 'decode, key and value bytes', { ...PLAIN, codec: 'lz4' })
  besidePeers('zstd, key and value bytes read', 1.5, 'decode, key and value bytes', { ...PLAIN, codec: 'zstd' })
  besidePeers('encode', 3, 'encode', PLAIN)

  const limit = (label: string) => rows.find(row => row.suite === 'limits' && row.case === label && isShared(row))
  const [kernel, native] = [limit(KERNEL_CRC), limit(NATIVE_CRC)]
  if (kernel && native)
    found.push({
      what: 'checksum of the kernel, copy into its memory included (below 1, an option for a native addon would pay)',
      aim: { least: 1 },
      unit: '× the native addon',
      came: native.nsPerRecord / kernel.nsPerRecord,
    })

  for (const node of new Set(rows.filter(row => row.suite === 'frames').map(row => row.node)))
    for (const mode of MODES) {
      const of = (mib: number) =>
        rows.find(row => row.suite === 'frames' && row.node === node && row.case === frameCase(mib, mode))
      const [small, large] = [of(1), of(50)]
      if (!small || !large) continue
      const where = `${mode}, Node ${node.slice(1)}`
      found.push({
        what: `a record of a 50 MiB response against one of 1 MiB (${where})`,
        aim: { most: 1.2 },
        unit: '×',
        came: large.nsPerRecord / small.nsPerRecord,
      })
      found.push({
        what: `longest turn of the loop, 50 MiB responses (${where})`,
        aim: { most: 10 },
        unit: 'ms',
        came: large.longestTurnMs!,
      })
    }
  return found
}

/** A line per case, a column per side and platform. */
function comparison(rows: readonly Row[]): string[] {
  const columns = [...new Map(rows.map(row => [`${row.side}\n${row.node}`, row])).keys()]
  const heads = columns.map(column => {
    const [side, node] = column.split('\n')
    const crc = rows.find(row => row.side === side && row.node === node && row.case.startsWith('decode'))?.crc
    return `${side}<br>${node}${crc ? `<br>CRC ${crc}` : ''}`
  })
  return [
    `| ns per record | ${heads.join(' | ')} |`,
    `|---|${columns.map(() => '---:').join('|')}|`,
    ...[...new Set(rows.map(row => row.case))].map(label => {
      const ours = rows.find(row => row.case === label && row.side === OWN && isShared(row))
      const cells = columns.map(column => {
        const row = rows.find(each => each.case === label && `${each.side}\n${each.node}` === column)
        if (!row) return '–'
        const ratio = ours && row.side !== OWN ? ` (×${(row.nsPerRecord / ours.nsPerRecord).toFixed(1)})` : ''
        return `${figure(row.nsPerRecord)}${ratio}`
      })
      return `| ${label.replace('|', '–')} | ${cells.join(' | ')} |`
    }),
    '',
  ]
}

/** A page with every cell of our side. */
export function matrixPage({ conditions, matrixPace: { rounds, warmUpMs, measureMs }, rows }: Report): string {
  const cells = new Map(rows.filter(row => row.suite === 'matrix').map(row => [row.case, row]))
  const [any] = cells.values()
  return [
    '# Record batches, every cell\n',
    `What [performance.md](performance.md) compares with others in a few cells, here in all of them, on our side alone: ${described(conditions)}; Node ${any?.node.slice(1)}, medians of ${rounds}`,
    `rounds, each a process that goes through all the cells, large batches first, with ${warmUpMs} ms to warm up and ${measureMs} ms to measure for each, so that its code has seen many kinds of batches.`,
    'Nanoseconds of processor time per record, all threads; keys of 10 bytes; CRC verified (decode) or computed (encode).',
    ...OPERATIONS.flatMap(operation => [
      `\n## ${operation}\n`,
      `| value × records, headers | ${CODECS.join(' | ')} |`,
      `|---|${CODECS.map(() => '---:').join('|')}|`,
      ...MATRIX.filter(cell => cell.codec === 'none').map(cell => {
        const figures = CODECS.map(codec => cells.get(caseName(operation, { ...cell, codec })))
        const [, shape] = caseName(operation, cell).split(' | ')
        return `| ${shape!.replace(/ headers, none$/, '')} | ${figures.map(row => (row ? figure(row.nsPerRecord) : '–')).join(' | ')} |`
      }),
    ]),
    '',
  ].join('\n')
}

export function svg({ conditions: { machine, date }, pace: { rounds }, rows }: Report): string {
  const bars = (title: string, operation: Operation, cell: Cell): Bars => ({
    title,
    rows: rows
      .filter(row => row.suite === 'headlines' && row.case === caseName(operation, cell) && (isShared(row) || !isNode(row)))
      .sort((a, b) => a.nsPerRecord - b.nsPerRecord)
      .map(row => ({
        name: row.side,
        note: operation === 'encode' ? '' : row.crc === 'not verified' ? 'CRC not verified' : 'CRC verified',
        value: row.nsPerRecord,
        own: row.side === OWN,
      })),
  })
  const first = rows.find(isShared)!
  const caption = `ns per record, less is better. Median of ${rounds} rounds, each side in its own process, Node ${first.node.slice(1)}, ${machine}, ${date}`
  return chart(caption, [
    bars('Decode a batch into record objects: 1000 × (10 B key, 100 B value)', 'decode, records', PLAIN),
    bars('The same, each record with 2 headers', 'decode, records', { ...PLAIN, headers: 2 }),
    bars('Decode, lz4, key and value read', 'decode, key and value bytes', { ...PLAIN, codec: 'lz4' }),
    bars('Encode a batch: 1000 × (10 B key, 100 B value)', 'encode', PLAIN),
  ])
}

function figure(ns: number): string {
  return ns < 10 ? ns.toFixed(2) : ns < 100 ? ns.toFixed(1) : Math.round(ns).toLocaleString('en-US')
}
