import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { NEXT_STATES } from '../../src/net/connection-state.ts'

const root = join(import.meta.dirname, '../..')
const page = (name: string) => readFileSync(join(root, name), 'utf8')
const pages = [
  'README.md',
  'DESIGN.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]

describe('the documents describe what is there', () => {
  test.each(pages)('every file that %s names or links to exists', name => {
    const text = page(name)
    const named = [...text.matchAll(/`((?:src|test|scripts|bench|examples)\/[\w./-]+)`/g)].map(match => join(root, match[1]!))
    const mentioned = [...text.matchAll(/\((src\/[\w./-]+)\)/g)].map(match => join(root, match[1]!))
    const linked = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(match => join(root, dirname(name), match[1]!))
    for (const path of [...named, ...mentioned, ...linked]) expect(existsSync(path), path).toBe(true)
  })

  test("the connection's state table in DESIGN.md is the one in the code", () => {
    const rows = [...page('DESIGN.md').matchAll(/^\| (\w+) \| (.+) \|$/gm)].filter(([, from]) => from! in NEXT_STATES)
    const told = Object.fromEntries(
      rows.map(([, from, to]) => [
        from,
        to!
          .replace(/\([^)]*\)/g, '')
          .split(',')
          .map(state => state.trim()),
      ]),
    )
    expect({ ...told, closed: [] }).toEqual(NEXT_STATES)
  })
})
