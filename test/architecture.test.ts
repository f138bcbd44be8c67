import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
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
/** What others may use of Node's modules: what is computed at once, from its arguments alone. */
const PURE: Readonly<Record<string, readonly string[]>> = {
  'node:crypto': ['createHash', 'createHmac', 'timingSafeEqual'],
  'node:diagnostics_channel': ['channel'],
  'node:events': ['setMaxListeners'],
  'node:util': ['inspect', 'promisify'],
  'node:zlib': ['crc32'],
}
/** Who may do more, and why. */
const EXCEPTIONS: Readonly<Record<string, readonly string[]>> = {
  // Files that Java properties name, read once, while options are read.
  'client/java-options.ts': ['node:fs readFileSync'],
  // Jobs, of which the runtime chooses the form that is run; and what it waits for (`Offload.loaded`).
  'protocol/zlib.ts': ['node:zlib *', 'process.'],
  'protocol/compression/zstd.ts': ['import('],
  'net/sasl/scram.ts': ['import('],
  // The codecs' code, made from their schemas.
  'protocol/compile.ts': ['Function('],
  // Looks whether there is WebAssembly.
  'util/wasm.ts': ['globalThis'],
}
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

/** Whatever tells time, waits, is left to chance or talks to somebody without being imported. */
const GLOBALS = [
  // Only a date of a time given, and the type.
  /(?<![.\w])Date\b(?<!\bnew Date(?=\([^).])|\binstanceof Date|:\s*Date|\|\s*Date|<Date)/,
  /\bIntl\b/,
  /\bset(Timeout|Interval|Immediate)\b/,
  // Nothing of Math but by its name, and not chance.
  /(?<![.\w])Math\b(?!\.(?!random\b)\w)/,
  /\bAbortSignal\.timeout\b/,
  // Not the methods of that name.
  /(?:await|void|return|[=(>,])\s*fetch\(/,
  /[=(?]\s*fetch\b(?!\s*[(:=])/,
  /\b(?:globalThis|WebSocket|EventSource|XMLHttpRequest|BroadcastChannel|MessageChannel|Atomics)\b/,
  /(?<![.\w])(?:process|performance|crypto|scheduler)\b\s*(?:\.|\?\.|\[)/,
  // Taken apart, or by another name.
  /[=(,[?]\s*(?:process|performance|crypto|scheduler)\b(?!\s*[:(=.?[])/,
  /(?<![.\w])(?:Function|eval)\s*\(/,
  /\bimport\s*\(/,
  /(?<![.\w])require\s*\(''/,
]

/** What a file uses of the outside world, however it came by it. */
function waysAround(source: string): string[] {
  const code = withoutComments(source)
  const imported = [...code.matchAll(/^\s*(?:import|export)\b([^'"]*?)(?:\bfrom\s*)?['"]([^'"]+)['"]/gm)]
    .filter(([, names, module]) => isBuiltin(module!) && !/^\s+type\b/.test(names!))
    .flatMap(([, names, module]) => {
      const from = module!.startsWith('node:') ? module! : `node:${module}`
      const braces = /\{([^}]*)\}/.exec(names!)?.[1]
      const chosen = braces?.split(',').flatMap(name => (/^\s*(?:type\b|$)/.test(name) ? [] : [name.trim().split(' ')[0]!])) ?? [
        '*',
      ]
      return chosen.filter(name => !PURE[from]?.includes(name)).map(name => `${from} ${name}`)
    })
  const used = withoutTexts(code)
  return [...imported, ...GLOBALS.flatMap(pattern => used.match(pattern)?.[0] ?? [])]
}
const withoutTexts = (code: string) =>
  code
    .replace(/(['"])(?:(?!\1)[^\\\n]|\\.)*\1/g, "''")
    .replace(/`(?:[^`\\]|\\.)*`/g, text => [...text.matchAll(/\$\{([^}]*)\}/g)].map(match => match[1]).join(' '))

describe('the outside world comes in through the runtime', () => {
  test.each(files.filter(file => !OUTSIDE.test(file)))('%s', file => {
    const allowed = EXCEPTIONS[file] ?? []
    const found = waysAround(sourceOf(file)).filter(way => !allowed.includes(way))
    expect(found, `${file} reaches around the runtime`).toEqual([])
  })

  test.each(Object.entries(EXCEPTIONS))('%s needs its exceptions', (file, allowed) => {
    expect(waysAround(sourceOf(file)).sort()).toEqual([...allowed].sort())
  })

  test.each([
    'const at = Date.now()',
    'const at = new Date()',
    'const at = new Date',
    'const at = new Date(...[])',
    'const { now } = Date',
    "const at = Date['now']()",
    'const D = Date',
    'const at = Intl.DateTimeFormat().format()',
    'const chance = Math.random()',
    "const chance = Math['random']()",
    'const { random } = Math',
    'const { hrtime } = process',
    'const { now } = performance',
    'const p = process',
    'const c = crypto',
    'seeded(crypto)',
    'const q = fetch',
    'ask(fetch)',
    "const at = new Function('return 1')()",
    "eval('1')",
    'performance.now()',
    'process.hrtime.bigint()',
    'process.env.HOME',
    'process.getBuiltinModule("net")',
    'setTimeout(retry, 5)',
    'const id = globalThis.crypto.randomUUID()',
    'const id = crypto.randomUUID()',
    "import { randomUUID } from 'node:crypto'",
    "import crypto from 'crypto'",
    "import { createHash, pbkdf2 } from 'node:crypto'",
    "import * as zlib from 'node:zlib'",
    "import { gzip } from 'node:zlib'",
    "import { readFile } from 'node:fs/promises'",
    "import { existsSync } from 'fs'",
    "import { setTimeout as wait } from 'node:timers/promises'",
    "import 'node:net'",
    "export { connect } from 'node:tls'",
    'await scheduler.wait(5)',
    "const socket = new WebSocket('ws://a')",
    "await fetch('http://a')",
    'AbortSignal.timeout(5)',
    "const { a } = await import('a-package')",
    'const module = await import(name)',
    "const net = require('net')",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what is looked into
    'const text = `at ${Date.now()}`',
  ])('%s would be caught', code => {
    expect(waysAround(code)).not.toEqual([])
  })

  test.each([
    "import { createHash, type Hash } from 'node:crypto'",
    "import type { Socket } from 'node:net'",
    'const at = new Date(timestamp)',
    'const isDate = (value: Date | string) => value instanceof Date',
    'const most = Math.max(1, 2)',
    'const { fetch } = options',
    'this.fetch(request)',
    "throw new Error('use setTimeout() or `process.env`')",
    'throw new Error(`not a UUID such as crypto.randomUUID() gives`)',
    'this.assignment.require(partition)',
    '// Date.now() may jump',
  ])('%s is in order', code => {
    expect(waysAround(code)).toEqual([])
  })
})

test.each(files)('%s is a readable length, named after a noun, and uses zod only for options', file => {
  const source = sourceOf(file)
  expect(source.split('\n').length, `${file} is too long`).toBeLessThanOrEqual(MAX_LINES)
  expect(file).not.toMatch(/(^|\/)(utils|types|helpers|common)\.ts$/)
  if (!file.endsWith('options.ts')) expect(importsOf(source)).not.toContain('zod')
})
