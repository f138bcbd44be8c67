/**
 * Prints what a release of Kafka adds to the protocol or changes in it, as DSL text ready for review:
 * `npm run protocol:import -- 4.5.0 [--older 3.9.2]`. It reads that release's kafka-clients jar (fetched by Maven).
 * `--older` names a release that still has versions which the new one dropped.
 */
import { parseArgs } from 'node:util'
import { allApis } from '../src/protocol/registry.ts'
import { type Api, type Message, message as messageOf, NEVER } from '../src/protocol/schema.ts'
import { absentApis, absentFormats } from '../test/oracle/absent.ts'
import { differences } from '../test/oracle/structure.ts'
import { allMessages } from '../test/protocol/all-messages.ts'
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
import { apiFile, apiText, fieldText, joined, messageText } from './protocol-dsl.ts'
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
    const response = definitions.get(`${name}Response`)
    if (!response) throw new Error(`this release has ${request.name} and no ${name}Response: is the jar complete?`)
    const before = older.get(request.name)?.latestVersionUnstable ? undefined : name
    const [asked, answered] = [request, response].map(each => joined(each, before ? older.get(each.name) : undefined))
    files.set(apiFile(request.apiKey!, name), apiText(asked!, answered!))
  }
  return files
}

/** Messages to add that stand alone (headers, embedded formats, control records), as DSL: those that `known` lacks. */
export function addedMessages(definitions: Map<string, Definition>, known: readonly Message[]): string[] {
  const names = new Set(known.map(message => message.name))
  return [...definitions.values()]
    .filter(({ type, name, validVersions }) => STANDALONE.includes(type) && rangeOf(validVersions) && !names.has(name))
    .filter(({ name }) => !(name in absentFormats))
    .map(definition => messageText(joined(definition, undefined)))
}
const STANDALONE: readonly Definition['type'][] = ['header', 'data']

/**
 * What changed in the APIs there are: key, stability, and what `changesOf` finds in both messages; and which of those that are
 * left out brokers answer clients now.
 */
export function changedApis(definitions: Map<string, Definition>, known: readonly Api[]): string[] {
  return [
    ...known.flatMap(api => [
      ...standingOf(api, definitions.get(api.request.name)),
      ...changesOf(api.request, definitions),
      ...changesOf(api.response, definitions),
    ]),
    ...Object.keys(absentApis)
      .filter(name => definitions.get(`${name}Request`)?.listeners?.includes('broker'))
      .filter(name => rangeOf(definitions.get(`${name}Request`)!.validVersions))
      .map(name => `${name}: listeners: broker is among them, and test/oracle/absent.ts leaves it out`),
  ]
}

/** What changed in the messages that stand alone; those that this jar does not define are not its business. */
export function changedMessages(definitions: Map<string, Definition>, known: readonly Message[]): string[] {
  return known
    .filter(({ name }) => STANDALONE.includes(definitions.get(name)?.type as Definition['type']))
    .flatMap(message => changesOf(message, definitions))
}

function standingOf({ name, key, stable, request }: Api, definition: Definition | undefined): string[] {
  const range = rangeOf(definition?.validVersions)
  if (!definition || !range) return []
  const last = definition.latestVersionUnstable ? range[1] - 1 : range[1]
  return [
    ...(definition.apiKey === key ? [] : [`${name}: key: ${definition.apiKey}, was ${key}`]),
    ...(last === (stable === request.versions[1] ? range[1] : stable) ? [] : [`${name}: stable: ${last}, was ${stable}`]),
  ]
}

/**
 * The new range of versions, the first flexible one, and each field that is not as it was, as DSL. A first version that is
 * later than ours is no change: brokers of older releases still have those in front of it.
 */
function changesOf(message: Message, definitions: Map<string, Definition>): string[] {
  const definition = definitions.get(message.name)
  const range = rangeOf(definition?.validVersions)
  if (!definition || !range) return [`${message.name}: gone`]
  const lines: string[] = []
  const [min, max] = message.versions
  if (range[1] !== max) lines.push(`${message.name}: versions: [${min}, ${range[1]}], was [${min}, ${max}]`)
  const flexible = rangeOf(definition.flexibleVersions)?.[0] ?? NEVER
  if (flexible !== message.flexible) {
    const [now, before] = [flexible, message.flexible].map(version => (version === NEVER ? 'never' : version))
    lines.push(`${message.name}: flexible: ${now}, was ${before}`)
  }
  const printed = new Set<string>()
  const grown = messageOf({ name: message.name, versions: [min, range[1]], flexible, shape: message.shape })
  for (let version = Math.max(min, range[0]); version <= range[1]; version++) {
    for (const difference of differences(grown, definition, version)) {
      const [, path = '', what = ''] = /^\S+ v\d+: (\S+?),? (.*)$/.exec(difference) ?? []
      // The text of a field holds those inside of it.
      if (printed.has(path) || [...printed].some(outer => path.startsWith(`${outer}.`))) continue
      printed.add(path)
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

const USAGE = 'usage: npm run protocol:import -- RELEASE [--older RELEASE], such as 4.5.0 --older 3.9.2'

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { older: { type: 'string' } } })
  const [version] = positionals
  if (positionals.length !== 1 || version === undefined) throw new Error(USAGE)
  const definitions = await definitionsOf(version)
  const older = values.older === undefined ? new Map<string, Definition>() : await definitionsOf(values.older)
  const added = addedApis(definitions, older, allApis)
  const messages = addedMessages(definitions, allMessages)
  const changed = [...changedApis(definitions, allApis), ...changedMessages(definitions, allMessages)]
  for (const [file, content] of added)
    console.log(`// ---- new: src/protocol/apis/${file}, to be exported from index.ts there\n${content}`)
  for (const content of messages) console.log(`// ---- new, stands alone\n${content}`)
  if (changed.length > 0) console.log(`// ---- changed\n${changed.join('\n')}`)
  console.log(`// Kafka ${version}: ${added.size} new APIs, ${messages.length} new messages, ${changed.length} changes`)
}

async function definitionsOf(release: string): Promise<Map<string, Definition>> {
  if (!/^\d+(\.\d+){2,3}(-\w+)?$/.test(release)) throw new Error(`${release} is no release of Kafka; ${USAGE}`)
  const jar = await releaseJar('kafka-clients', release).catch((cause: unknown) => {
    const message = `kafka-clients ${release} could not be had from Maven: is there such a release, and is mvn installed?`
    throw new Error(message, { cause })
  })
  const definitions = definitionsIn(jar)
  if (definitions.size === 0)
    throw new Error(`kafka-clients ${release} holds no message definitions: they are in it from 2.4.0 on`)
  return definitions
}

if (process.argv[1] === import.meta.filename) {
  await main().catch((error: Error) => {
    console.error(error.message)
    process.exitCode = 2
  })
}
