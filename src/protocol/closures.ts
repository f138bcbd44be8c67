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

type Read = (r: Reader) => any
type Write = (w: Writer, value: any) => void

/** The same codec as compile.ts makes, of closures: for hosts that forbid `new Function`, and to check the generated code against. */
export function codec<M extends Message<any>>(
  message: M,
  version: number,
): { decode: (r: Reader) => Decoded<M>; encode: (w: Writer, value: Encodable<M>) => void } {
  const build = new Closures(version, version >= message.flexible)
  return { decode: build.structReader(message.name, message.shape), encode: build.structWriter(message.name, message.shape) }
}

class Closures {
  private readonly version: number
  private readonly flexible: boolean
  constructor(version: number, flexible: boolean) {
    this.version = version
    this.flexible = flexible
  }

  private onWire(at: Presence) {
    return this.version >= at.since && this.version <= at.until && (at.tag === undefined || this.flexible)
  }
  private nullable(at: Presence) {
    return this.version >= at.nullableSince
  }
  private verb(name: string): any {
    return this.flexible && COMPACT.has(name) ? `compact${name[0]!.toUpperCase()}${name.slice(1)}` : name
  }

  structReader(path: string, shape: Shape): Read {
    const known = new Map<number, { name: string; read: Read }>()
    const members = Object.entries(shape).map(([name, { wire, presence: at }]): [string, Read] => {
      const read = this.onWire(at) ? this.reader(`${path}.${name}`, wire, at) : undefined
      if (read && at.tag !== undefined) known.set(at.tag, { name, read })
      return [name, read && at.tag === undefined ? read : () => defaultOf(wire, at)]
    })
    const tags = (tag: number, m: any, r: Reader) => {
      const field = known.get(tag)
      if (field) m[field.name] = field.read(r)
      return field !== undefined
    }
    return r => {
      const m: any = {}
      for (const [name, read] of members) m[name] = read(r)
      return this.flexible ? r.tags(m, tags) : m
    }
  }
  private reader(path: string, wire: Wire, at: Presence): Read {
    const nullable = this.nullable(at)
    if (wire.kind === 'struct') {
      const struct = this.structReader(path, wire.shape)
      return !nullable
        ? struct
        : at.tag === undefined
          ? r => (r.present() ? struct(r) : null)
          : r => (r.bool() ? struct(r) : null)
    }
    const value = wire.kind === 'array' ? this.arrayReader(path, wire.element) : primitiveReader(this.verb(wire.primitive))
    return nullable ? value : r => notNull(value(r), path)
  }
  private arrayReader(path: string, element: Wire): Read {
    const read = this.reader(`${path}[]`, element, ALWAYS),
      count: 'count' | 'compactCount' = this.verb('count'),
      least = Math.max(1, this.leastBytes(element))
    return r => {
      const n = r[count](least)
      if (n < 0) return null
      const items = new Array(n)
      for (let i = 0; i < n; i++) items[i] = read(r)
      return items
    }
  }
  private leastBytes(wire: Wire): number {
    if (wire.kind === 'primitive') return BYTES[wire.primitive]
    if (wire.kind === 'array') return 1
    return Object.values(wire.shape)
      .filter(f => this.onWire(f.presence) && f.presence.tag === undefined)
      .reduce((sum, f) => sum + (this.nullable(f.presence) ? 1 : this.leastBytes(f.wire)), this.flexible ? 1 : 0)
  }

  structWriter(path: string, shape: Shape): Write {
    const plain: Write[] = [],
      tagged: { tag: number; has: (m: any) => boolean; write: Write }[] = []
    for (const [name, { wire, presence: at }] of Object.entries(shape)) {
      const has = (m: any) => m[name] !== undefined && differs(m[name], wire, at)
      if (!this.onWire(at)) {
        if (!at.ignorable)
          plain.push((_, m) => {
            if (has(m)) lost(`${path}.${name}`, this.version)
          })
        continue
      }
      const write = this.writer(`${path}.${name}`, wire, at)
      if (at.tag !== undefined) tagged.push({ tag: at.tag, has, write: (w, m) => write(w, m[name]) })
      else if (isOptional(at)) plain.push((w, m) => write(w, m[name] === undefined ? defaultOf(wire, at) : m[name]))
      else plain.push((w, m) => write(w, m[name]))
    }
    tagged.sort((a, b) => a.tag - b.tag)
    return (w, m) => {
      for (const write of plain) write(w, m)
      const kept = m[unknownTags]
      if (!this.flexible) {
        if (kept) lost(`${path}[unknownTags]`, this.version)
        return
      }
      const present = tagged.filter(t => t.has(m))
      w.uvarint(present.length + (kept ? kept.size : 0))
      for (const t of present) {
        const mark = w.beginTag(t.tag)
        t.write(w, m)
        w.endTag(mark)
      }
      if (kept) w.keptTags(kept, tagged.at(-1)?.tag ?? -1)
    }
  }
  private writer(path: string, wire: Wire, at: Presence): Write {
    const nullable = this.nullable(at)
    if (wire.kind === 'struct') {
      const struct = this.structWriter(path, wire.shape),
        present = at.tag === undefined ? 'present' : 'bool'
      return nullable
        ? (w, s) => {
            w[present](s !== null)
            if (s !== null) struct(w, s)
          }
        : (w, s) => struct(w, notNull(s, path))
    }
    const write = wire.kind === 'array' ? this.arrayWriter(path, wire.element) : primitiveWriter(this.verb(wire.primitive))
    return nullable || (wire.kind === 'primitive' && !SIZED.has(wire.primitive))
      ? write
      : (w, value) => write(w, notNull(value, path))
  }
  private arrayWriter(path: string, element: Wire): Write {
    const write = this.writer(`${path}[]`, element, ALWAYS),
      count: 'count' | 'compactCount' = this.verb('count')
    return (w, items) => {
      if (items === null) return w[count](-1)
      w[count](items.length)
      for (let i = 0; i < items.length; i++) write(w, items[i])
    }
  }
}

const primitiveReader =
  (verb: Exclude<Primitive, never>): Read =>
  r =>
    r[verb]()
const primitiveWriter =
  (verb: Primitive): Write =>
  (w, value) =>
    w[verb](value as never)
const COMPACT: ReadonlySet<string> = new Set(['string', 'bytes', 'records', 'count'])
const SIZED: ReadonlySet<Primitive> = new Set<Primitive>(['string', 'legacyString', 'bytes', 'records'])
const isOptional = (at: Presence) => at.fallback !== undefined || at.since > 0 || at.until < NEVER || at.tag !== undefined
const EMPTY = Buffer.alloc(0)
const ZERO: { readonly [P in Primitive]: unknown } = {
  bool: false,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  int64: 0n,
  float64: 0,
  string: '',
  legacyString: '',
  bytes: EMPTY,
  records: EMPTY,
  uuid: 'AAAAAAAAAAAAAAAAAAAAAA',
}
const BYTES: { readonly [P in Primitive]: number } = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
  float64: 8,
  string: 1,
  legacyString: 2,
  bytes: 1,
  records: 1,
  uuid: 16,
}
function defaultOf(wire: Wire, at: Presence): unknown {
  if (at.fallback !== undefined) return at.fallback
  if (wire.kind === 'array') return []
  if (wire.kind === 'primitive') return ZERO[wire.primitive]
  return Object.fromEntries(Object.entries(wire.shape).map(([name, f]) => [name, defaultOf(f.wire, f.presence)]))
}
function differs(value: any, wire: Wire, at: Presence): boolean {
  if (at.fallback !== undefined || (wire.kind === 'primitive' && (!SIZED.has(wire.primitive) || ZERO[wire.primitive] === '')))
    return value !== defaultOf(wire, at)
  if (value === null) return true
  if (wire.kind !== 'struct') return value.length > 0
  return (
    value[unknownTags] !== undefined ||
    Object.entries(wire.shape).some(([name, f]) => value[name] !== undefined && differs(value[name], f.wire, f.presence))
  )
}
function notNull<T>(value: T | null | undefined, field: string): T {
  if (value == null) throw new RangeError(`${field} must not be ${value} in this version`)
  return value
}
function lost(field: string, version: number): never {
  throw new Error(`${field} cannot be expressed in version ${version}`)
}
