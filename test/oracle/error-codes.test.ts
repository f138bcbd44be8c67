import { expect, test } from 'vitest'
import { ErrorCode, errorRows } from '../../src/protocol/error-codes.ts'
import { runJava } from '../java/java.ts'
import { report } from './report.ts'

test("codes, names and retriability are those of Kafka's Errors", async () => {
  const theirs = JSON.parse(await runJava('4.4.0', 'OracleErrors.java')) as [number, string, boolean][]
  const ours = errorRows.map(row => [row.code, row.name, row.retriable])
  report('error-codes', {
    cells: theirs.length,
    differences: theirs.filter(row => !ours.some(mine => String(mine) === String(row))).length,
  })
  expect(ours).toEqual(theirs)
  expect(Object.entries(ErrorCode).map(([name, code]) => [code, name])).toEqual(theirs.map(([code, name]) => [code, name]))
})
