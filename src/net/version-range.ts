import { KafkaError, UnsupportedVersionError } from '../errors.ts'
import type { Api } from '../protocol/schema.ts'

export interface VersionRange {
  readonly min: number
  readonly max: number
}

export interface VersionLimits {
  /** Exactly this one. */
  readonly version?: number | undefined
  readonly minVersion?: number | undefined
  readonly maxVersion?: number | undefined
}

/**
 * The highest version of an API that the broker, this package and the caller all accept. One that Kafka may still change is
 * used only by a caller that names it. Throws UnsupportedVersionError, whose text has the ranges and the way out, and KafkaError
 * ERR_INVALID_ARGUMENT for limits that are no whole numbers.
 */
export function pickVersion(
  api: Api,
  broker: VersionRange | undefined,
  limits: VersionLimits | undefined,
  where: string,
): number {
  for (const name of ['version', 'minVersion', 'maxVersion'] as const) {
    const limit = limits?.[name]
    if (limit !== undefined && !Number.isInteger(limit))
      throw new KafkaError('ERR_INVALID_ARGUMENT', `${name} of ${api.name} is ${limit}: give a whole number, or leave it out`)
  }
  const [oldest, newest] = api.request.versions
  const ours = { min: oldest, max: limits?.version === undefined ? api.stable : newest }
  const wanted = {
    min: limits?.version ?? limits?.minVersion ?? ours.min,
    max: limits?.version ?? Math.min(limits?.maxVersion ?? ours.max, ours.max),
  }
  if (!broker)
    throw new UnsupportedVersionError(
      api.name,
      `${where} does not serve ${api.name}: it needs a newer broker, or one with the feature enabled`,
    )
  const version = Math.min(ours.max, wanted.max, broker.max)
  if (version >= Math.max(ours.min, wanted.min, broker.min)) return version
  const asked = wanted.min === ours.min && wanted.max === ours.max ? '' : `, ${range(wanted)} was asked for`
  throw new UnsupportedVersionError(
    api.name,
    `no version of ${api.name} fits: ${where} has ${range(broker)}, kafkawire has ${range(ours)}${asked}: ` +
      wayOut(api, ours, broker, limits ?? {}),
  )
}

function wayOut(
  { request, stable }: Api,
  ours: VersionRange,
  broker: VersionRange,
  { version, minVersion, maxVersion }: VersionLimits,
): string {
  const least = version ?? minVersion ?? ours.min
  const most = version ?? maxVersion ?? ours.max
  if (least > most && minVersion !== undefined && maxVersion !== undefined) return 'lower minVersion, or raise maxVersion'
  if (most < ours.min || (most < broker.min && broker.min <= ours.max))
    return version === undefined ? 'raise maxVersion' : 'ask for a later version'
  if (least > stable && least <= Math.min(request.versions[1], broker.max) && version === undefined)
    return `ask for it as version: ${least}, since Kafka may still change it`
  return broker.max < Math.max(ours.min, least) ? 'use a newer broker' : 'use a newer kafkawire, or an older broker'
}

const range = ({ min, max }: VersionRange) => (min === max ? `v${min}` : `v${min} to v${max}`)
