/** Kafka's own message definitions: `common/message/*.json` inside the jars of a release. For the oracles and the importer. */
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

/** A definition as its file states it. The grammar: generator/src/main/java/org/apache/kafka/message in Kafka's sources. */
export interface Definition {
  readonly name: string
  readonly type: 'request' | 'response' | 'header' | 'data' | 'coordinator-key' | 'coordinator-value' | 'metadata'
  readonly apiKey?: number
  readonly validVersions: string
  readonly flexibleVersions?: string
  readonly latestVersionUnstable?: boolean
  readonly listeners?: readonly string[]
  readonly commonStructs?: readonly { readonly name: string; readonly fields: readonly FieldDefinition[] }[]
  readonly fields: readonly FieldDefinition[]
}
export interface FieldDefinition {
  readonly name: string
  readonly type: string
  readonly versions?: string
  readonly taggedVersions?: string
  readonly nullableVersions?: string
  readonly flexibleVersions?: string
  readonly tag?: number
  readonly default?: unknown
  readonly ignorable?: boolean
  readonly mapKey?: boolean
  readonly entityType?: string
  readonly about?: string
  readonly fields?: readonly FieldDefinition[]
}

/** Inclusive; `A+` ends at 32767. */
export type Range = readonly [min: number, max: number]

/** `0-3`, `4+`, `2`; undefined for `none` and for nothing. */
export function rangeOf(text: string | undefined): Range | undefined {
  const match = /^(\d+)(?:(\+)|-(\d+))?$/.exec(text ?? '')
  if (!match) return undefined
  const min = Number(match[1])
  return [min, match[2] ? 0x7fff : Number(match[3] ?? min)]
}
export const inRange = (version: number, range: Range | undefined): boolean =>
  range !== undefined && version >= range[0] && version <= range[1]
/** Kafka's names begin with a capital, ours and those of its JSON do not. */
export const uncapitalized = (name: string): string => name[0]!.toLowerCase() + name.slice(1)
/** Versions of a field; a tagged one may leave them out. */
export const versionsOf = (field: FieldDefinition): Range | undefined => rangeOf(field.versions ?? field.taggedVersions)

/** Fields of the struct a field holds, or whose elements it holds; undefined for primitives. */
export function structOf(definition: Definition, field: FieldDefinition): readonly FieldDefinition[] | undefined {
  const name = field.type.replace(/^\[\]/, '')
  if (!/^[A-Z]/.test(name)) return undefined
  return field.fields ?? definition.commonStructs?.find(struct => struct.name === name)?.fields
}

/** All definitions in a jar, by name. */
export function definitionsIn(jarPath: string): Map<string, Definition> {
  const definitions = new Map<string, Definition>()
  for (const [name, text] of entriesOf(readFileSync(jarPath), /^common\/message\/\w+\.json$/)) {
    const definition = namedParse(name, text)
    if (definition.name !== name.slice(15, -5)) throw new Error(`${name} defines ${definition.name}`)
    definitions.set(definition.name, definition)
  }
  return definitions
}

function namedParse(name: string, text: string): Definition {
  try {
    return parseDefinition(text)
  } catch (cause) {
    throw new Error(`${name} is no definition: ${(cause as Error).message}`, { cause })
  }
}

/** Parses JSON with comments. What follows the value is ignored, as Kafka's own build does: 2.8 has a file with a brace too many. */
export function parseDefinition(text: string): Definition {
  const json = text.replace(/("(?:[^"\\]|\\.)*")|\/\/.*$|\/\*[\s\S]*?\*\//gm, (_, string: string | undefined) => string ?? '')
  let depth = 0
  for (const { 0: token, index } of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (token === '{' || token === '[') depth++
    else if (token.length === 1 && --depth === 0) return JSON.parse(json.slice(0, index + 1))
  }
  return JSON.parse(json)
}

/** Name and text of the entries of a zip archive that match. */
function* entriesOf(zip: Buffer, wanted: RegExp): Generator<[name: string, text: string]> {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06'))
  if (end < 0) throw new Error('not a jar: it has no directory')
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28)
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength)
    if (wanted.test(name)) {
      const local = zip.readUInt32LE(at + 42)
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20))
      yield [name, (zip.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed)).toString()]
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
}
