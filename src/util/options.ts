import { z } from 'zod'
import { ConfigError, KafkaError } from '../errors.ts'

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
  checkObject(input)
  const result = schema.safeParse(translated(input, javaNames), { error: nearestNames(Object.keys(javaNames)) })
  if (result.success) return result.data
  throw new ConfigError(issuesOf(result.error).map(({ path, message }) => ({ path: path.join('.'), message })))
}

/** Refuses what is no object of options: `new Kafka(undefined)`, `new Kafka('localhost:9092')`. Throws ConfigError. */
export function checkObject(input: unknown): void {
  if (isObject(input)) return
  const given = input === null ? 'null' : Array.isArray(input) ? 'an array' : typeof input
  const message = `expected an object of options, such as { bootstrapServers: 'localhost:9092' }, not ${given}`
  throw new ConfigError([{ path: '', message }])
}

export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

/** For `superRefine`: holds an option to a schema, and leaves it as it is. A copy would lose its class, and `this`. */
export const conforms =
  (schema: z.ZodType) =>
  (value: unknown, context: z.RefinementCtx): void => {
    const { error } = schema.safeParse(value, { error: nearestNames() })
    if (error) for (const issue of issuesOf(error)) context.addIssue({ code: 'custom', ...issue })
  }

/** Gives an object's unknown names a line each, in their order. `javaNames` count at the top. */
const nearestNames =
  (javaNames: readonly string[] = []): z.core.$ZodErrorMap =>
  issue => {
    if (issue.code !== 'unrecognized_keys' || !(issue.inst instanceof z.ZodObject)) return undefined
    const known = [...Object.keys(issue.inst.shape), ...(issue.path?.length ? [] : javaNames)]
    return issue.keys.map(key => `unknown option${suggestion(key, known)}`).join('\n')
  }

function issuesOf({ issues }: z.ZodError): { path: PropertyKey[]; message: string }[] {
  return issues.flatMap(issue => {
    if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }]
    const lines = issue.message.split('\n')
    return issue.keys.map((key, i) => ({ path: [...issue.path, key], message: lines[i] ?? issue.message }))
  })
}

function translated(input: object, javaNames: Readonly<Record<string, string>>): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  const given = new Map<string, string>()
  for (const [name, value] of Object.entries(input)) {
    const ours = javaNames[name] ?? name
    const before = given.get(ours)
    if (before !== undefined)
      throw new ConfigError([{ path: name, message: `given twice, as ${before} and as ${name}: keep one of them` }])
    given.set(ours, name)
    options[ours] = value
  }
  return options
}

/**
 * Refuses names that a call does not know, with the nearest that it does: a typo would otherwise leave a default in place.
 * `of` is what the object is to the caller, such as `poll()`. Throws KafkaError ERR_INVALID_ARGUMENT.
 */
export function checkNames(of: string, given: object, known: readonly string[]): void {
  for (const name in given)
    if (!known.includes(name))
      throw new KafkaError(
        'ERR_INVALID_ARGUMENT',
        `${of} does not know ${name}${suggestion(name, known) || `: it takes ${known.join(', ')}`}`,
      )
}

/** What the same thing is called in other clients. */
const elsewhere: Readonly<Record<string, string>> = { brokers: 'bootstrapServers', ssl: 'tls', fromBeginning: 'autoOffsetReset' }

/** `: did you mean …?`, or nothing where no known name is near. */
export function suggestion(name: string, known: readonly string[]): string {
  const meant = elsewhere[name]
  if (meant !== undefined && known.includes(meant)) return `: did you mean ${meant}?`
  const given = name.toLowerCase()
  // A name cut short (`linger`, `ack`) is nearer than any typo.
  const begun = given.length < 3 ? [] : known.filter(candidate => candidate.toLowerCase().startsWith(given))
  const nearest = (begun.length > 0 ? begun : known)
    .map(candidate => ({ candidate, distance: editDistance(given, candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0]
  if (nearest && begun.length > 0) return `: did you mean ${nearest.candidate}?`
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
