// Structural comparison of a schema with Kafka's own definition of the same message.
import {
  type Definition,
  type FieldDefinition,
  inRange,
  rangeOf,
  structOf,
  uncapitalized,
  versionsOf,
} from '../../scripts/protocol-definition.ts'
import { defaultOf, Layout } from '../../src/protocol/presence.ts'
import { type AnyField, type Message, NEVER, type Shape, type Wire } from '../../src/protocol/schema.ts'

/** What one version of a message says of a field, as text by path, in wire order. */
type Description = Map<string, string>

/**
 * Differences between a message and its definition in one version, as sentences; none when they agree.
 * Of an `older` release's definition, `ignorable` is asked only where a field is absent: elsewhere it means nothing in that
 * version, and a newer release may have set it for the sake of a newer one.
 */
export function differences(message: Message, definition: Definition, version: number, older = false): string[] {
  const found: string[] = []
  const where = `${message.name} v${version}`
  const flexible = rangeOf(definition.flexibleVersions)
  if (version >= message.flexible !== inRange(version, flexible))
    found.push(`${where}: flexible from ${message.flexible}, not ${flexible}`)
  const ours = describeShape(new Layout(message, version), message.shape)
  const theirs = describeFields(definition, version, definition.fields)
  for (const [path, text] of theirs.present) {
    const mine = ours.present.get(path)
    if (older ? withoutIgnorable(mine) !== withoutIgnorable(text) : mine !== text)
      found.push(`${where}: ${path} is ${mine ?? 'absent'}, Kafka has ${text}`)
  }
  for (const path of ours.present.keys()) if (!theirs.present.has(path)) found.push(`${where}: ${path} does not exist in Kafka`)
  const order = (fields: Description) => [...fields.keys()].join(' ')
  if (found.length === 0 && order(ours.present) !== order(theirs.present)) found.push(`${where}: the order differs`)
  // A field that only a release of the other kind knows is not on the wire in either, so it is not compared.
  for (const [path, text] of theirs.absent) {
    const mine = ours.absent.get(path)
    if (mine !== undefined && mine !== text) found.push(`${where}: ${path}, absent, is ${mine}, Kafka has ${text}`)
  }
  return found
}

const withoutIgnorable = (text: string | undefined) => text?.replace(', ignorable', '')

interface Described {
  readonly present: Description
  readonly absent: Description
}

function describeShape(layout: Layout, shape: Shape, prefix = '', into: Described = empty()): Described {
  for (const [name, field] of Object.entries(shape)) {
    const { wire, presence: at } = field
    const path = `${prefix}${name}`
    if (layout.onWire(at)) {
      into.present.set(
        path,
        describe(typeOf(wire), layout.nullable(at), defaultText(wire, field), at.tag, at.ignorable, at.mapKey, at.entity),
      )
      const inner = wire.kind === 'array' ? wire.element : wire
      if (inner.kind === 'struct') describeShape(layout, inner.shape, `${path}.`, into)
    } else {
      into.absent.set(path, describe(typeOf(wire), false, defaultText(wire, field), at.tag, at.ignorable, at.mapKey, at.entity))
    }
  }
  return into
}

function describeFields(
  definition: Definition,
  version: number,
  fields: readonly FieldDefinition[],
  prefix = '',
  into = empty(),
): Described {
  for (const field of fields) {
    const path = `${prefix}${uncapitalized(field.name)}`
    const tag = field.tag === undefined || !rangeOf(field.taggedVersions) ? undefined : field.tag
    const { mapKey = false, entityType } = field
    const ignorable = String(field.ignorable) === 'true' // A definition or two has it as text.
    const type = field.type.replace(/[A-Z]\w*$/, 'struct')
    const exact = type === 'string' && field.flexibleVersions === 'none' ? 'legacyString' : type
    const nullable = inRange(version, rangeOf(field.nullableVersions))
    if (inRange(version, versionsOf(field))) {
      into.present.set(path, describe(exact, nullable, kafkaDefault(definition, field), tag, ignorable, mapKey, entityType))
      const inner = structOf(definition, field)
      if (inner) describeFields(definition, version, inner, `${path}.`, into)
    } else {
      into.absent.set(path, describe(exact, false, kafkaDefault(definition, field), tag, ignorable, mapKey, entityType))
    }
  }
  return into
}

const empty = (): Described => ({ present: new Map(), absent: new Map() })

const describe = (
  type: string,
  nullable: boolean,
  fallback: string,
  tag: number | undefined,
  ignorable: boolean,
  mapKey: boolean,
  entity: string | undefined,
) =>
  [
    type,
    nullable && 'nullable',
    `default ${fallback}`,
    tag !== undefined && `tag ${tag}`,
    ignorable && 'ignorable',
    mapKey && 'map key',
    entity,
  ]
    .filter(Boolean)
    .join(', ')

function typeOf(wire: Wire): string {
  if (wire.kind === 'array') return `[]${typeOf(wire.element)}`
  return wire.kind === 'struct' ? 'struct' : wire.primitive
}

function defaultText(wire: Wire, { presence }: AnyField): string {
  return textOf(defaultOf(wire, presence))
}
const textOf = (value: unknown): string => {
  if (value instanceof Uint8Array || (Array.isArray(value) && value.length === 0)) return 'empty'
  if (typeof value === 'bigint') return String(value)
  return typeof value === 'object' && value !== null ? 'of its members' : JSON.stringify(value)
}

/** The default that Kafka's generator derives. Without a text there is one for each type; that of `records` is null. */
function kafkaDefault(definition: Definition, field: FieldDefinition): string {
  const { type } = field
  // JSON's own null (unquoted) counts as no text.
  const text = field.default === undefined || field.default === null ? '' : String(field.default)
  if (text === 'null') return 'null'
  if (structOf(definition, field) || type.startsWith('[]')) return type.startsWith('[]') ? 'empty' : 'of its members'
  switch (type) {
    case 'bool':
      return text || 'false'
    case 'string':
      return JSON.stringify(text)
    case 'uuid':
      return JSON.stringify(text || 'AAAAAAAAAAAAAAAAAAAAAA')
    case 'bytes':
      return 'empty'
    case 'records':
      return field.nullableVersions === undefined ||
        !inRange(rangeOf(definition.validVersions)![1], rangeOf(field.nullableVersions))
        ? 'empty'
        : 'null'
    default:
      return String(text === '' ? 0 : type === 'float64' ? Number(text) : BigInt(text))
  }
}

/** Versions both have. */
export function sharedVersions(message: Message, definition: Definition): number[] {
  const range = rangeOf(definition.validVersions) ?? [0, -1]
  const versions: number[] = []
  for (let v = Math.max(message.versions[0], range[0]); v <= Math.min(message.versions[1], range[1], NEVER); v++) versions.push(v)
  return versions
}
