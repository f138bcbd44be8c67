/** ApiVersions: what the broker serves, found out at the start of each connection (KIP-35, KIP-511, KIP-1242). */
import { ProtocolError, UnsupportedVersionError } from '../errors.ts'
import { ApiVersions } from '../protocol/apis/18-api-versions.ts'
import { brokerError, ErrorCode } from '../protocol/error-codes.ts'
import { decodeResponse } from '../protocol/frame.ts'
import type { Decoded, Encodable } from '../protocol/schema.ts'
import type { Logger } from '../util/logger.ts'
import { SOFTWARE_NAME, SOFTWARE_VERSION } from './software.ts'
import type { VersionRange } from './version-range.ts'

export interface BrokerFeatures {
  readonly supported: ReadonlyMap<string, VersionRange>
  /** What the whole cluster agreed on. */
  readonly finalized: ReadonlyMap<string, VersionRange>
  /** -1 where the broker does not say. */
  readonly finalizedEpoch: bigint
}

export interface Negotiated {
  readonly apiVersions: ReadonlyMap<number, VersionRange>
  readonly features: BrokerFeatures
}

export interface NegotiationOptions {
  /** `host:port`, for messages. */
  readonly where: string
  readonly expected?: { readonly clusterId?: string | undefined; readonly nodeId?: number | undefined } | undefined
  readonly firstVersion: number
  readonly logger: Logger
}

type Request = Encodable<typeof ApiVersions.request>
type Response = Decoded<typeof ApiVersions.response>

/**
 * Asks with `firstVersion`, and with ever older ones where the broker does not know it or cannot be understood. `ask`
 * sends one request and gives the frame of its answer.
 */
export async function negotiate(
  ask: (version: number, request: Request) => Promise<Buffer>,
  { where, expected, firstVersion, logger }: NegotiationOptions,
): Promise<Negotiated> {
  // A broker compares the pair only when it gets both (KIP-1242).
  const known = expected?.clusterId !== undefined && expected.nodeId !== undefined && expected.nodeId >= 0 ? expected : undefined
  const request: Request = {
    clientSoftwareName: SOFTWARE_NAME,
    clientSoftwareVersion: SOFTWARE_VERSION,
    clusterId: known?.clusterId ?? null,
    nodeId: known?.nodeId ?? -1,
  }
  let version = firstVersion
  for (;;) {
    const frame = await ask(version, request)
    const answer = understood(frame, version)
    if (answer instanceof ProtocolError) {
      if (version === 0)
        throw new ProtocolError(
          `${where} does not answer ApiVersions as a Kafka broker does: ${answer.message}`,
          { api: 'ApiVersions', version },
          { cause: answer },
        )
      logger.warn({ broker: where, version, err: answer }, 'the answer to ApiVersions cannot be read; trying v0')
      version = 0
    } else if (answer.errorCode === ErrorCode.UNSUPPORTED_VERSION) {
      version = olderVersion(answer, version, where)
    } else if (answer.errorCode !== ErrorCode.NONE) {
      throw brokerError(answer.errorCode, { api: 'ApiVersions' })
    } else {
      return negotiated(answer)
    }
  }
}

/** A broker that does not know the version answers in v0, whatever was asked for (KIP-511). */
function understood(frame: Buffer, version: number): Response | ProtocolError {
  const refused = frame.length >= 6 && frame.readInt16BE(4) === ErrorCode.UNSUPPORTED_VERSION
  try {
    return decodeResponse(ApiVersions, refused ? 0 : version, frame)
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
}

/** Strictly older, so that a broker that refuses everything is asked a bounded number of times. */
function olderVersion({ apiKeys }: Response, refused: number, where: string): number {
  if (refused === 0)
    throw new UnsupportedVersionError(
      'ApiVersions',
      `${where} refuses every version of ApiVersions: is it a Kafka broker of 0.10 or later?`,
    )
  const offered = apiKeys.find(({ apiKey }) => apiKey === ApiVersions.key)
  return offered ? Math.max(0, Math.min(offered.maxVersion, refused - 1)) : 0
}

function negotiated({ apiKeys, supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch }: Response): Negotiated {
  return {
    apiVersions: new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }])),
    features: {
      supported: new Map(
        supportedFeatures.map(({ name, minVersion, maxVersion }) => [name, { min: minVersion, max: maxVersion }]),
      ),
      finalized: new Map(
        finalizedFeatures.map(({ name, minVersionLevel, maxVersionLevel }) => [
          name,
          { min: minVersionLevel, max: maxVersionLevel },
        ]),
      ),
      finalizedEpoch: finalizedFeaturesEpoch,
    },
  }
}
