/**
 * ApiVersions. Lists what this node offers. A request of a version above ours is answered in version 0 with error 35 and
 * that list (KIP-511); v3 must name a well-formed client software; v5 says which node of which cluster the client means, and
 * learns that it has reached another one (KIP-1242).
 */
import { ApiVersions } from '../../protocol/apis/18-api-versions.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'
import type { BrokerNode } from '../node.ts'

const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/

export const apiVersions = handler(ApiVersions, (request, { node, version, cluster }) => {
  const { clientSoftwareName, clientSoftwareVersion, clusterId, nodeId } = request
  if (version >= 3 && !(SOFTWARE.test(clientSoftwareName) && SOFTWARE.test(clientSoftwareVersion)))
    return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] }
  if ((clusterId !== null && clusterId !== cluster.clusterId) || (nodeId >= 0 && nodeId !== node.id))
    return { errorCode: ErrorCode.REBOOTSTRAP_REQUIRED, apiKeys: [] }
  return { errorCode: ErrorCode.NONE, apiKeys: offered(node), ...(version >= FEATURES_SINCE && features(node)) }
})

/** Clients before v4 cannot read a feature whose lowest level is 0 (KAFKA-17011). */
const FEATURES_SINCE = 4
const END_TXN = 26
/** With it, clients let Produce begin transactions and get a new epoch with each end (KIP-890). */
const transactionVersion = { name: 'transaction.version', level: 2 }

function features({ versions }: BrokerNode) {
  if ((versions.get(END_TXN)?.max ?? 0) < 5) return {}
  const { name, level } = transactionVersion
  return {
    supportedFeatures: [{ name, minVersion: 0, maxVersion: level }],
    finalizedFeaturesEpoch: 1n,
    finalizedFeatures: [{ name, minVersionLevel: level, maxVersionLevel: level }],
  }
}

/** The answer to a version that we do not know. */
export const answerUnsupported = (node: BrokerNode) => ({ errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: offered(node) })

const offered = ({ versions }: BrokerNode) =>
  [...versions].map(([apiKey, { min, max }]) => ({ apiKey, minVersion: min, maxVersion: max }))
