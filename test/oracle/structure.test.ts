import { beforeAll, describe, expect, test } from 'vitest'
import { type Definition, rangeOf } from '../../scripts/protocol-definition.ts'
import { allApis } from '../../src/protocol/registry.ts'
import { array, int32, int64, message, NEVER, string } from '../../src/protocol/schema.ts'
import { allMessages } from '../protocol/all-messages.ts'
import { absentApis, absentFormats } from './absent.ts'
import { allCells, type Cell, definitionsOf, releases } from './cells.ts'
import { report } from './report.ts'
import { differences } from './structure.ts'

let cells: Cell[]
let definitions: Map<string, Definition>
beforeAll(async () => {
  cells = await allCells()
  definitions = await definitionsOf(releases[0])
})

const compare = ({ message, definition, version, release }: Cell) =>
  differences(message, definition, version, release !== releases[0])

test('every field of every message is in every version what the definitions of 4.4.0, and of 3.9.2 below it, say', () => {
  const found = cells.flatMap(compare)
  report('structure', { cells: cells.length, messages: allMessages.length, differences: found.length, absentApis, absentFormats })
  expect(found).toEqual([])
  expect(cells.length).toBeGreaterThan(600)
})

test('every API has the key, the versions and the unstable version that the releases declare', async () => {
  const older = await definitionsOf(releases[1])
  for (const api of allApis) {
    const request = definitions.get(api.request.name)!
    expect(request.apiKey, api.name).toBe(api.key)
    const [min, max] = rangeOf(request.validVersions)!
    const before = older.get(api.request.name)
    const stillUnstable = before?.latestVersionUnstable && rangeOf(before.validVersions)![1] < min
    const first = before && !stillUnstable ? Math.min(min, rangeOf(before.validVersions)?.[0] ?? min) : min
    expect([api.name, ...api.request.versions]).toEqual([api.name, first, max])
    expect([api.name, ...api.response.versions]).toEqual([api.name, first, max])
    // Kafka marks a last version unstable as long as it may change. Those that brokers advertise all the same count as stable.
    if (api.stable !== max) expect(request.latestVersionUnstable, api.name).toBe(true)
  }
})

test('what the definitions have and we have not is left out on purpose', () => {
  const known = new Set(allMessages.map(each => each.name))
  const missing = [...definitions.keys()].filter(name => !known.has(name)).sort()
  const explained = [
    ...Object.keys(absentApis).flatMap(name => [`${name}Request`, `${name}Response`]),
    ...Object.keys(absentFormats),
  ].sort()
  expect(missing).toEqual(explained)
})

test('what we have and the definitions have not is written by hand in Java, and judged on its own', () => {
  expect(
    allMessages
      .map(each => each.name)
      .filter(name => !definitions.has(name))
      .sort(),
  ).toEqual(['ConnectAssignment', 'ConnectWorkerState', 'StreamsAssignmentInfo'])
})

describe('a wrong field shows', () => {
  const definition: Definition = {
    name: 'Sample',
    type: 'data',
    validVersions: '0-2',
    flexibleVersions: '2+',
    fields: [
      { name: 'Id', type: 'int64', versions: '0+', default: '-1', ignorable: true },
      {
        name: 'Names',
        type: '[]Name',
        versions: '1+',
        nullableVersions: '1+',
        fields: [{ name: 'Name', type: 'string', versions: '1+', mapKey: true }],
      },
      { name: 'Extra', type: 'string', versions: '2+', taggedVersions: '2+', tag: 0 },
    ],
  }
  const right = {
    id: int64.default(-1n).ignorable(),
    names: array({ name: string.mapKey() }).since(1).nullable(),
    extra: string.since(2).tag(0),
  }
  const of = (change: object, flexible = 2) =>
    [0, 1, 2].flatMap(v =>
      differences(message({ name: 'Sample', versions: [0, 2], flexible, shape: { ...right, ...change } }), definition, v),
    )

  test('and a right one does not', () => expect(of({})).toEqual([]))
  test.each([
    ['type', { id: int32.default(-1).ignorable() }],
    ['default', { id: int64.ignorable() }],
    ['ignorable', { id: int64.default(-1n) }],
    ['first version', { names: array({ name: string.mapKey() }).since(2).nullable() }],
    ['last version', { extra: string.since(2).until(1).tag(0) }],
    ['nullability', { names: array({ name: string.mapKey() }).since(1).nullableSince(2) }],
    ['tag', { extra: string.since(2).tag(1) }],
    ['map key', { names: array({ name: string }).since(1).nullable() }],
    [
      'entity',
      {
        names: array({ name: { ...string.mapKey(), presence: { ...string.mapKey().presence, entity: 'topicName' } } as never })
          .since(1)
          .nullable(),
      },
    ],
    ['a field that does not exist', { more: int32 }],
  ])('%s', (_, change) => expect(of(change)).not.toEqual([]))
  test('first flexible version', () => expect(of({}, NEVER)).not.toEqual([]))
  test('order', () => {
    const { id, names, extra } = right
    const shape = { names, id, extra }
    expect(differences(message({ name: 'Sample', versions: [0, 2], flexible: 2, shape }), definition, 1)).toEqual([
      'Sample v1: the order differs',
    ])
  })
})
