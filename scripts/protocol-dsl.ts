/** Writes Kafka's definitions down in our message DSL. */
import * as schema from '../src/protocol/schema.ts'
import {
  type Definition,
  type FieldDefinition,
  type Range,
  rangeOf,
  structOf,
  uncapitalized,
  versionsOf,
} from './protocol-definition.ts'

/** A definition joined with an older release's, which still has versions that the newer one dropped. */
export interface Joined {
  readonly definition: Definition
  readonly versions: Range
}

/** Fields of `newer`, widened by what `older` says of versions below the first of `newer`. */
export function joined(newer: Definition, older: Definition | undefined): Joined {
  const versions = rangeOf(newer.validVersions)!
  const before = rangeOf(older?.validVersions)
  if (!older || !before || before[0] >= versions[0]) return { definition: newer, versions }
  return {
    definition: { ...newer, fields: joinedFields(newer.fields, older.fields, versions[0]) },
    versions: [before[0], versions[1]],
  }
}

function joinedFields(newer: readonly FieldDefinition[], older: readonly FieldDefinition[], first: number): FieldDefinition[] {
  const fields = [...newer]
  let behind = 0
  for (const old of older) {
    const range = versionsOf(old)
    const at = fields.findIndex(field => field.name === old.name)
    const same = fields[at]
    if (same) {
      behind = at + 1
      fields[at] = {
        ...same,
        ...(range && range[0] < first && { versions: text([Math.min(range[0], versionsOf(same)![0]), versionsOf(same)![1]]) }),
        ...(same.nullableVersions && {
          nullableVersions: text([nullableFrom(same, old, first), rangeOf(same.nullableVersions)![1]]),
        }),
        ...(same.fields && old.fields && { fields: joinedFields(same.fields, old.fields, first) }),
      }
    } else if (range && range[0] < first) {
      fields.splice(behind++, 0, { ...old, versions: text([range[0], Math.min(range[1], first - 1)]) })
    }
  }
  return fields
}

function nullableFrom(newer: FieldDefinition, older: FieldDefinition, first: number): number {
  const from = rangeOf(newer.nullableVersions)![0],
    before = rangeOf(older.nullableVersions)
  if (before) return Math.min(from, before[0])
  return Math.max(from, first)
}

const text = ([min, max]: Range): string => (max === 0x7fff ? `${min}+` : `${min}-${max}`)

/** The file that declares an API. Its route and its comments are for a human to write; `// Kafka:` lines help. */
export function apiText(request: Joined, response: Joined): string {
  const name = request.definition.name.replace(/Request$/, '')
  const writer = new DslWriter()
  const asked = writer.fields(request, '    '),
    answered = writer.fields(response, '    ')
  const { apiKey, latestVersionUnstable } = request.definition
  const [min, max] = request.versions
  const flexible = rangeOf(request.definition.flexibleVersions)
  const lines = [
    `  key: ${apiKey},`,
    `  name: '${name}',`,
    `  versions: [${min}, ${max}],`,
    flexible && `  flexible: ${flexible[0]},`,
    latestVersionUnstable && `  stable: ${max - 1},`,
    '  // Review: where does it go? See Route in schema.ts; and clientThrottlesSince.',
    '  route: anyBroker,',
  ].filter(Boolean)
  return `${writer.header('api', 'anyBroker')}export const ${name} = api({\n${lines.join('\n')}\n  request: {\n${asked}  },\n  response: {\n${answered}  },\n})\n`
}

/** The declaration of a message that stands alone. */
export function messageText(message: Joined): string {
  const writer = new DslWriter()
  const fields = writer.fields(message, '    ')
  const flexible = rangeOf(message.definition.flexibleVersions)
  const { name } = message.definition
  const [min, max] = message.versions
  return `${writer.header('message')}export const ${name} = message({\n  name: '${name}',\n  versions: [${min}, ${max}],\n${flexible ? `  flexible: ${flexible[0]},\n` : ''}  shape: {\n${fields}  },\n})\n`
}

/** The name of the file of an API: `03-metadata.ts`. */
export const apiFile = (key: number, name: string): string =>
  `${String(key).padStart(2, '0')}-${name.replace(/([a-z\d])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3-$2$4').toLowerCase()}.ts`

/** The expression for one field of a definition whose parent has the versions `within`, and behind it what schema.ts lacks for it. */
export function fieldText(definition: Definition, field: FieldDefinition, within: Range, indent = ''): string {
  const writer = new DslWriter()
  const expression = writer.field({ definition, versions: within }, field, within, indent)
  const review = writer.review()
  return review === '' ? expression : `${expression} ${review}`
}

class DslWriter {
  /** Names to import. */
  private readonly used = new Set<string>()
  /** Declarations of common structs, each behind those it holds. */
  private readonly shared = new Map<string, string>()

  header(...more: string[]): string {
    const names = [...this.used, ...more].sort((a, b) => a.localeCompare(b))
    const review = this.review()
    return `${review === '' ? '' : `${review}\n`}import { ${names.join(', ')} } from '../schema.ts'\n\n${[...this.shared.values()].map(each => `${each}\n`).join('')}`
  }

  /** Names the types that are still to be written; empty if there are none. */
  review(): string {
    const lacking = [...this.used].filter(name => !(name in schema)).sort((a, b) => a.localeCompare(b))
    return lacking.length === 0 ? '' : `// Review: schema.ts has no ${lacking.join(', ')} yet.`
  }

  fields(of: Joined, indent: string): string {
    return this.list(of, of.definition.fields, of.versions, indent)
  }

  private list(of: Joined, fields: readonly FieldDefinition[], within: Range, indent: string): string {
    return fields
      .filter(field => {
        const range = versionsOf(field)
        return range && range[0] <= within[1] && range[1] >= within[0]
      })
      .map(field => {
        const name = uncapitalized(field.name)
        const value = this.field(of, field, within, indent)
        const about = field.about ? `${indent}// Kafka: ${field.about}\n` : ''
        return `${about}${indent}${value === name ? name : `${name}: ${value}`},\n`
      })
      .join('')
  }

  field(of: Joined, field: FieldDefinition, within: Range, indent: string): string {
    const range = versionsOf(field)!
    const own: Range = [Math.max(within[0], range[0]), Math.min(within[1], range[1])]
    const nullable = rangeOf(field.nullableVersions)
    const from = nullable && nullable[1] >= own[1] ? Math.max(nullable[0], own[0]) : undefined
    return [
      this.type(of, field, field.type, own, indent),
      own[0] > within[0] && `.since(${own[0]})`,
      own[1] < within[1] && `.until(${own[1]})`,
      from !== undefined && (from === own[0] ? '.nullable()' : `.nullableSince(${from})`),
      this.fallback(field, from !== undefined),
      field.tag !== undefined && `.tag(${field.tag})`,
      String(field.ignorable) === 'true' && '.ignorable()',
      field.mapKey && '.mapKey()',
    ]
      .filter(Boolean)
      .join('')
  }

  private type(of: Joined, field: FieldDefinition, type: string, own: Range, indent: string): string {
    if (type.startsWith('[]')) {
      const inner = this.type(of, field, type.slice(2), own, indent)
      return `${this.use('array')}(${inner.replace(/^struct\(([\s\S]*)\)$/, '$1')})`
    }
    const members = structOf(of.definition, field)
    if (members) {
      if (!field.type.startsWith('[]')) this.use('struct')
      return field.fields
        ? `struct({\n${this.list(of, members, own, `${indent}  `)}${indent}})`
        : `struct(${this.share(of, type, members)})`
    }
    const { name, entityType, flexibleVersions } = field
    if (entityType) return this.use(entityType)
    if (type === 'int16' && (name === 'ErrorCode' || name === 'PartitionErrorCode')) return this.use('errorCode')
    if (type === 'int32' && name === 'ThrottleTimeMs') return this.use('throttleTimeMs')
    if (type === 'int32' && name.toLowerCase() === 'timeoutms') return this.use('timeoutMs')
    return this.use(type === 'string' && flexibleVersions === 'none' ? 'legacyString' : type)
  }

  private share(of: Joined, type: string, members: readonly FieldDefinition[]): string {
    const name = uncapitalized(type)
    if (!this.shared.has(name)) {
      const members_ = this.list(of, members, of.versions, '  ')
      this.shared.set(name, `const ${name} = {\n${members_}}\n`)
    }
    return name
  }

  private use(name: string): string {
    this.used.add(name)
    return name
  }

  private fallback({ type, default: given }: FieldDefinition, nullable: boolean): string {
    const value = given === undefined || given === null ? '' : String(given)
    if (value === 'null' || (value === '' && type === 'records' && nullable)) return '.default(null)'
    if (value === '' || type.startsWith('[]') || value === '0' || value === 'false') return ''
    if (type === 'string' || type === 'uuid') return `.default('${value.replace(/['\\]/g, '\\$&')}')`
    return `.default(${value}${type === 'int64' ? 'n' : ''})`
  }
}
