import { z } from 'zod'
import { ConfigError } from '../errors.ts'

/** Durations: whole milliseconds that fit the int32 most of them become on the wire. */
export const ms = z.int().nonnegative().max(0x7fffffff)
/** Sizes in bytes, likewise. */
export const byteCount = z.int().nonnegative().max(0x7fffffff)

/**
 * Validates options against a strict zod object. Java's property names (`linger.ms`) are accepted where `javaNames`
 * maps them. Throws ConfigError; an unknown name is reported with the nearest known one.
 */
export function parseOptions<S extends z.ZodObject>(
  schema: S,
  input: object,
  javaNames: Readonly<Record<string, string>> = {},
): z.output<S> {
  const result = schema.safeParse(translated(input, javaNames))
  if (result.success) return result.data
  const known = [...Object.keys(schema.shape), ...Object.keys(javaNames)]
  throw new ConfigError(
    result.error.issues.flatMap(issue =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map(key => ({ path: key, message: `unknown option${suggestion(key, known)}` }))
        : [{ path: issue.path.join('.'), message: issue.message }],
    ),
  )
}

function translated(input: object, javaNames: Readonly<Record<string, string>>): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(input)) {
    const ours = javaNames[name] ?? name
    if (ours in options)
      throw new ConfigError([{ path: name, message: `given twice, as ${name} and as ${ours}: keep one of them` }])
    options[ours] = value
  }
  return options
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = known
    .map(candidate => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0]
  return nearest && nearest.distance <= Math.max(2, name.length / 3) ? `: did you mean ${nearest.candidate}?` : ''
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      row[j] = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    previous = row
  }
  return previous[b.length]!
}
