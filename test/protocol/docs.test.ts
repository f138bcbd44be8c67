import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { commentsOf, type Documented, innerShape, pages } from '../../scripts/docs-protocol.ts'
import { allApis } from '../../src/protocol/registry.ts'
import type { Shape } from '../../src/protocol/schema.ts'

const APIS = resolve(import.meta.dirname, '../../src/protocol/apis')
const OUT = resolve(import.meta.dirname, '../../docs/protocol')
const sources = new Map(readdirSync(APIS).map(name => [Number.parseInt(name, 10), readFileSync(join(APIS, name), 'utf8')]))

test('the pages under docs/protocol are what the declarations say (npm run docs:protocol)', () => {
  const written = new Map(readdirSync(OUT).map(name => [name, readFileSync(join(OUT, name), 'utf8')]))
  expect([...written.keys()].sort()).toEqual([...pages().keys()].sort())
  for (const [name, text] of pages()) expect(written.get(name), name).toBe(text)
})

describe('every API and each of its fields says what it means', () => {
  test.each(allApis.map(api => [api.name, api] as const))('%s', (_, api) => {
    const { about, sides } = commentsOf(sources.get(api.key)!)
    expect(about).not.toBe('')
    expect([...undocumented(api.request.shape, sides.fields.get('request'), 'request')]).toEqual([])
    expect([...undocumented(api.response.shape, sides.fields.get('response'), 'response')]).toEqual([])
  })
})

function* undocumented(shape: Shape, comments: Documented | undefined, path: string): Generator<string> {
  for (const [name, { wire }] of Object.entries(shape)) {
    const documented = comments?.fields.get(name)
    if (!documented?.doc) yield `${path}.${name}`
    const inner = innerShape(wire)
    if (inner) yield* undocumented(inner, documented, `${path}.${name}`)
  }
}
