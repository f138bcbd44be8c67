import { anyBroker, api, array, errorCode, int8, int32, string, throttleTimeMs } from '../schema.ts'

/** Describes SCRAM users (KIP-554). */
export const DescribeUserScramCredentials = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Whom to describe; null or empty for all. */
    users: array({
      /** Name of the SCRAM user. */
      name: string,
    }).nullable(),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable(),
    /** What is known of each user. */
    results: array({
      /** Name of the SCRAM user. */
      user: string,
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable(),
      /** The mechanisms the user has a credential for. */
      credentialInfos: array({
        /** SCRAM mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
        mechanism: int8,
        /** How many rounds of hashing the credential uses. */
        iterations: int32,
      }),
    }),
  },
})
