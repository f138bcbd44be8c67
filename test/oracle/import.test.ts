import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Definition } from '../../scripts/protocol-definition.ts'
import { addedApis, changedApis } from '../../scripts/protocol-import.ts'
import { allApis } from '../../src/protocol/registry.ts'
import type { Api, Message } from '../../src/protocol/schema.ts'
import { definitionsOf } from './cells.ts'

const REMOVED = ['Metadata', 'Fetch', 'StreamsGroupHeartbeat', 'InitProducerId']
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
  expect(changedApis(newest, allApis)).toEqual([])
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
