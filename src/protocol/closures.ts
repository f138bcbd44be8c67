import { UnsupportedVersionError } from '../errors.ts'
import { comparison, defaultOf, hasLength, isOptional, type Layout, markVerb } from './presence.ts'
import { ALWAYS, type Presence, type Shape, type Wire } from './schema.ts'
import { countTags, type Reader, unknownTags, type Writer } from './wire.ts'

type Read = (reader: Reader) => any
type Write = (writer: Writer, value: any) => void

/**
 * The codec that compile.ts generates, made of closures: for hosts that forbid `new Function`, and to hold the generated
 * code against in tests. 2 to 17 times slower, because every `message[name] = …` shares one megamorphic site.
 */
export function closures(layout: Layout): { decode: Read; encode: Write } {
  const { name, shape } = layout.message
  return { decode: structReader(layout, name, shape), encode: structWriter(layout, name, shape) }
}

// ---- decode

function structReader(layout: Layout, path: string, shape: Shape): Read {
  const known = new Map<number, { name: string; read: Read }>()
  const members = Object.entries(shape).map(([name, { wire, presence: at }]): [string, Read] => {
    const read = layout.onWire(at) ? reader(layout, `${path}.${name}`, wire, at) : undefined
    if (read && at.tag !== undefined) known.set(at.tag, { name, read })
    return [name, read && at.tag === undefined ? read : () => defaultOf(wire, at)]
  })
  const tag = (tag: number, message: any, r: Reader) => {
    const field = known.get(tag)
    if (field) message[field.name] = field.read(r)
    return field !== undefined
  }
  return r => {
    const message: any = {}
    for (const [name, read] of members) message[name] = read(r)
    return layout.flexible ? r.tags(message, tag) : message
  }
}

function reader(layout: Layout, path: string, wire: Wire, at: Presence): Read {
  const nullable = layout.nullable(at)
  if (wire.kind === 'struct') {
    const struct = structReader(layout, path, wire.shape),
      mark = markVerb(at)
    return nullable ? r => (r[mark]() ? struct(r) : null) : struct
  }
  const value = wire.kind === 'array' ? arrayReader(layout, path, wire.element) : primitiveReader(layout.verb(wire.primitive))
  return nullable || !hasLength(wire) ? value : r => notNull(value(r), path)
}

const primitiveReader =
  (verb: ReturnType<Layout['verb']>): Read =>
  r =>
    r[verb]()

function arrayReader(layout: Layout, path: string, element: Wire): Read {
  const read = reader(layout, `${path}[]`, element, ALWAYS),
    count = layout.countVerb,
    least = layout.leastBytes(element)
  return r => {
    const n = r[count](least)
    if (n < 0) return null
    const items = new Array(n)
    for (let i = 0; i < n; i++) items[i] = read(r)
    return items
  }
}

// ---- encode

function structWriter(layout: Layout, path: string, shape: Shape): Write {
  const plain: Write[] = [],
    tagged: { tag: number; has: (message: any) => boolean; write: Write }[] = []
  for (const [name, { wire, presence: at }] of Object.entries(shape)) {
    const has = (message: any) => changed(message[name], wire, at)
    if (!layout.onWire(at)) {
      if (!at.ignorable) plain.push((_, message) => has(message) && lost(`${path}.${name}`, layout.version, at.since))
      continue
    }
    const write = writer(layout, `${path}.${name}`, wire, at)
    if (at.tag !== undefined) tagged.push({ tag: at.tag, has, write: (w, message) => write(w, message[name]) })
    else if (isOptional(at)) plain.push((w, m) => write(w, m[name] === undefined ? defaultOf(wire, at) : m[name]))
    else plain.push((w, m) => write(w, m[name]))
  }
  tagged.sort((a, b) => a.tag - b.tag)
  return (w, message) => {
    for (const write of plain) write(w, message)
    const kept = message[unknownTags]
    if (!layout.flexible) return kept && lost(`${path}[unknownTags]`, layout.version, layout.message.flexible)
    const present = tagged.filter(field => field.has(message))
    w.uvarint(present.length + (kept ? countTags(kept) : 0))
    for (const field of present) {
      const mark = w.beginTag(field.tag)
      field.write(w, message)
      w.endTag(mark)
    }
    if (kept) w.keptTags(kept, tagged.at(-1)?.tag ?? -1)
  }
}

function writer(layout: Layout, path: string, wire: Wire, at: Presence): Write {
  const nullable = layout.nullable(at)
  if (wire.kind === 'struct') {
    const struct = structWriter(layout, path, wire.shape),
      mark = markVerb(at)
    if (!nullable) return (w, value) => struct(w, notNull(value, path))
    return (w, value) => {
      w[mark](value !== null)
      if (value !== null) struct(w, value)
    }
  }
  const write = wire.kind === 'array' ? arrayWriter(layout, path, wire.element) : primitiveWriter(layout.verb(wire.primitive))
  return nullable || !hasLength(wire) ? write : (w, value) => write(w, notNull(value, path))
}

const primitiveWriter =
  (verb: ReturnType<Layout['verb']>): Write =>
  (w, value) =>
    w[verb](value as never)

function arrayWriter(layout: Layout, path: string, element: Wire): Write {
  const write = writer(layout, `${path}[]`, element, ALWAYS),
    count = layout.countVerb
  return (w, items) => {
    if (items === null) return w[count](-1)
    const n = lengthOf(items)
    w[count](n)
    for (let i = 0; i < n; i++) write(w, items[i])
  }
}

// ---- shared with the generated code, see compile.ts

/** Whether a value is given and not the default. */
function changed(value: any, wire: Wire, at: Presence): boolean {
  if (value === undefined) return false
  const by = comparison(wire, at)
  if (by === 'identity') return value !== defaultOf(wire, at)
  if (value === null) return true
  if (by === 'length') return value.length > 0
  return (
    value[unknownTags] !== undefined ||
    Object.entries((wire as { shape: Shape }).shape).some(([name, field]) => changed(value[name], field.wire, field.presence))
  )
}

export function notNull<T>(value: T | null | undefined, field: string): T {
  if (value == null) throw new RangeError(`${field} must not be ${value} in this version`)
  return value
}

/** Strings and sets would be taken for arrays otherwise, and what has no length for null. */
export function lengthOf(items: readonly unknown[]): number {
  if (!Array.isArray(items)) throw new RangeError('an array is needed')
  return items.length
}

/** A value that this version has no place for, and that may not be dropped; the field is there from version `since` on. */
export function lost(field: string, version: number, since: number): never {
  const name = field.slice(0, field.search(/[.[]/))
  const way =
    since > version
      ? `use version ${since} or later (as { version: ${since} } where Kafka may still change it) with a peer that speaks it`
      : 'use a peer that speaks an earlier version'
  throw new UnsupportedVersionError(
    name.replace(/(Request|Response)$/, ''),
    `${field} cannot be expressed in version ${version}: leave it out, or ${way}`,
  )
}
