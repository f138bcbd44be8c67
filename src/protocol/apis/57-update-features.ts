import { api, array, bool, controller, errorCode, int8, int16, string, throttleTimeMs, timeoutMs } from '../schema.ts'

/** Changes the level of cluster features (KIP-584). */
export const UpdateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexible: 0,
  route: controller,
  request: {
    /** How long the broker may work on this before it answers with what it has, in milliseconds. */
    timeoutMs: timeoutMs.default(60000),
    /** Features to change. */
    featureUpdates: array({
      /** Name of the feature, such as transaction.version. */
      feature: string.mapKey(),
      /** The level wanted; below 1 removes the feature. */
      maxVersionLevel: int16,
      /** Whether the level may go down. */
      allowDowngrade: bool.until(0),
      /** 1 only up, 2 down where safe, 3 down even where data is lost. */
      upgradeType: int8.since(1).default(1),
    }),
    /** True for a rehearsal: everything is checked and nothing is changed. */
    validateOnly: bool.since(1),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error of the request as a whole; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable(),
    /** What became of each feature. */
    results: array({
      /** Name of the feature, such as transaction.version. */
      feature: string.mapKey(),
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable(),
    })
      .until(1)
      .ignorable(),
  },
})
