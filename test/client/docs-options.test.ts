import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { OUT, page } from '../../scripts/docs-options.ts'

test('docs/options.md is what the schemas say (npm run docs:options)', () => {
  expect(readFileSync(OUT, 'utf8')).toBe(page())
})

test('every option says what it is for', () => {
  const rows = page()
    .split('\n')
    .filter(line => line.startsWith('| `'))
  expect(rows.length).toBeGreaterThan(50)
  expect(rows.filter(row => row.endsWith('|  |')).map(row => row.split('|')[1]?.trim())).toEqual([])
})
