import {
  ALWAYS,
  type Decoded,
  type Encodable,
  type Message,
  NEVER,
  type Presence,
  type Primitive,
  type Shape,
  type Wire,
} from './schema.ts'
import { type Reader, unknownTags, type Writer } from './wire.ts'

export interface Codec<M extends Message<any>> {
  readonly decode: (reader: Reader) => Decoded<M>
  readonly encode: (writer: Writer, value: Encodable<M>) => void
}

const cache = new WeakMap<Message<any>, Codec<any>[]>()

/** The codec of one version of a message; each direction is compiled on first use. */
export function codec<M extends Message<any>>(message: M, version: number): Codec<M> {
  let versions = cache.get(message)
  if (!versions) cache.set(message, (versions = []))
  return (versions[version] ??= lazily(message, version))
}

function lazily<M extends Message<any>>(message: M, version: number): Codec<M> {
  const [min, max] = message.versions
  if (!(version >= min && version <= max)) throw new RangeError(`${message.name} has versions ${min} to ${max}, not ${version}`)
  return {
    get decode() {
      return settle(this, 'decode', new Generator(message, version).decoder())
    },
    get encode() {
      return settle(this, 'encode', new Generator(message, version).encoder())
    },
  }
}

/** Replaces a lazy getter by its value. */
function settle<T>(target: object, name: string, value: T): T {
  Object.defineProperty(target, name, { value })
  return value
}

/**
 * Turns one version of a message into straight-line code that calls Reader/Writer, exactly as one would write it by hand:
 *
 *   function MetadataResponse_brokers_item(r) { return r.tags({ nodeId: r.int32(), host: notNull(r.compactString(), …), … }) }
 *
 * The object literal has every field of every version in declaration order, so decoded messages have one hidden class
 * whatever the version, and code that reads them stays monomorphic.
 *
 * A field is named by its path, `MetadataResponse.brokers[].host`: in errors as it is, as a function with `_` for dots.
 */
class Generator {
  private readonly message: Message<Shape>
  private readonly version: number
  private readonly flexible: boolean
  private readonly source: string[] = []

  constructor(message: Message<Shape>, version: number) {
    this.message = message
    this.version = version
    this.flexible = version >= message.flexible
  }

  decoder() {
    return this.evaluate('decode', this.structReader(this.message.name, this.message.shape))
  }
  encoder() {
    return this.evaluate('encode', this.structWriter(this.message.name, this.message.shape))
  }

  /** The text holds names from our own declarations only, never a byte that came over the wire. */
  private evaluate(direction: string, entry: string): any {
    const names = `'use strict'; const { ${Object.keys(runtime)} } = runtime`
    const label = `//# sourceURL=kafka:${direction}/${this.message.name}.v${this.version}.js`
    return new Function('runtime', [names, ...this.source, `return ${entry}`, label].join('\n'))(runtime)
  }

  private define(path: string, args: string, body: string): string {
    const name = path.replaceAll('[]', '_item').replaceAll('.', '_')
    this.source.push(`function ${name}(${args}) {\n${body}\n}`)
    return name
  }

  private onWire(at: Presence): boolean {
    return this.version >= at.since && this.version <= at.until && (at.tag === undefined || this.flexible)
  }
  private nullable(at: Presence): boolean {
    return this.version >= at.nullableSince
  }
  /** `int32`, or `compactString` in flexible versions. */
  private verb(name: string): string {
    return this.flexible && COMPACT.has(name) ? `compact${name[0]!.toUpperCase()}${name.slice(1)}` : name
  }

  // ---- decode

  private structReader(path: string, shape: Shape): string {
    const members: string[] = [],
      known: string[] = []
    for (const [name, { wire, presence: at }] of Object.entries(shape)) {
      const read = this.onWire(at) ? this.read(`${path}.${name}`, wire, at) : undefined
      if (read && at.tag !== undefined) known.push(`case ${at.tag}: m.${name} = ${read}; return true`)
      members.push(`${name}: ${read && at.tag === undefined ? read : defaultOf(wire, at)}`)
    }
    const literal = `{ ${members.join(', ')} }`
    if (!this.flexible) return this.define(path, 'r', `return ${literal}`)
    if (known.length === 0) return this.define(path, 'r', `return r.tags(${literal})`)
    const tags = this.define(`${path}.$tags`, 'tag, m, r', `switch (tag) {\n${known.join('\n')}\ndefault: return false\n}`)
    return this.define(path, 'r', `return r.tags(${literal}, ${tags})`)
  }

  /** An expression that reads one value. */
  private read(path: string, wire: Wire, at: Presence): string {
    const nullable = this.nullable(at)
    if (wire.kind === 'struct') {
      const struct = `${this.structReader(path, wire.shape)}(r)`
      return nullable ? `(r.${present(at)}() ? ${struct} : null)` : struct
    }
    const value = wire.kind === 'array' ? `${this.arrayReader(path, wire.element)}(r)` : `r.${this.verb(wire.primitive)}()`
    return nullable || !hasLength(wire) ? value : `notNull(${value}, "${path}")`
  }

  private arrayReader(path: string, element: Wire): string {
    return this.define(
      path,
      'r',
      `
      const n = r.${this.verb('count')}(${Math.max(1, this.leastBytes(element))})
      if (n < 0) return null
      const items = new Array(n)
      for (let i = 0; i < n; i++) items[i] = ${this.read(`${path}[]`, element, ALWAYS)}
      return items`,
    )
  }

  /** The fewest bytes a value can take; a length takes at least one. */
  private leastBytes(wire: Wire): number {
    if (wire.kind !== 'struct') return (wire.kind === 'primitive' && BYTES[wire.primitive]) || 1
    return Object.values(wire.shape)
      .filter(f => this.onWire(f.presence) && f.presence.tag === undefined)
      .reduce((sum, f) => sum + (this.nullable(f.presence) ? 1 : this.leastBytes(f.wire)), this.flexible ? 1 : 0)
  }

  // ---- encode

  private structWriter(path: string, shape: Shape): string {
    const lines: string[] = [],
      tagged: TaggedField[] = []
    for (const [name, { wire, presence: at }] of Object.entries(shape)) {
      const field = `${path}.${name}`,
        value = `m.${name}`
      if (!this.onWire(at)) {
        if (!at.ignorable) lines.push(`if (${changed(value, wire, at)}) lost("${field}", ${this.version})`)
      } else if (at.tag === undefined) {
        lines.push(
          this.write(field, isOptional(at) ? `(${value} === undefined ? ${defaultOf(wire, at)} : ${value})` : value, wire, at),
        )
      } else {
        tagged.push({ tag: at.tag, changed: changed(value, wire, at), write: this.write(field, value, wire, at) })
      }
    }
    lines.push(this.flexible ? tagSection(tagged) : `if (m[unknownTags]) lost("${path}[unknownTags]", ${this.version})`)
    return this.define(path, 'w, m', lines.join('\n'))
  }

  /** A statement that writes one value. */
  private write(path: string, value: string, wire: Wire, at: Presence): string {
    const nullable = this.nullable(at)
    const given = nullable || (wire.kind === 'primitive' && !hasLength(wire)) ? value : `notNull(${value}, "${path}")`
    if (wire.kind === 'primitive') return `w.${this.verb(wire.primitive)}(${given})`
    if (wire.kind === 'array') return `${this.arrayWriter(path, wire.element)}(w, ${given})`
    const struct = this.structWriter(path, wire.shape)
    return nullable
      ? `{ const s = ${value}; w.${present(at)}(s !== null); if (s !== null) ${struct}(w, s) }`
      : `${struct}(w, ${given})`
  }

  private arrayWriter(path: string, element: Wire): string {
    return this.define(
      path,
      'w, items',
      `
      if (items === null) return w.${this.verb('count')}(-1)
      w.${this.verb('count')}(items.length)
      for (let i = 0; i < items.length; i++) ${this.write(`${path}[]`, 'items[i]', element, ALWAYS)}`,
    )
  }
}

interface TaggedField {
  readonly tag: number
  readonly changed: string
  readonly write: string
}

/** Statements that write the tagged fields which differ from their default, in tag order, then the unknown ones we kept. */
function tagSection(fields: TaggedField[]): string {
  fields.sort((a, b) => a.tag - b.tag)
  return [
    ...fields.map(f => `const has${f.tag} = ${f.changed}`),
    `const kept = m[unknownTags]`,
    `w.uvarint(${[...fields.map(f => `has${f.tag}`), '(kept ? kept.size : 0)'].join(' + ')})`,
    ...fields.map(f => `if (has${f.tag}) { const mark = w.beginTag(${f.tag}); ${f.write}; w.endTag(mark) }`),
    `if (kept) w.keptTags(kept, ${fields.at(-1)?.tag ?? -1})`,
  ].join('\n')
}

const COMPACT: ReadonlySet<string> = new Set(['string', 'bytes', 'records', 'count'])

const ZERO: { readonly [P in Primitive]: string } = {
  bool: 'false',
  int8: '0',
  int16: '0',
  uint16: '0',
  int32: '0',
  int64: '0n',
  float64: '0',
  string: '""',
  legacyString: '""',
  bytes: 'EMPTY',
  records: 'EMPTY',
  uuid: 'NO_ID',
}
/** What the fixed-size primitives take. */
const BYTES: { readonly [P in Primitive]?: number } = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}

/** Whether a value begins with its length, which as -1 says null whether or not the field allows it. */
const hasLength = (wire: Wire) => wire.kind === 'array' || (wire.kind === 'primitive' && BYTES[wire.primitive] === undefined)
/** A nullable struct begins with -1 or 1, but as a tagged field with 0 or 1. */
const present = (at: Presence) => (at.tag === undefined ? 'present' : 'bool')
const isOptional = (at: Presence) => at.fallback !== undefined || at.since > 0 || at.until < NEVER || at.tag !== undefined

/** Source text of a field's default. */
function defaultOf(wire: Wire, at: Presence): string {
  if (at.fallback !== undefined) return typeof at.fallback === 'bigint' ? `${at.fallback}n` : JSON.stringify(at.fallback)
  if (wire.kind === 'array') return '[]'
  if (wire.kind === 'primitive') return ZERO[wire.primitive]
  return `{ ${Object.entries(wire.shape)
    .map(([name, f]) => `${name}: ${defaultOf(f.wire, f.presence)}`)
    .join(', ')} }`
}

/** Source text of "this value is not the default". */
function differs(value: string, wire: Wire, at: Presence): string {
  if (wire.kind === 'struct' && at.fallback === undefined) {
    const members = Object.entries(wire.shape).map(([name, f]) => changed(`${value}.${name}`, f.wire, f.presence))
    return `(${[`${value} === null`, ...members, `${value}[unknownTags] !== undefined`].join(' || ')})`
  }
  const fallback = defaultOf(wire, at)
  return fallback === '[]' || fallback === 'EMPTY' ? `(${value} === null || ${value}.length > 0)` : `${value} !== ${fallback}`
}
const changed = (value: string, wire: Wire, at: Presence): string => `${value} !== undefined && ${differs(value, wire, at)}`

const runtime = {
  unknownTags,
  EMPTY: Buffer.alloc(0),
  NO_ID: 'AAAAAAAAAAAAAAAAAAAAAA',
  notNull<T>(value: T | null | undefined, field: string): T {
    if (value == null) throw new RangeError(`${field} must not be ${value} in this version`)
    return value
  },
  lost(field: string, version: number): never {
    throw new Error(`${field} cannot be expressed in version ${version}`)
  },
}
