// A message as Kafka's own JSON converters write it, so that Java can judge it by value.
import { comparison, defaultOf, Layout } from '../../src/protocol/presence.ts'
import type { Message, Presence, Shape, Wire } from '../../src/protocol/schema.ts'

/** The JSON text of a message in one version. Fields left out are at their default; unknown tags have no place in it. */
export function kafkaJson(message: Message, version: number, value: object): string {
  return structText(new Layout(message, version), message.shape, value)
}

function structText(layout: Layout, shape: Shape, value: object): string {
  const members: string[] = []
  for (const [name, { wire, presence }] of Object.entries(shape)) {
    if (!layout.onWire(presence)) continue
    const given = (value as { [name: string]: unknown })[name]
    const member = given === undefined ? defaultOf(wire, presence) : given
    // Tagged fields are written only when they hold something, as on the wire.
    if (presence.tag !== undefined && isDefault(member, wire, presence)) continue
    members.push(`${JSON.stringify(name)}:${valueText(layout, wire, member)}`)
  }
  return `{${members.join(',')}}`
}

function valueText(layout: Layout, wire: Wire, value: unknown): string {
  if (value === null) return 'null'
  if (wire.kind === 'struct') return structText(layout, wire.shape, value as object)
  if (wire.kind === 'array') return `[${(value as unknown[]).map(element => valueText(layout, wire.element, element)).join(',')}]`
  switch (wire.primitive) {
    case 'int64':
      return String(value)
    case 'float64':
      return Number.isInteger(value) ? (value as number).toFixed(1) : String(value)
    case 'bytes':
    case 'records':
      return JSON.stringify(Buffer.from(value as Uint8Array).toString('base64'))
    default:
      return JSON.stringify(value)
  }
}

function isDefault(value: unknown, wire: Wire, at: Presence): boolean {
  const by = comparison(wire, at)
  if (by === 'identity') return value === defaultOf(wire, at)
  if (value === null || value === undefined) return value === undefined
  if (by === 'length') return (value as { length: number }).length === 0
  const members = Object.entries((wire as { shape: Shape }).shape)
  return members.every(([name, field]) => {
    const member = (value as { [name: string]: unknown })[name]
    return member === undefined || isDefault(member, field.wire, field.presence)
  })
}
