/** What the drained backlogs came to, as Markdown. */
import { type Conditions, described } from '../conditions.ts'
import { type Goal, goalsTable } from '../goals.ts'
import type { Drained } from './drain.ts'

export type Row = Drained & {
  readonly case: string
  readonly valueBytes: number
  /** How many rounds the figures are medians of. */
  readonly rounds: number
}

export interface Report {
  readonly conditions: Conditions
  readonly rows: readonly Row[]
}

/** The ways in which our side reads. */
export const OWN_MODES = ['batches', 'released', 'records'] as const

export const ownSide = (mode: (typeof OWN_MODES)[number]): string => `kafkawire, ${mode}`

export function section({ conditions, rows }: Report): string {
  const rounds = rows[0]?.rounds
  return [
    '## Draining a backlog\n',
    `${described(conditions)}. Medians of ${rounds} rounds, Node 24, from Apache Kafka 4.4.0 on the same machine; the first byte of each value is read. Counted`,
    'from the first batch to the last, processor time of all threads of the process. kcat is counted from its start to its end, and copies values to /dev/null',
    "instead. Java's records/s are those of its fetching alone, its processor time is without what a run for one record takes. The longest turn is in",
    'processor time of the main thread, an upper bound, about a millisecond too high. RSS is the most that was seen as batches came.\n',
    '### What was aimed at\n',
    ...goalsTable(goals(rows)),
    ...[...new Set(rows.map(row => row.case))].flatMap(name => {
      const of = rows.filter(row => row.case === name)
      return [
        `\n### ${name}, ${of[0]?.records.toLocaleString('en-US')} records\n`,
        '| side | CRC | records/s | records per CPU second | longest turn, ms | RSS, MB |',
        '|---|---|---:|---:|---:|---:|',
        ...of.map(
          row =>
            `| ${row.side} | ${row.crc} | ${thousands(row.recordsPerSecond)} | ${thousands(row.recordsPerCpuSecond)} | ${row.turnMs || '–'} | ${row.rssMb || '–'} |`,
        ),
      ]
    }),
  ].join('\n')
}

/** The figures that the project set itself for batches, by records per CPU second, those that it misses included. */
export function goals(rows: readonly Row[]): Goal[] {
  const found: Goal[] = []
  for (const name of new Set(rows.map(row => row.case))) {
    const of = rows.filter(row => row.case === name)
    const own = of.find(row => row.side === ownSide('batches'))
    if (!own) continue
    const beside = (unit: string, least: number, others: readonly Row[]) => {
      const [best] = [...others].sort((a, b) => b.recordsPerCpuSecond - a.recordsPerCpuSecond)
      if (!best) return
      const came = own.recordsPerCpuSecond / best.recordsPerCpuSecond
      found.push({
        what: `${name}: records per CPU second, batches`,
        aim: { least },
        unit,
        came,
        best: `${best.side}, CRC ${best.crc}`,
      })
    }
    const isKcat = (row: Row) => row.side.startsWith('kcat')
    const isJava = (row: Row) => row.side.startsWith('Java')
    const isOwn = (row: Row) => OWN_MODES.some(mode => row.side === ownSide(mode))
    const peers = of.filter(row => !isKcat(row) && !isJava(row) && !isOwn(row))
    const small = own.valueBytes < 1_000
    beside('× the best peer', small ? 2.5 : 1.5, peers)
    if (small) {
      beside('× kcat', 1.5, of.filter(isKcat))
      beside('× Java', 2, of.filter(isJava))
    }
    const all = of.filter(isOwn)
    const most = (pick: (row: Row) => number) => Math.max(...all.map(pick))
    found.push({
      what: `${name}: longest turn, in any of our ways to read`,
      aim: { most: 20 },
      unit: 'ms',
      came: most(row => row.turnMs),
    })
    found.push({ what: `${name}: RSS, in any of our ways to read`, aim: { most: 150 }, unit: 'MB', came: most(row => row.rssMb) })
  }
  return found
}

const thousands = (n: number): string => `${Math.round(n / 1_000).toLocaleString('en-US')} k`
