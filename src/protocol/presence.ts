/** The rules of one version of a message, which the code generator, the closures, the tracer and the tests share. */
import { UnsupportedVersionError } from '../errors.ts'
import { type Message, NEVER, NO_BYTES, NO_UUID, type Presence, type Primitive, type Shape, type Wire } from './schema.ts'

/** A method of Reader, and of Writer, for one primitive. */
export type Verb = Primitive | 'compactString' | 'compactBytes' | 'compactRecords'

/** Which fields one version of a message has on the wire, and in which encoding. */
export class Layout {
  readonly message: Message
  readonly version: number
  /** Whether lengths are compact and structs end with a section of tagged fields (KIP-482). */
  readonly flexible: boolean

  constructor(message: Message, version: number) {
    const [min, max] = message.versions
    if (!(Number.isInteger(version) && version >= min && version <= max)) {
      const api = message.name.replace(/(Request|Response)$/, '')
      throw new UnsupportedVersionError(api, `${message.name} has versions ${min} to ${max}, not ${version}: give one of those`)
    }
    this.message = message
    this.version = version
    this.flexible = version >= message.flexible
  }

  onWire(at: Presence): boolean {
    return this.version >= at.since && this.version <= at.until && (at.tag === undefined || this.flexible)
  }
  nullable(at: Presence): boolean {
    return this.version >= at.nullableSince
  }
  verb(primitive: Primitive): Verb {
    return (this.flexible && COMPACT[primitive]) || primitive
  }
  get countVerb(): 'count' | 'compactCount' {
    return this.flexible ? 'compactCount' : 'count'
  }
  get int32sVerb(): 'int32s' | 'compactInt32s' {
    return this.flexible ? 'compactInt32s' : 'int32s'
  }

  /** The fewest bytes an element of an array can take, at least 1: a count times this must fit into what is left. */
  leastBytes(wire: Wire): number {
    return Math.max(1, this.least(wire))
  }
  private least(wire: Wire): number {
    if (wire.kind === 'array') return this.flexible ? 1 : 4
    if (wire.kind === 'primitive') {
      const { primitive } = wire
      return FIXED_BYTES[primitive] ?? (this.verb(primitive) !== primitive ? 1 : LENGTH_BYTES[primitive]!)
    }
    let sum = this.flexible ? 1 : 0
    for (const { wire: member, presence } of Object.values(wire.shape))
      if (this.onWire(presence) && presence.tag === undefined)
        sum += member.kind === 'struct' && this.nullable(presence) ? 1 : this.least(member)
    return sum
  }
}

const COMPACT: { readonly [P in Primitive]?: Verb } = {
  string: 'compactString',
  bytes: 'compactBytes',
  records: 'compactRecords',
}
/** Sizes of the primitives that have one. */
export const FIXED_BYTES: { readonly [P in Primitive]?: number } = {
  bool: 1,
  int8: 1,
  int16: 2,
  uint16: 2,
  int32: 4,
  int64: 8,
  float64: 8,
  uuid: 16,
}
/** Sizes of the lengths of the others, where they are not compact. */
const LENGTH_BYTES: { readonly [P in Primitive]?: number } = { string: 2, legacyString: 2, bytes: 4, records: 4 }

/** Whether a value begins with its length, which as -1 says null whether or not the field allows it. */
export const hasLength = (wire: Wire): boolean =>
  wire.kind === 'array' || (wire.kind === 'primitive' && FIXED_BYTES[wire.primitive] === undefined)

/** Whether an encoder may be given no value at all. */
export const isOptional = (at: Presence): boolean =>
  at.fallback !== undefined || at.since > 0 || at.until < NEVER || at.tag !== undefined

/** What a nullable struct begins with: -1 or 1, but 0 or 1 as a tagged field. */
export const markVerb = (at: Presence): 'present' | 'bool' => (at.tag === undefined ? 'present' : 'bool')

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
  bytes: NO_BYTES,
  records: NO_BYTES,
  uuid: NO_UUID,
}

/** What stands for a field that is left out or absent. Arrays and structs are made anew each time: their owner may change them. */
export function defaultOf(wire: Wire, at: Presence): unknown {
  if (at.fallback !== undefined) return at.fallback
  if (wire.kind === 'array') return []
  return wire.kind === 'primitive' ? ZERO[wire.primitive] : defaultsOf(wire.shape)
}
export const defaultsOf = (shape: Shape): { [name: string]: unknown } =>
  Object.fromEntries(Object.entries(shape).map(([name, { wire, presence }]) => [name, defaultOf(wire, presence)]))

/** How a value is told from its default: member by member, by having elements, or by being another value. */
export function comparison(wire: Wire, at: Presence): 'members' | 'length' | 'identity' {
  if (at.fallback !== undefined) return 'identity'
  if (wire.kind === 'struct') return 'members'
  return wire.kind === 'array' || ZERO[wire.primitive] === NO_BYTES ? 'length' : 'identity'
}
