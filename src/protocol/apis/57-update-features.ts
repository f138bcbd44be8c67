import { api, array, bool, controller, errorCode, int8, int16, string, throttleTimeMs, timeoutMs } from '../schema.ts'

export const UpdateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexible: 0,
  route: controller,
  request: {
    timeoutMs: timeoutMs.default(60000),
    featureUpdates: array({
      feature: string.mapKey(),
      maxVersionLevel: int16,
      allowDowngrade: bool.until(0),
      upgradeType: int8.since(1).default(1),
    }),
    validateOnly: bool.since(1),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable(),
    results: array({
      feature: string.mapKey(),
      errorCode: errorCode,
      errorMessage: string.nullable(),
    })
      .until(1)
      .ignorable(),
  },
})
