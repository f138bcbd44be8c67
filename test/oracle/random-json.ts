// Random messages in the form of Kafka's JSON converters, made from Kafka's definition alone: our schemas have no part in them.
import {
  type Definition,
  type FieldDefinition,
  inRange,
  rangeOf,
  structOf,
  uncapitalized,
  versionsOf,
} from '../../scripts/protocol-definition.ts'
import type { Random } from '../protocol/random-message.ts'

/** JSON text of a random message in one version. Tagged fields are left out, or hold something other than their default. */
export function randomJson(random: Random, definition: Definition, version: number): string {
  const struct = (fields: readonly FieldDefinition[], depth: number, telling = false): string => {
    const members: string[] = []
    for (const field of fields) {
      if (!inRange(version, versionsOf(field))) continue
      const tagged = field.tag !== undefined
      if (tagged && random.chance(0.4)) continue
      members.push(`${JSON.stringify(uncapitalized(field.name))}:${value(field, field.type, tagged || telling, depth)}`)
    }
    return `{${members.join(',')}}`
  }
  const value = (field: FieldDefinition, type: string, tagged: boolean, depth: number): string => {
    if (!tagged && type === field.type && inRange(version, rangeOf(field.nullableVersions)) && random.chance(0.25)) return 'null'
    const members = structOf(definition, field)
    if (type.startsWith('[]')) {
      const length = (tagged ? 1 : 0) + random.below(depth > 2 ? 2 : 4)
      return `[${Array.from({ length }, () => value(field, type.slice(2), false, depth + 1)).join(',')}]`
    }
    // A tagged struct is left out when all its members are at their defaults, so none of them is.
    if (members) return struct(members, depth + 1, tagged)
    return primitive(random, type, tagged)
  }
  return struct(definition.fields, 0)
}

function primitive(random: Random, type: string, tagged: boolean): string {
  switch (type) {
    case 'bool':
      return String(tagged || random.chance(0.5))
    case 'int8':
      return String(tagged ? 7 : random.integer(8))
    case 'int16':
      return String(tagged ? 77 : random.integer(16))
    case 'uint16':
      return String(random.integer(16, false))
    case 'int32':
      return String(tagged ? 777 : random.integer(32))
    case 'int64':
      return String(tagged ? 7_777_777_777n : random.bigint())
    case 'float64': {
      const number = random.pick([0, -1.5, 1e300, random.next()])
      return Number.isInteger(number) ? number.toFixed(1) : String(number)
    }
    case 'string':
      return JSON.stringify(tagged ? 'tagged' : random.text())
    case 'uuid':
      return JSON.stringify(random.bytes(16).toString('base64url'))
    case 'bytes':
    case 'records':
      return JSON.stringify(random.bytes(1 + random.below(200)).toString('base64'))
    default:
      throw new Error(`unknown type ${type}`)
  }
}
