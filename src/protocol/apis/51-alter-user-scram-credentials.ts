import { api, array, bytes, controller, errorCode, int8, int32, string, throttleTimeMs } from '../schema.ts'

/** Adds, replaces or removes SCRAM credentials (KIP-554). */
export const AlterUserScramCredentials = api({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  route: controller,
  request: {
    /** Credentials to remove. */
    deletions: array({
      /** Name of the SCRAM user. */
      name: string,
      /** SCRAM mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
      mechanism: int8,
    }),
    /** Credentials to add or replace. */
    upsertions: array({
      /** Name of the SCRAM user. */
      name: string,
      /** SCRAM mechanism: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
      mechanism: int8,
      /** How many rounds of hashing the credential uses. */
      iterations: int32,
      /** Random bytes the password was salted with, chosen by the client. */
      salt: bytes,
      /** The salted and hashed password: the broker never sees the password. */
      saltedPassword: bytes,
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What became of each user. */
    results: array({
      /** Name of the SCRAM user. */
      user: string,
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable(),
    }),
  },
})
