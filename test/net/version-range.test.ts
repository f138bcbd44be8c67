import { expect, test } from 'vitest'
import { UnsupportedVersionError } from '../../src/errors.ts'
import { pickVersion } from '../../src/net/version-range.ts'
import { InitProducerId, Metadata } from '../../src/protocol/apis/index.ts'
import { allApis } from '../../src/protocol/registry.ts'

const WHERE = 'kafka.example:9092'
const everything = { min: 0, max: 99 }

test('a version that Kafka may still change is never picked by itself, however new the broker', () => {
  for (const api of allApis) expect(pickVersion(api, everything, undefined, WHERE)).toBe(api.stable)
  expect(allApis.filter(api => api.stable < api.request.versions[1]).map(api => api.name)).toEqual(['InitProducerId'])
  expect(pickVersion(InitProducerId, everything, { maxVersion: 6 }, WHERE)).toBe(5)
  expect(pickVersion(InitProducerId, everything, { minVersion: 5 }, WHERE)).toBe(5)
})
test('it is used by a caller who names it', () => {
  expect(pickVersion(InitProducerId, everything, { version: 6 }, WHERE)).toBe(6)
})

test.each([
  ['a broker that is too old', { min: 0, max: 3 }, { minVersion: 4 }, 'v0 to v3', 'use a newer broker'],
  ['a broker that is too new', { min: 14, max: 20 }, undefined, 'v14 to v20', 'use a newer kafkawire, or an older broker'],
  ['a version that nobody has', everything, { version: 50 }, 'v50 was asked for', 'use a newer kafkawire, or an older broker'],
  [
    'an old broker for a new caller',
    { min: 0, max: 3 },
    { minVersion: 4, maxVersion: 0x7fff },
    'v4 to v13 was asked for',
    'use a newer broker',
  ],
])('%s is refused with the ranges of all, and the way out', (_, broker, limits, ...texts) => {
  const pick = () => pickVersion(Metadata, broker, limits, WHERE)
  expect(pick).toThrow(UnsupportedVersionError)
  for (const text of [WHERE, 'kafkawire has v0 to v13', ...texts]) expect(pick).toThrow(text)
})
test.each([
  [{ minVersion: 9, maxVersion: 3 }, 'lower minVersion, or raise maxVersion'],
  [{ maxVersion: -1 }, 'raise maxVersion'],
  [{ maxVersion: 2 }, 'raise maxVersion'],
  [{ version: 2 }, 'ask for a later version'],
  [{ minVersion: 14 }, 'use a newer broker'],
])('where only what is asked for leaves nothing, that is to be changed: %j', (limits, advice) => {
  const pick = () => pickVersion(Metadata, { min: 4, max: 13 }, limits, WHERE)
  expect(pick).toThrow(UnsupportedVersionError)
  expect(pick).toThrow(new RegExp(`: ${advice}$`))
})
test('where a version that Kafka may still change is the least, the way to ask for it is told', () => {
  const pick = (max: number) => () => pickVersion(InitProducerId, { min: 0, max }, { minVersion: 6 }, WHERE)
  expect(pick(6)).toThrow(/: ask for it as version: 6, since Kafka may still change it$/)
  expect(pick(5)).toThrow(/: use a newer broker$/)
})
test.each([
  [{ version: Number.NaN }, 'version of Metadata is NaN'],
  [{ version: 1.5 }, 'version of Metadata is 1.5'],
  [{ minVersion: 0.5 }, 'minVersion of Metadata is 0.5'],
  [{ maxVersion: Number.POSITIVE_INFINITY }, 'maxVersion of Metadata is Infinity'],
])('limits that are no whole numbers are refused: %j', (limits, text) => {
  const pick = () => pickVersion(Metadata, everything, limits, WHERE)
  expect(pick).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }))
  expect(pick).toThrow(text)
})
test('an API that the broker does not serve is named', () => {
  expect(() => pickVersion(Metadata, undefined, undefined, WHERE)).toThrow(`${WHERE} does not serve Metadata`)
})
