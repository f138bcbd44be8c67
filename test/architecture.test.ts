import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const SRC = resolve(import.meta.dirname, '../src')

/** Which folders a folder may import, besides itself. Think hard about the layering before changing this table. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'errors.ts': [],
  runtime: ['errors.ts', 'util'],
  util: ['errors.ts', 'runtime'],
  protocol: ['errors.ts', 'util'],
  net: ['errors.ts', 'util', 'runtime', 'protocol', 'telemetry'],
  telemetry: ['errors.ts', 'util', 'runtime'],
  serde: ['errors.ts', 'util', 'protocol'],
  client: ['errors.ts', 'util', 'runtime', 'protocol', 'net', 'telemetry'],
  producer: ['errors.ts', 'util', 'runtime', 'protocol', 'client', 'serde', 'telemetry'],
  consumer: ['errors.ts', 'util', 'runtime', 'protocol', 'client', 'serde', 'telemetry'],
  admin: ['errors.ts', 'util', 'runtime', 'protocol', 'client', 'telemetry'],
  // The two sides meet on bytes only.
  broker: ['errors.ts', 'util', 'runtime', 'protocol', 'net', 'telemetry'],
  cli: ['*'],
  'kafka.ts': ['*'],
  'index.ts': ['*'],
}
/** Only these may reach around the runtime (D4). */
const OUTSIDE = /^(runtime|cli)\//
const MAX_LINES = 500

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
const sourceOf = (file: string) => readFileSync(join(SRC, file), 'utf8')
const importsOf = (source: string) =>
  [
    ...source.matchAll(
      /^\s*(?:import|export)\b[^'"]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"`]([^'"`]+)['"`]|^\s*import\s*['"]([^'"]+)['"]/gm,
    ),
  ].map(match => (match[1] ?? match[2] ?? match[3])!)
const withoutComments = (source: string) => source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
const roomOf = (file: string) => file.split('/')[0]!

describe('imports run one way', () => {
  test.each(files)('%s', file => {
    const room = roomOf(file)
    const allowed = MAY_IMPORT[room]
    expect(allowed, `${room} is missing in the table of this test`).toBeDefined()
    for (const target of importsOf(sourceOf(file)).filter(name => name.startsWith('.'))) {
      const other = roomOf(relative(SRC, resolve(SRC, dirname(file), target)))
      if (other !== room && !allowed!.includes('*')) expect(allowed, `${file} imports ${target}`).toContain(other)
    }
  })
})

describe('the outside world comes in through the runtime', () => {
  const forbidden = [
    /\bDate\.now\b/,
    /\bnew Date\b(?!\([^)])/,
    /\bperformance\.now\b/,
    /\bset(Timeout|Interval|Immediate)\b/,
    /\bMath\.random\b/,
    /(?:await|return|[=(>,])\s*fetch\(/,
    /globalThis\.fetch/,
    /\bprocess\.(hrtime|nextTick|env)\b/,
    /\bAbortSignal\.timeout\b/,
    /\b(?:randomBytes|randomInt|randomFill(?:Sync)?|getRandomValues)\b/,
    /\bimport\s*\{[^}]*\brandomUUID\b/,
    /\b(?:from|import|require|getBuiltinModule)[\s(]*['"`](?:node:)?(net|tls|dns|dns\/promises|dgram|http|http2|https|cluster|child_process|worker_threads|timers|timers\/promises)['"`]/,
  ]
  test.each(files.filter(file => !OUTSIDE.test(file)))('%s', file => {
    const source = withoutComments(sourceOf(file))
    for (const pattern of forbidden) expect(source.match(pattern)?.[0], `${file} reaches around the runtime`).toBeUndefined()
  })
})

test.each(files)('%s is a readable length, named after a noun, and uses zod only for options', file => {
  const source = sourceOf(file)
  expect(source.split('\n').length, `${file} is too long`).toBeLessThanOrEqual(MAX_LINES)
  expect(file).not.toMatch(/(^|\/)(utils|types|helpers|common)\.ts$/)
  if (!file.endsWith('options.ts')) expect(importsOf(source)).not.toContain('zod')
})
