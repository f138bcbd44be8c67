import { anyBroker, api, array, bool, errorCode, int16, int32, int64, string, throttleTimeMs } from '../schema.ts'

export const ApiVersions = api({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 5],
  flexible: 3,
  route: anyBroker,
  clientThrottlesSince: 2,
  request: {
    clientSoftwareName: string.since(3).ignorable(),
    clientSoftwareVersion: string.since(3).ignorable(),
    clusterId: string.since(5).nullable().default(null).ignorable(),
    nodeId: int32.since(5).default(-1).ignorable(),
  },
  response: {
    errorCode: errorCode,
    apiKeys: array({
      apiKey: int16.mapKey(),
      minVersion: int16,
      maxVersion: int16,
    }),
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    supportedFeatures: array({
      name: string.mapKey(),
      minVersion: int16,
      maxVersion: int16,
    })
      .since(3)
      .tag(0)
      .ignorable(),
    finalizedFeaturesEpoch: int64.since(3).default(-1n).tag(1).ignorable(),
    finalizedFeatures: array({
      name: string.mapKey(),
      maxVersionLevel: int16,
      minVersionLevel: int16,
    })
      .since(3)
      .tag(2)
      .ignorable(),
    zkMigrationReady: bool.since(3).tag(3).ignorable(),
  },
})
