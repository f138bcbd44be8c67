import { KafkaError } from '../errors.ts'
import type { Api } from '../protocol/schema.ts'

export interface Range {
  readonly min: number
  readonly max: number
}

/**
 * Which versions each release of Kafka offers, for `asVersion`: `key:min-max`, of the APIs that this broker has.
 * What a release lacks is left out. Sources: the releases' own message definitions.
 */
const releases = {
  '0.10.2': '0:0-2 1:0-3 2:0-1 3:0-2 8:0-2 9:0-2 10:0-0 11:0-1 12:0-0 13:0-0 14:0-0 15:0-0 16:0-0 17:0-0 18:0-0 19:0-1 20:0-1',
  '0.11.0':
    '0:0-3 1:0-5 2:0-2 3:0-4 8:0-3 9:0-3 10:0-1 11:0-2 12:0-1 13:0-1 14:0-1 15:0-1 16:0-1 17:0-0 18:0-1 19:0-2 20:0-1 ' +
    '21:0-0 22:0-0 23:0-0 24:0-0 25:0-0 26:0-0 28:0-0 32:0-0 33:0-0',
  '1.1':
    '0:0-5 1:0-7 2:0-2 3:0-5 8:0-3 9:0-3 10:0-1 11:0-2 12:0-1 13:0-1 14:0-1 15:0-1 16:0-1 17:0-1 18:0-1 19:0-2 20:0-1 ' +
    '21:0-0 22:0-0 23:0-0 24:0-0 25:0-0 26:0-0 28:0-0 32:0-1 33:0-0 36:0-0 37:0-0 42:0-0',
  '2.8':
    '0:0-9 1:0-12 2:0-6 3:0-11 8:0-8 9:0-7 10:0-3 11:0-7 12:0-4 13:0-4 14:0-5 15:0-5 16:0-4 17:0-1 18:0-3 19:0-7 20:0-6 ' +
    '21:0-2 22:0-4 23:0-4 24:0-3 25:0-3 26:0-3 28:0-3 32:0-4 33:0-2 36:0-2 37:0-3 42:0-2 44:0-1 47:0-0 60:0-0 61:0-0',
  '3.9':
    '0:0-11 1:0-17 2:0-9 3:0-12 8:0-9 9:0-9 10:0-6 11:0-9 12:0-4 13:0-5 14:0-5 15:0-5 16:0-5 17:0-1 18:0-4 19:0-7 20:0-6 ' +
    '21:0-2 22:0-5 23:0-4 24:0-5 25:0-4 26:0-4 28:0-4 32:0-4 33:0-2 36:0-2 37:0-3 42:0-2 44:0-1 47:0-0 60:0-1 61:0-0 65:0-0 66:0-1',
  '4.0':
    '0:3-12 1:4-17 2:1-10 3:0-13 8:2-9 9:1-9 10:0-6 11:2-9 12:0-4 13:0-5 14:0-5 15:0-6 16:0-5 17:0-1 18:0-4 19:2-7 20:1-6 ' +
    '21:0-2 22:0-5 23:2-4 24:0-5 25:0-4 26:0-5 28:0-5 32:1-4 33:0-2 36:0-2 37:0-3 42:0-2 44:0-1 47:0-0 60:0-2 61:0-0 65:0-0 66:0-1',
  '4.4':
    '0:3-13 1:4-18 2:1-11 3:0-13 8:2-10 9:1-10 10:0-6 11:0-9 12:0-4 13:0-5 14:0-5 15:0-6 16:0-5 17:0-1 18:0-5 19:2-7 20:1-6 ' +
    '21:0-2 22:0-5 23:2-4 24:0-5 25:0-4 26:0-5 28:0-6 32:1-4 33:0-2 36:0-2 37:0-3 42:0-3 44:0-1 47:0-0 60:0-2 61:0-0 65:0-0 66:0-2',
} as const

export type Release = keyof typeof releases
export const releaseNames = Object.keys(releases) as readonly Release[]

/**
 * What a node offers: for each API the broker serves, its stable versions within the handler's own limits, the release
 * emulated and the upper bounds asked for. APIs that are left without a version are not offered.
 */
export function offeredVersions(
  served: Iterable<{ readonly api: Api; readonly minVersion: number; readonly maxVersion: number }>,
  asVersion: Release | undefined,
  maxVersions: Readonly<Record<string, number>>,
): ReadonlyMap<number, Range> {
  const release = asVersion === undefined ? undefined : parse(asVersion)
  const known = new Set<string>()
  const offered = new Map<number, Range>()
  for (const { api, minVersion, maxVersion } of served) {
    known.add(api.name)
    const limits = release ? release.get(api.key) : { min: 0, max: maxVersion }
    if (!limits) continue
    const min = Math.max(minVersion, limits.min)
    const max = Math.min(maxVersion, limits.max, maxVersions[api.name] ?? maxVersion)
    if (min <= max) offered.set(api.key, { min, max })
  }
  for (const name of Object.keys(maxVersions)) {
    if (!known.has(name))
      throw new KafkaError(
        'ERR_INVALID_ARGUMENT',
        `maxVersions names ${name}, which this broker does not serve: one of ${[...known].join(', ')}`,
      )
  }
  return offered
}

function parse(release: Release): ReadonlyMap<number, Range> {
  return new Map(
    releases[release].split(' ').map(entry => {
      const [, key, min, max] = /^(\d+):(\d+)-(\d+)$/.exec(entry)!
      return [Number(key), { min: Number(min), max: Number(max) }]
    }),
  )
}
