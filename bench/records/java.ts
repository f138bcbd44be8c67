import { JavaProcess } from '../../test/java/java.ts'
import type { ForeignSide } from '../rounds.ts'
import { batchOf, type Cell, caseName, HEADLINES, type Operation } from './cells.ts'

/** Apache's own classes on the headlines they can do, in a JVM per round: twice as long to warm up, and four times as long to measure. */
export async function javaSide(version: number): Promise<ForeignSide> {
  const able = HEADLINES.filter(([operation]) => !operation.includes('value as') && operation !== 'decode, index only')
  const lines = await Promise.all(able.map(([operation, cell]) => question(operation, cell)))
  return {
    name: 'Apache kafka-clients 4.4.0',
    crc: 'verified',
    platform: `Java ${version}`,
    async measure(warmUpMs, measureMs) {
      const java = await JavaProcess.start('4.4.0', 'RecordsBench.java', [String(2 * warmUpMs), String(4 * measureMs)])
      const answers = await java.toEnd(`${lines.join('\n')}\n`, 600_000)
      return new Map(
        answers.split('\n').map(line => {
          const [label, ns] = line.split('\t')
          return [label!, Number(ns)]
        }),
      )
    },
  }
}

async function question(operation: Operation, cell: Cell): Promise<string> {
  return [caseName(operation, cell), operation, (await batchOf(cell)).toString('base64')].join('\t')
}
