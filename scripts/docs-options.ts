/** Writes docs/options.md: every option of every client, from the schemas that validate them. `npm run docs:options`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { clientOptionsShape, javaNames } from '../src/client/options.ts'
import { consumerJavaNames, consumerOptionsShape } from '../src/consumer/options.ts'
import { producerJavaNames, producerOptionsShape } from '../src/producer/options.ts'

const ROOT = resolve(import.meta.dirname, '..')
export const OUT = join(ROOT, 'docs/options.md')

interface Part {
  readonly title: string
  readonly about: string
  readonly shape: z.ZodRawShape
  readonly javaNames: Readonly<Record<string, string>>
  readonly source: string
}

const parts: readonly Part[] = [
  {
    title: 'Every client',
    about: '`Kafka`, `Producer`, `Consumer`, `Admin` and `Client` take these.',
    shape: clientOptionsShape,
    javaNames,
    source: 'src/client/options.ts',
  },
  {
    title: 'Producer',
    about: 'Besides those of every client.',
    shape: producerOptionsShape,
    javaNames: producerJavaNames,
    source: 'src/producer/options.ts',
  },
  {
    title: 'Consumer',
    about: 'Besides those of every client.',
    shape: consumerOptionsShape,
    javaNames: consumerJavaNames,
    source: 'src/consumer/options.ts',
  },
]

/** The whole page. */
export function page(): string {
  const intro = [
    '# Options',
    '',
    'Made from the schemas by `npm run docs:options`: do not edit. Durations are milliseconds, sizes bytes. Unknown options are',
    "refused by name. Where Java's clients have a name for an option, `Kafka.fromProperties` and the constructors take it as well.",
  ]
  return `${[...intro, ...parts.flatMap(section)].join('\n')}\n`
}

function section({ title, about, shape, javaNames: names, source }: Part): string[] {
  const javaOf = new Map(Object.entries(names).map(([java, ours]) => [ours, java]))
  const comments = commentsOf(readFileSync(join(ROOT, source), 'utf8'))
  const rows = Object.entries(shape).map(([name, field]) => {
    const schema = field as z.ZodType
    const java = javaOf.get(name)
    const text = schema.description ?? comments.get(name) ?? ''
    return `| \`${name}\` | ${java ? `\`${java}\`` : ''} | ${kind(schema)} | ${fallback(schema)} | ${text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')} |`
  })
  return ['', `## ${title}`, about, '', '| option | in Java | takes | default | |', '|---|---|---|---|---|', ...rows]
}

/** What the source says above a field. */
function commentsOf(source: string): Map<string, string> {
  const comments = new Map<string, string>()
  for (const [, comment = '', name = ''] of source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(\w+):/g)) {
    comments.set(name, comment.replaceAll(/\n\s*\*/g, ' ').trim())
  }
  return comments
}

function kind(schema: z.ZodType): string {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return kind(schema.unwrap() as z.ZodType)
  }
  if (schema instanceof z.ZodNullable) return `${kind(schema.unwrap() as z.ZodType)}, null`
  if (schema instanceof z.ZodPipe) return kind(schema.in as z.ZodType)
  if (schema instanceof z.ZodUnion) return schema.options.map(option => kind(option as z.ZodType)).join(', ')
  if (schema instanceof z.ZodEnum) return schema.options.map(option => `\`${String(option)}\``).join(', ')
  if (schema instanceof z.ZodLiteral) return [...schema.values].map(value => `\`${String(value)}\``).join(', ')
  if (schema instanceof z.ZodArray) return `array of ${kind(schema.element as z.ZodType)}`
  if (schema instanceof z.ZodNumber) return range(schema)
  if (schema instanceof z.ZodTemplateLiteral || schema instanceof z.ZodString) return 'text'
  if (schema instanceof z.ZodObject) return `{ ${Object.keys(schema.shape).join(', ')} }`
  return schema.type === 'custom' ? 'object or function' : schema.type
}

function range({ minValue, maxValue }: z.ZodNumber): string {
  const isBound = (value: number | null) => value !== null && Math.abs(value) < 0x7fffffff
  const least = isBound(minValue) ? `${minValue}` : ''
  const most = isBound(maxValue) ? `${maxValue}` : ''
  if (least === '' && most === '') return 'number'
  return most === '' ? `number ≥ ${least}` : `number, ${least} to ${most}`
}

function fallback(schema: z.ZodType): string {
  if (schema instanceof z.ZodOptional) return ''
  const result = schema.safeParse(undefined)
  if (!result.success) return '**required**'
  const { data } = result
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return ''
  return data === undefined ? 'off' : `\`${JSON.stringify(data)}\``
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(OUT, page())
