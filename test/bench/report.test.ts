import { describe, expect, test } from 'vitest'
import type { Row as Drained } from '../../bench/consume/report.ts'
import { goals as drainGoals, section as drainSection } from '../../bench/consume/report.ts'
import { withSection } from '../../bench/docs-section.ts'
import { goalsTable } from '../../bench/goals.ts'
import { CODECS, caseName, MATRIX, OPERATIONS, PLAIN } from '../../bench/records/cells.ts'
import { crcOf, goals, matrixPage, type Report, type Row, section, svg } from '../../bench/records/report.ts'

const conditions = { machine: '2 × a machine', date: '2026-01-01', command: 'npm run bench:records -- --docs', load: 0.2 }
const row = (suite: Row['suite'], label: string, side: string, nsPerRecord: number, rest: Partial<Row> = {}): Row => ({
  suite,
  case: label,
  side,
  node: 'v24.1.0',
  crc: 'verified',
  nsPerRecord,
  mbPerSecond: 1,
  range: [nsPerRecord, nsPerRecord],
  ...rest,
})
const report = (rows: readonly Row[]): Report => ({
  conditions,
  pace: { rounds: 7, warmUpMs: 250, measureMs: 80 },
  matrixPace: { rounds: 3, warmUpMs: 15, measureMs: 15 },
  rows,
})
const records = caseName('decode, records', PLAIN)

describe('what the record bench reports', () => {
  const rows = [
    row('headlines', records, 'kafkawire', 40),
    row('headlines', records, 'slow', 400),
    row('headlines', records, 'fast', 119, { crc: 'not verified' }),
    row('headlines', records, 'Apache', 10, { node: 'Java 17' }),
    row('frames', '1 MiB, released', 'kafkawire', 100, { longestTurnMs: 5, rssMb: 100 }),
    row('frames', '50 MiB, released', 'kafkawire', 119, { longestTurnMs: 10.4, rssMb: 100 }),
  ]

  test('our figure is held against the fastest Node client, verified or not, and Java is no Node client', () => {
    expect(goals(rows)[0]).toMatchObject({ came: 119 / 40, best: 'fast, CRC not verified' })
  })

  test('what was missed is said, what nobody measured is left out', () => {
    const table = goalsTable(goals(rows))
    expect(table.map(line => line.split(' | ').at(-1))).toEqual([
      '|',
      '|---|---:|---:|---|',
      '**not reached** |',
      'reached |',
      '**not reached** |',
    ])
  })

  test('a figure that just missed does not look as if it had reached', () => {
    expect(goalsTable(goals(rows)).at(-1)).toContain('10.4 ms')
    expect(goalsTable([{ what: 'w', aim: { least: 3 }, unit: '×', came: 2.999 }]).at(-1)).toContain('2.999 ×')
  })

  test('a peer that cannot do a case has a dash there', () => {
    const text = section(
      report([...rows, row('headlines', 'encode | …', 'kafkawire', 90), row('headlines', 'encode | …', 'slow', 180)]),
    )
    expect(text).toContain('| encode – … | 90.0 | 180 (×2.0) | – | – |')
  })

  test('the chart shows each side of a case, the fastest first', () => {
    expect([...svg(report(rows)).matchAll(/text-anchor="end">(\w+)</g)].map(match => match[1])).toEqual([
      'Apache',
      'kafkawire',
      'fast',
      'slow',
    ])
  })

  test.each([
    [caseName('encode', PLAIN), 'not verified', 'computed'],
    [records, 'not verified', 'not verified'],
    ['CRC32C, kernel', '', 'computed'],
    ['memcpy', '', 'not applicable'],
  ])('the checksum of %s by a side that has it "%s" is %s', (label, decoding, expected) => {
    expect(crcOf(label, decoding)).toBe(expected)
  })

  test('every cell of the matrix is on its page, under its codec', () => {
    const cells = OPERATIONS.flatMap(operation => MATRIX.map(cell => caseName(operation, cell)))
    const page = matrixPage(report(cells.map((label, i) => row('matrix', label, 'kafkawire', 1_000 + i))))
    const figures = [...page.matchAll(/^\| \d.*?\| (.+) \|$/gm)].flatMap(match => match[1]!.split(' | '))
    expect(figures).toEqual(cells.map((_, i) => (1_000 + i).toLocaleString('en-US')))
    expect(cells).toHaveLength(OPERATIONS.length * 3 * 4 * 3 * CODECS.length)
  })
})

describe('what the bench of a backlog reports', () => {
  const drained = (side: string, recordsPerCpuSecond: number, rest: Partial<Drained> = {}): Drained => ({
    case: '100 B × 1 partition',
    valueBytes: 100,
    rounds: 5,
    side,
    crc: 'verified',
    records: 1_000_000,
    recordsPerSecond: 1_000_000,
    recordsPerCpuSecond,
    turnMs: 4,
    rssMb: 90,
    ...rest,
  })
  const rows = [
    drained('kafkawire, batches', 3_000_000),
    drained('kafkawire, records', 1_000_000, { turnMs: 21 }),
    drained('peer', 1_000_000),
    drained('kcat (librdkafka 2)', 4_000_000, { turnMs: 0, rssMb: 0 }),
  ]

  test('kcat is not one of the Node peers; the worst of our ways to read counts for turns and memory', () => {
    expect(drainGoals(rows).map(({ unit, came }) => [unit, came])).toEqual([
      ['× the best peer', 3],
      ['× kcat', 0.75],
      ['ms', 21],
      ['MB', 90],
    ])
  })

  test('what is not known of a side is a dash', () => {
    expect(drainSection({ conditions, rows })).toContain('| kcat (librdkafka 2) | verified | 1,000 k | 4,000 k | – | – |')
  })
})

describe('a section of a page', () => {
  test('is replaced between its marks, and nothing else is touched', () => {
    const page = 'before\n<!-- a -->\nold\n<!-- /a -->\nbetween\n<!-- b -->\nB\n<!-- /b -->\n'
    expect(withSection(page, 'a', 'new $& $1\n')).toBe(page.replace('old', () => 'new $& $1'))
  })

  test('is added at the end of a page that has none', () => {
    expect(withSection('page\n', 'a', 'text')).toBe('page\n\n<!-- a -->\ntext\n<!-- /a -->\n')
  })
})
