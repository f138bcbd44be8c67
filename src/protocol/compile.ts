import { closures, lengthOf, lost, notNull } from './closures.ts'
import { comparison, defaultOf, hasLength, isOptional, Layout, markVerb } from './presence.ts'
import { ALWAYS, type Decoded, type Encodable, type Message, NO_BYTES, type Presence, type Shape, type Wire } from './schema.ts'
import { countTags, type Reader, unknownTags, type Writer } from './wire.ts'

/** Reads and writes one version of a message. Both throw RangeError or TypeError: frame.ts says where and why. */
export interface Codec<M extends Message<any>> {
  readonly decode: (reader: Reader) => Decoded<M>
  readonly encode: (writer: Writer, value: Encodable<M>) => void
}

const cache = new WeakMap<Message<any>, Codec<any>[]>()

/** The codec of one version of a message; each direction is compiled on first use. Throws RangeError for an unknown version. */
export function codec<M extends Message<any>>(message: M, version: number): Codec<M> {
  let versions = cache.get(message)
  if (!versions) cache.set(message, (versions = []))
  return (versions[version] ??= lazily(new Layout(message, version)))
}

/** Set once `new Function` turned out to be forbidden (`--disallow-code-generation-from-strings`, some edge hosts). */
let interpret = false

function lazily<M extends Message<any>>(layout: Layout): Codec<M> {
  return {
    get decode() {
      return settle(this, 'decode', interpret ? closures(layout).decode : generated(layout, 'decode'))
    },
    get encode() {
      return settle(this, 'encode', interpret ? closures(layout).encode : generated(layout, 'encode'))
    },
  }
}

/** Replaces a lazy getter by its value. */
function settle<T>(target: object, name: string, value: T): T {
  Object.defineProperty(target, name, { value })
  return value
}

function generated(layout: Layout, direction: 'decode' | 'encode'): any {
  const source = sourceOf(layout, direction)
  try {
    // The text holds names from our own declarations only, never a byte that came over the wire.
    return new Function('runtime', source)(runtime)
  } catch (error) {
    if (error instanceof EvalError) interpret = true
    // Names of a message of the user's own, which are no identifiers or look alike.
    else if (!(error instanceof SyntaxError)) throw error
    return closures(layout)[direction]
  }
}

/** The text of a codec, as a function body that takes `runtime`. */
export function sourceOf(layout: Layout, direction: 'decode' | 'encode'): string {
  const { name, shape } = layout.message
  const generator = new Generator(layout)
  const entry = direction === 'decode' ? generator.structReader(name, shape) : generator.structWriter(name, shape)
  return [
    `'use strict'; const { ${Object.keys(runtime)} } = runtime`,
    ...generator.functions,
    `return ${entry}`,
    `//# sourceURL=kafka:${direction}/${name}.v${layout.version}.js`,
  ].join('\n')
}

/**
 * Turns one version of a message into straight-line code that calls Reader/Writer, exactly as one would write it by hand:
 *
 *   const MetadataResponse_brokers_item = (function (r) { return r.tags({ nodeId: r.int32(), host: notNull(r.compactString(), …), … }) })
 *
 * The object literal has every field of every version in declaration order, so decoded messages have one hidden class
 * whatever the version, and code that reads them stays monomorphic.
 *
 * A field is named by its path, `MetadataResponse.brokers[].host`: in errors as it is, as a function with `_` for dots.
 */
class Generator {
  readonly functions: string[] = []
  private readonly layout: Layout

  constructor(layout: Layout) {
    this.layout = layout
  }

  /** In parentheses, which V8 takes as a sign to compile at once: it would scan the function first, and compile it when called. */
  private define(path: string, args: string, body: string): string {
    const name = path.replaceAll('[]', '_item').replaceAll('.', '_')
    this.functions.push(`const ${name} = (function (${args}) {\n${body}\n})`)
    return name
  }

  // ---- decode

  structReader(path: string, shape: Shape): string {
    const members: string[] = [],
      known: string[] = []
    for (const name of Object.keys(shape)) {
      const { wire, presence: at } = shape[name]!
      const read = this.layout.onWire(at) ? this.read(`${path}.${name}`, wire, at) : undefined
      if (read && at.tag !== undefined) known.push(`case ${at.tag}: m.${name} = ${read}; return true`)
      members.push(`${name}: ${read && at.tag === undefined ? read : literal(defaultOf(wire, at))}`)
    }
    const object = `{ ${members.join(', ')} }`
    if (!this.layout.flexible) return this.define(path, 'r', `return ${object}`)
    if (known.length === 0) return this.define(path, 'r', `return r.tags(${object})`)
    const tags = this.define(`${path}.$tags`, 'tag, m, r', `switch (tag) {\n${known.join('\n')}\ndefault: return false\n}`)
    return this.define(path, 'r', `return r.tags(${object}, ${tags})`)
  }

  /** An expression that reads one value. */
  private read(path: string, wire: Wire, at: Presence): string {
    const nullable = this.layout.nullable(at)
    if (wire.kind === 'struct') {
      const struct = `${this.structReader(path, wire.shape)}(r)`
      return nullable ? `(r.${markVerb(at)}() ? ${struct} : null)` : struct
    }
    if (wire.kind === 'array' && !isInt32(wire.element)) return `${this.arrayReader(path, wire.element, nullable)}(r)`
    const value = `r.${wire.kind === 'array' ? this.layout.int32sVerb : this.layout.verb(wire.primitive)}()`
    return nullable || !hasLength(wire) ? value : `notNull(${value}, "${path}")`
  }

  private arrayReader(path: string, element: Wire, nullable: boolean): string {
    return this.define(
      path,
      'r',
      `
      const n = r.${this.layout.countVerb}(${this.layout.leastBytes(element)})
      if (n < 0) return ${nullable ? 'null' : `notNull(null, "${path}")`}
      const items = new Array(n)
      for (let i = 0; i < n; i++) items[i] = ${this.read(`${path}[]`, element, ALWAYS)}
      return items`,
    )
  }

  // ---- encode

  structWriter(path: string, shape: Shape): string {
    const lines: string[] = [],
      tagged: TaggedField[] = []
    for (const [name, { wire, presence: at }] of Object.entries(shape)) {
      const field = `${path}.${name}`,
        value = `m["${name}"]`
      if (!this.layout.onWire(at)) {
        if (!at.ignorable) lines.push(`if (${changed(value, wire, at)}) lost("${field}", ${this.layout.version}, ${at.since})`)
      } else if (at.tag === undefined) {
        const given = isOptional(at) ? `(${value} === undefined ? ${literal(defaultOf(wire, at))} : ${value})` : value
        lines.push(this.write(field, given, wire, at))
      } else {
        tagged.push({ tag: at.tag, changed: changed(value, wire, at), write: this.write(field, value, wire, at) })
      }
    }
    lines.push(
      this.layout.flexible
        ? tagSection(tagged)
        : `if (m[unknownTags]) lost("${path}[unknownTags]", ${this.layout.version}, ${this.layout.message.flexible})`,
    )
    return this.define(path, 'w, m', lines.join('\n'))
  }

  /** A statement that writes one value. */
  private write(path: string, value: string, wire: Wire, at: Presence): string {
    const nullable = this.layout.nullable(at)
    const given = nullable || (wire.kind === 'primitive' && !hasLength(wire)) ? value : `notNull(${value}, "${path}")`
    if (wire.kind === 'primitive') return `w.${this.layout.verb(wire.primitive)}(${given})`
    if (wire.kind === 'array') return `${this.arrayWriter(path, wire.element)}(w, ${given})`
    const struct = this.structWriter(path, wire.shape)
    return nullable
      ? `{ const s = ${value}; w.${markVerb(at)}(s !== null); if (s !== null) ${struct}(w, s) }`
      : `${struct}(w, ${given})`
  }

  private arrayWriter(path: string, element: Wire): string {
    return this.define(
      path,
      'w, items',
      `
      if (items === null) return w.${this.layout.countVerb}(-1)
      const n = lengthOf(items)
      w.${this.layout.countVerb}(n)
      for (let i = 0; i < n; i++) ${this.write(`${path}[]`, 'items[i]', element, ALWAYS)}`,
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
    'const kept = m[unknownTags]',
    `w.uvarint(${[...fields.map(f => `has${f.tag}`), '(kept ? countTags(kept) : 0)'].join(' + ')})`,
    ...fields.map(f => `if (has${f.tag}) { const mark = w.beginTag(${f.tag}); ${f.write}; w.endTag(mark) }`),
    `if (kept) w.keptTags(kept, ${fields.at(-1)?.tag ?? -1})`,
  ].join('\n')
}

const isInt32 = (wire: Wire): boolean => wire.kind === 'primitive' && wire.primitive === 'int32'

/** Source text of a default. */
function literal(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return '[]'
  if (value instanceof Uint8Array) return 'NO_BYTES'
  return `{ ${Object.entries(value)
    .map(([name, member]) => `${name}: ${literal(member)}`)
    .join(', ')} }`
}

/** Source text of "this value is given and not the default". The parentheses keep the `||`s together. */
function changed(value: string, wire: Wire, at: Presence): string {
  const given = `${value} !== undefined`
  const by = comparison(wire, at)
  if (by === 'identity') return `${given} && ${value} !== ${literal(defaultOf(wire, at))}`
  if (by === 'length') return `${given} && (${value} === null || ${value}.length > 0)`
  const members = Object.entries((wire as { shape: Shape }).shape).map(([name, field]) =>
    changed(`${value}["${name}"]`, field.wire, field.presence),
  )
  return `${given} && (${[`${value} === null`, ...members, `${value}[unknownTags] !== undefined`].join(' || ')})`
}

/** What generated code calls besides Reader and Writer. */
const runtime = { unknownTags, countTags, lengthOf, notNull, lost, NO_BYTES }
