import { JavaProcess } from '../../test/java/java.ts'
import { batchOf, type Cell, caseName, HEADLINES, type Operation } from './cells.ts'

/** Apache's own classes on the headlines they can do, in one JVM; nanoseconds per batch by case. */
export async function measureJava(measureMs: number): Promise<Map<string, number>> {
  const lines: string[] = []
  for (const [operation, cell] of HEADLINES) if (!operation.includes('value as')) lines.push(await question(operation, cell))
  const java = await JavaProcess.start('4.4.0', 'RecordsBench.java', [String(measureMs)])
  const answers = await java.toEnd(`${lines.join('\n')}\n`, 600_000)
  return new Map(
    answers.split('\n').map(line => {
      const [label, ns] = line.split('\t')
      return [label!, Number(ns)]
    }),
  )
}

async function question(operation: Operation, cell: Cell): Promise<string> {
  return [caseName(operation, cell), operation, (await batchOf(cell)).toString('base64')].join('\t')
}
