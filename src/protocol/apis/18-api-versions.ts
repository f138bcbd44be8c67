import { anyBroker, api, array, bool, errorCode, int16, int32, int64, string, throttleTimeMs } from '../schema.ts'

/** Tells which APIs and versions a broker offers: the first request on a connection (KIP-35). */
export const ApiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 5],
  flexible: 3,
  route: anyBroker,
  clientThrottlesSince: 2,
  request: {
    /** Name of the client library (KIP-511). */
    clientSoftwareName: string.since(3).ignorable(),
    /** Version of the client library (KIP-511). */
    clientSoftwareVersion: string.since(3).ignorable(),
    /** Cluster that the client expects here; null for any (KIP-1242). */
    clusterId: string.since(5).nullable().default(null).ignorable(),
    /** Broker that the client expects here; -1 for any (KIP-1242). */
    nodeId: int32.since(5).default(-1).ignorable(),
  },
  response: {
    /** Error code; 0 is success. */
    errorCode,
    /** APIs that the broker offers. */
    apiKeys: array({
      /** Key of the API. */
      apiKey: int16.mapKey(),
      /** Oldest version offered. */
      minVersion: int16,
      /** Newest version offered. */
      maxVersion: int16,
    }),
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    /** Features the broker knows, with the levels it supports (KIP-584). */
    supportedFeatures: array({
      /** Name of the feature. */
      name: string.mapKey(),
      /** Lowest level supported. */
      minVersion: int16,
      /** Highest level supported. */
      maxVersion: int16,
    })
      .since(3)
      .tag(0)
      .ignorable(),
    /** Grows when finalized features change; -1 for unknown. */
    finalizedFeaturesEpoch: int64.since(3).default(-1n).tag(1).ignorable(),
    /** Feature levels in force for the whole cluster. */
    finalizedFeatures: array({
      /** Name of the feature. */
      name: string.mapKey(),
      /** Level in force: the highest allowed. */
      maxVersionLevel: int16,
      /** The lowest level allowed. */
      minVersionLevel: int16,
    })
      .since(3)
      .tag(2)
      .ignorable(),
    /** Whether the broker stands ready to move from ZooKeeper to KRaft. */
    zkMigrationReady: bool.since(3).tag(3).ignorable(),
  },
})
