/**
 * Writes docs/protocol/: a page per API and one of the error codes, from the declarations and the comments above their
 * fields. `npm run docs:protocol`.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorRows } from '../src/protocol/error-codes.ts'
import { requestHeaderVersion, responseHeaderVersion } from '../src/protocol/header.ts'
import { allApis } from '../src/protocol/registry.ts'
import { type AnyField, type Api, type Message, NEVER, type Route, type Shape, type Wire } from '../src/protocol/schema.ts'

const ROOT = resolve(import.meta.dirname, '..')
const APIS = join(ROOT, 'src/protocol/apis')
const OUT = join(ROOT, 'docs/protocol')

/** What the source says above a field, and above the fields inside it. */
export interface Documented {
  readonly doc: string | undefined
  readonly fields: ReadonlyMap<string, Documented>
}

/** The comments of one declaration file: what stands above the API itself, and by side and field. */
export function commentsOf(source: string): { readonly about: string; readonly sides: Documented } {
  const shared = new Map<string, Map<string, Documented>>()
  const api = new Map<string, Documented>()
  let stack: { readonly indent: number; readonly fields: Map<string, Documented> }[] = []
  let doc: string | undefined
  let about = ''
  for (const line of source.split('\n')) {
    const indent = line.length - line.trimStart().length
    const comment = /^\s*\/\*\* (.*) \*\/$/.exec(line)
    const constant = /^const (\w+) = \{$/.exec(line)
    const field = /^\s+(\w+)(?::\s*(.*)|,)$/.exec(line)
    if (comment) {
      doc = comment[1]
      continue
    }
    if (constant) {
      const fields = new Map<string, Documented>()
      shared.set(constant[1]!, fields)
      stack = [{ indent: 0, fields }]
    } else if (line.startsWith('export const')) {
      about = doc ?? ''
      stack = [{ indent: 0, fields: api }]
    } else if (field) {
      while (stack.length > 1 && stack.at(-1)!.indent >= indent) stack.pop()
      const reference = /\b(?:array|struct)\((\w+)\)/.exec(field[2] ?? '')?.[1]
      const fields = (reference && shared.get(reference)) || new Map<string, Documented>()
      stack.at(-1)?.fields.set(field[1]!, { doc, fields })
      stack.push({ indent, fields })
    }
    doc = undefined
  }
  return { about, sides: { doc: undefined, fields: api } }
}

/** All pages: file name → text. */
export function pages(): Map<string, string> {
  const sources = new Map(
    readdirSync(APIS).map(name => [Number.parseInt(name, 10), { name, text: readFileSync(join(APIS, name), 'utf8') }]),
  )
  const written = new Map<string, string>()
  const rows: string[] = []
  for (const api of allApis) {
    const { name, text } = sources.get(api.key)!
    const page = name.replace('.ts', '.md')
    const comments = commentsOf(text)
    written.set(page, apiPage(api, comments))
    rows.push(`| ${api.key} | [${api.name}](${page}) | ${range(api.request.versions)} | ${comments.about} |`)
  }
  written.set('errors.md', errorPage())
  written.set(
    'README.md',
    [
      '# The protocol, API by API',
      '',
      'Made from the declarations in `src/protocol/apis/` by `npm run docs:protocol`. All [error codes](errors.md) have a page of their own.',
      '',
      '| key | API | versions | what it does |',
      '|---|---|---|---|',
      ...rows,
      '',
    ].join('\n'),
  )
  return written
}

function apiPage(api: Api, { about, sides }: ReturnType<typeof commentsOf>): string {
  const [min, max] = api.request.versions
  const flexible = api.request.flexible
  return [
    `# ${api.name} (key ${api.key})`,
    '',
    about,
    '',
    `- Versions ${min} to ${max}${api.stable < max ? `; ${api.stable} is the last stable one` : ''}${flexible < NEVER ? `, flexible (tagged fields, compact lengths) from ${flexible} on` : ', never flexible'}.`,
    `- Headers: request v${requestHeaderVersion(api, min)} at version ${min}, v${requestHeaderVersion(api, max)} at ${max}; response v${responseHeaderVersion(api, min)} and v${responseHeaderVersion(api, max)}.`,
    `- Sent to ${destination(api.route)}.`,
    ...(api.clientThrottlesSince < NEVER
      ? [`- From version ${api.clientThrottlesSince} on the client itself stays quiet for \`throttleTimeMs\` (KIP-219).`]
      : []),
    `- Errors: ${errorFields(api)}`,
    '',
    ...section('Request', api.request, sides.fields.get('request')),
    ...section('Response', api.response, sides.fields.get('response')),
  ].join('\n')
}

function section(title: string, message: Message, comments: Documented | undefined): string[] {
  const rows = [...fieldRows(message.shape, comments, message.versions, 0)]
  if (rows.length === 0) return [`## ${title}`, '', 'Has no fields.', '']
  return [`## ${title}`, '', '| field | type | versions | default | meaning |', '|---|---|---|---|---|', ...rows, '']
}

function* fieldRows(
  shape: Shape,
  comments: Documented | undefined,
  [min, max]: readonly [number, number],
  depth: number,
): Generator<string> {
  for (const [name, field] of Object.entries(shape)) {
    const at = field.presence
    const span = [Math.max(min, at.since), Math.min(max, at.until)] as const
    const documented = comments?.fields.get(name)
    yield `| ${'&emsp;'.repeat(depth)}${name} | ${typeOf(field, span[0])} | ${range(span)} | ${defaultOf(field)} | ${documented?.doc ?? ''} |`
    const inner = innerShape(field.wire)
    if (inner) yield* fieldRows(inner, documented, span, depth + 1)
  }
}

function typeOf({ wire, presence: at }: AnyField, since: number): string {
  const nullable = at.nullableSince < NEVER ? `, or null${at.nullableSince > since ? ` from v${at.nullableSince}` : ''}` : ''
  return `${wireName(wire)}${nullable}${at.tag === undefined ? '' : `; tag ${at.tag}`}`
}

const wireName = (wire: Wire): string =>
  wire.kind === 'primitive'
    ? wire.primitive.replace('legacyString', 'string')
    : wire.kind === 'array'
      ? `array of ${wireName(wire.element)}`
      : 'struct'

export const innerShape = (wire: Wire): Shape | undefined =>
  wire.kind === 'struct' ? wire.shape : wire.kind === 'array' ? innerShape(wire.element) : undefined

function defaultOf({ presence: at }: AnyField): string {
  return at.fallback === undefined ? '' : at.fallback === '' ? "''" : String(at.fallback)
}

const range = ([min, max]: readonly [number, number]): string =>
  max < min ? 'none' : min === max ? String(min) : `${min}–${max}`

function destination(route: Route): string {
  switch (route.kind) {
    case 'any':
      return 'any broker'
    case 'controller':
      return 'the controller'
    case 'leader':
      return `the leader of each partition in \`${route.partitions}\`; the \`${route.results}\` of the answers are joined`
    case 'eachBroker':
      return `each broker; the ${route.results.map(path => `\`${path}\``).join(', ')} of the answers are joined`
    case 'byContent':
      return 'a broker that depends on what is asked for'
    default:
      return `the ${route.kind} coordinator of ${route.keys.map(path => `\`${path}\``).join(' or ')}`
  }
}

function errorFields(api: Api): string {
  const paths = [...errorPaths(api.response.shape, '')]
  return paths.length === 0
    ? 'the answer has no error code.'
    : `${paths.map(path => `\`${path}\``).join(', ')}; see [error codes](errors.md).`
}

function* errorPaths(shape: Shape, prefix: string): Generator<string> {
  for (const [name, { wire, presence }] of Object.entries(shape)) {
    // A few are about something beside the request, and have no role.
    if (presence.role === 'errorCode' || name.endsWith('ErrorCode')) yield prefix + name
    const inner = innerShape(wire)
    if (inner) yield* errorPaths(inner, `${prefix}${name}${wire.kind === 'array' ? '[]' : ''}.`)
  }
}

function errorPage(): string {
  return [
    '# Error codes',
    '',
    'What a broker can answer, and what this client does about it. `retriable` is as the Java client has it.',
    '',
    '| code | name | retriable | what the client does | meaning |',
    '|---|---|---|---|---|',
    ...errorRows.map(row => `| ${row.code} | ${row.name} | ${row.retriable ? 'yes' : 'no'} | ${row.action} | ${row.message} |`),
    '',
  ].join('\n')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(OUT, { recursive: true, force: true })
  mkdirSync(OUT, { recursive: true })
  const all = pages()
  for (const [name, text] of all) writeFileSync(join(OUT, name), text)
  console.log(`${all.size} pages written to docs/protocol`)
}
