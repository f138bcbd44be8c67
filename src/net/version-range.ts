import { UnsupportedVersionError } from '../errors.ts'
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
 * used only by a caller that names it. Throws UnsupportedVersionError, whose text has the ranges.
 */
export function pickVersion(
  api: Api,
  broker: VersionRange | undefined,
  limits: VersionLimits | undefined,
  where: string,
): number {
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
      (broker.max < Math.max(ours.min, wanted.min) ? 'use a newer broker' : 'use a newer kafkawire, or an older broker'),
  )
}

const range = ({ min, max }: VersionRange) => (min === max ? `v${min}` : `v${min} to v${max}`)
