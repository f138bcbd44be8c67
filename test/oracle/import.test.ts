import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Definition, parseDefinition } from '../../scripts/protocol-definition.ts'
import { addedApis, addedMessages, changedApis, changedMessages } from '../../scripts/protocol-import.ts'
import { allApis } from '../../src/protocol/registry.ts'
import type { Api, Message } from '../../src/protocol/schema.ts'
import { allMessages } from '../protocol/all-messages.ts'
import { definitionsOf } from './cells.ts'

const REMOVED = ['Metadata', 'Fetch', 'StreamsGroupHeartbeat', 'InitProducerId']
const IMPORTER = resolve(import.meta.dirname, '../../scripts/protocol-import.ts')
const API_FOLDER = resolve(import.meta.dirname, '../../src/protocol/apis')

let newest: Map<string, Definition>
let older: Map<string, Definition>
let folder: string
beforeAll(async () => {
  newest = await definitionsOf('4.4.0')
  older = await definitionsOf('3.9.2')
  folder = mkdtempSync(join(tmpdir(), 'kafkawire-import-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Loads the text of an API file. */
async function load(file: string, text: string): Promise<Api> {
  const path = join(folder, file)
  writeFileSync(path, text.replace("'../schema.ts'", JSON.stringify(pathToFileURL(resolve(API_FOLDER, '../schema.ts')).href)))
  return Object.values((await import(pathToFileURL(path).href)) as { [name: string]: Api })[0]!
}

const comparable = ({ key, name, stable, request, response }: Api) => ({
  key,
  name,
  stable,
  messages: [request, response].map(members),
})
const members = ({ name, versions, flexible, shape }: Message) => ({ name, versions, flexible, shape })

test('APIs that were removed come back out of the jars as they were, but for comments and routes', async () => {
  const files = addedApis(
    newest,
    older,
    allApis.filter(api => !REMOVED.includes(api.name)),
  )
  expect(files.size).toBe(REMOVED.length)
  for (const [file, text] of files) {
    expect(readdirSync(API_FOLDER)).toContain(file)
    const api = await load(file, text)
    expect(comparable(api)).toEqual(comparable(allApis.find(each => each.name === api.name)!))
  }
})

test('every API would come back so', async () => {
  const files = addedApis(newest, older, [])
  expect(files.size).toBe(allApis.length)
  for (const [file, text] of files) {
    const api = await load(file, text)
    expect(comparable(api), file).toEqual(comparable(allApis.find(each => each.name === api.name)!))
  }
})

test('against the release it was made from there is nothing to add or change', () => {
  expect([...addedApis(newest, older, allApis).keys()]).toEqual([])
  expect(addedMessages(newest, allMessages)).toEqual([])
  expect([...changedApis(newest, allApis), ...changedMessages(newest, allMessages)]).toEqual([])
})

/** The newest definitions, one of them changed. */
const withChange = (name: string, change: Partial<Definition>) => new Map(newest).set(name, { ...newest.get(name)!, ...change })

test('a version that becomes stable, or a key that moves, is told', () => {
  expect(changedApis(withChange('InitProducerIdRequest', { latestVersionUnstable: false }), allApis)).toEqual([
    'InitProducerId: stable: 6, was 5',
  ])
  expect(changedApis(withChange('MetadataRequest', { apiKey: 200 }), allApis)).toEqual(['Metadata: key: 200, was 3'])
})

test('a message that becomes flexible is told once', () => {
  expect(changedApis(withChange('SaslHandshakeRequest', { flexibleVersions: '1+' }), allApis)).toEqual([
    'SaslHandshakeRequest: flexible: 1, was never',
  ])
})

test('messages that stand alone are told as well: grown, or new', () => {
  const { fields } = newest.get('ConsumerProtocolSubscription')!
  const grown = withChange('ConsumerProtocolSubscription', {
    validVersions: '0-4',
    fields: [...fields, { name: 'Zone', type: 'string', versions: '4+' }],
  })
  expect(changedMessages(grown, allMessages)).toEqual([
    'ConsumerProtocolSubscription: versions: [0, 4], was [0, 3]',
    'ConsumerProtocolSubscription: zone: string.since(4)',
  ])
  const thing: Definition = {
    name: 'NewThing',
    type: 'data',
    validVersions: '0',
    fields: [{ name: 'Size', type: 'uint64', versions: '0+' }],
  }
  const [text] = addedMessages(new Map(newest).set('NewThing', thing), allMessages)
  expect(text).toContain("export const NewThing = message({\n  name: 'NewThing',\n  versions: [0, 0],")
  expect(text).toContain('// Review: schema.ts has no uint64 yet.')
})

test('a field that is new prints with what is inside of it, once', () => {
  const { fields } = newest.get('MetadataRequest')!
  const part = { name: 'Parts', type: '[]Part', versions: '14+', fields: [{ name: 'Id', type: 'int32', versions: '14+' }] }
  const topics = { ...fields[0]!, fields: [...fields[0]!.fields!, part] }
  const changes = changedApis(
    withChange('MetadataRequest', { validVersions: '0-14', fields: [topics, ...fields.slice(1)] }),
    allApis,
  )
  expect(changes.map(line => line.split('(')[0])).toEqual([
    'MetadataRequest: versions: [0, 14], was [0, 13]',
    'MetadataRequest: topics.parts: array',
  ])
})

test('a field of a type that is still to be written says so, and a default may have quotes in it', () => {
  const { fields } = newest.get('MetadataResponse')!
  const more = [
    { name: 'Size', type: 'uint32', versions: '13+', taggedVersions: '13+', tag: 9 },
    { name: 'Motto', type: 'string', versions: '13+', default: "it's a \\", ignorable: true },
  ]
  expect(changedApis(withChange('MetadataResponse', { fields: [...fields, ...more] as Definition['fields'] }), allApis)).toEqual([
    'MetadataResponse: size: uint32.since(13).tag(9) // Review: schema.ts has no uint32 yet.',
    String.raw`MetadataResponse: motto: string.since(13).default('it\'s a \\').ignorable()`,
  ])
})

test('an API that is left out is told once brokers answer it to clients', () => {
  expect(changedApis(withChange('AssignReplicasToDirsRequest', { listeners: ['controller', 'broker'] }), allApis)).toEqual([
    'AssignReplicasToDirs: listeners: broker is among them, and test/oracle/absent.ts leaves it out',
  ])
})

test('a request without its response is named', () => {
  const request = { name: 'FooRequest', type: 'request', apiKey: 120, validVersions: '0', fields: [] } as const
  expect(() => addedApis(new Map(newest).set('FooRequest', request), older, allApis)).toThrow('FooRequest and no FooResponse')
})

test.each([
  [[], 'usage: npm run protocol:import'],
  [['foo'], 'foo is no release of Kafka'],
  [['../../x'], '../../x is no release of Kafka'],
])('called with %j it says how it is used, without a stack trace', (args, text) => {
  const { stderr, status } = spawnSync(process.execPath, ['--import', 'tsx', IMPORTER, ...args], { encoding: 'utf8' })
  expect({ status, lines: stderr.trim().split('\n').length }).toEqual({ status: 2, lines: 1 })
  expect(stderr).toContain(text)
})

test('what follows a definition is ignored, as in DescribeProducersRequest of 2.8; what is none is named', () => {
  const text = '// of Kafka\n{ "name": "A[", "fields": [{ "name": "B" }] /* here */ }\n]\n}'
  expect(parseDefinition(text)).toEqual({ name: 'A[', fields: [{ name: 'B' }] })
  expect(() => parseDefinition('{ "name": ')).toThrow(SyntaxError)
})

test('what a newer release adds to an API or changes in it is printed as DSL', () => {
  const metadata = newest.get('MetadataResponse')!
  const newer = new Map(newest)
  newer.set('MetadataResponse', {
    ...metadata,
    validVersions: '0-14',
    fields: [
      ...metadata.fields.map(field => (field.name === 'ClusterId' ? { ...field, ignorable: false } : field)),
      { name: 'Region', type: 'string', versions: '14+', nullableVersions: '14+', default: 'null', ignorable: true },
    ],
  })
  expect(changedApis(newer, allApis)).toEqual([
    'MetadataResponse: versions: [0, 14], was [0, 13]',
    'MetadataResponse: clusterId: string.since(2).nullable().default(null)',
    'MetadataResponse: region: string.since(14).nullable().default(null).ignorable()',
  ])
})
