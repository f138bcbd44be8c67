/**
 * Prints what a release of Kafka adds to the protocol or changes in it, as DSL text ready for review:
 * `npm run protocol:import -- 4.5.0 [--older 3.9.2]`. It reads that release's kafka-clients jar (fetched by Maven).
 * `--older` names a release that still has versions which the new one dropped.
 */
import { parseArgs } from 'node:util'
import { allApis } from '../src/protocol/registry.ts'
import { type Api, type Message, message as messageOf } from '../src/protocol/schema.ts'
import { absentApis } from '../test/oracle/absent.ts'
import { differences } from '../test/oracle/structure.ts'
import {
  type Definition,
  definitionsIn,
  type FieldDefinition,
  inRange,
  rangeOf,
  structOf,
  uncapitalized,
  versionsOf,
} from './protocol-definition.ts'
import { apiFile, apiText, fieldText, joined } from './protocol-dsl.ts'
import { releaseJar } from './protocol-jar.ts'

/** Files to add, by name: the APIs that `known` lacks. */
export function addedApis(
  definitions: Map<string, Definition>,
  older: Map<string, Definition>,
  known: readonly Api[],
): Map<string, string> {
  const names = new Set(known.map(api => api.name))
  const files = new Map<string, string>()
  for (const request of definitions.values()) {
    const name = request.name.replace(/Request$/, '')
    if (request.type !== 'request' || !rangeOf(request.validVersions) || names.has(name) || name in absentApis) continue
    const response = definitions.get(`${name}Response`)!
    const before = older.get(request.name)?.latestVersionUnstable ? undefined : name
    const [asked, answered] = [request, response].map(each => joined(each, before ? older.get(each.name) : undefined))
    files.set(apiFile(request.apiKey!, name), apiText(asked!, answered!))
  }
  return files
}

/** What changed in the APIs there are: per message the new range of versions and each field that is not as it was, as DSL. */
export function changedApis(definitions: Map<string, Definition>, known: readonly Api[]): string[] {
  return known.flatMap(api => [...changesOf(api.request, definitions), ...changesOf(api.response, definitions)])
}

function changesOf(message: Message, definitions: Map<string, Definition>): string[] {
  const definition = definitions.get(message.name)
  const range = rangeOf(definition?.validVersions)
  if (!definition || !range) return [`${message.name}: gone`]
  const lines: string[] = []
  const [min, max] = message.versions
  if (range[1] !== max) lines.push(`${message.name}: versions: [${min}, ${range[1]}], was [${min}, ${max}]`)
  const paths = new Set<string>()
  const { name, flexible, shape } = message
  const grown = messageOf({ name, versions: [min, range[1]], flexible, shape })
  for (let version = Math.max(min, range[0]); version <= range[1]; version++) {
    for (const difference of differences(grown, definition, version)) {
      const [, path = '', what = ''] = /^\S+ v\d+: (\S+?),? (.*)$/.exec(difference) ?? []
      if (paths.has(path)) continue
      paths.add(path)
      const field = fieldAt(definition, path)
      lines.push(`${message.name}: ${field ? `${path}: ${fieldText(definition, field.field, field.within)}` : `${path} ${what}`}`)
    }
  }
  return lines
}

/** The field at `topics.partitions.errorCode`, with the versions of what holds it. */
function fieldAt(
  definition: Definition,
  path: string,
): { field: FieldDefinition; within: readonly [number, number] } | undefined {
  let fields: readonly FieldDefinition[] | undefined = definition.fields
  let within = rangeOf(definition.validVersions)!
  let field: FieldDefinition | undefined
  for (const name of path.split('.')) {
    if (field) within = intersection(within, versionsOf(field)!)
    field = fields?.find(each => uncapitalized(each.name) === name)
    if (!field) return undefined
    fields = structOf(definition, field)
  }
  return field && inRange(within[0], within) ? { field, within } : undefined
}
const intersection = (a: readonly [number, number], b: readonly [number, number]) =>
  [Math.max(a[0], b[0]), Math.min(a[1], b[1])] as const

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { older: { type: 'string' } } })
  const [version] = positionals
  if (!version) throw new Error('which release? npm run protocol:import -- 4.5.0')
  const definitions = definitionsIn(await releaseJar('kafka-clients', version))
  const older = values.older ? definitionsIn(await releaseJar('kafka-clients', values.older)) : new Map<string, Definition>()
  const added = addedApis(definitions, older, allApis)
  const changed = changedApis(definitions, allApis)
  for (const [file, content] of added)
    console.log(`// ---- new: src/protocol/apis/${file}, to be exported from index.ts there\n${content}`)
  if (changed.length > 0) console.log(`// ---- changed\n${changed.join('\n')}`)
  console.log(`// Kafka ${version}: ${added.size} new APIs, ${changed.length} changes`)
}

if (process.argv[1] === import.meta.filename) await main()
