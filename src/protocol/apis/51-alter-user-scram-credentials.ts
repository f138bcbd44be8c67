import { api, array, bytes, controller, errorCode, int8, int32, string, throttleTimeMs } from '../schema.ts'

export const AlterUserScramCredentials = api({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  route: controller,
  request: {
    deletions: array({
      name: string,
      mechanism: int8,
    }),
    upsertions: array({
      name: string,
      mechanism: int8,
      iterations: int32,
      salt: bytes,
      saltedPassword: bytes,
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    results: array({
      user: string,
      errorCode: errorCode,
      errorMessage: string.nullable(),
    }),
  },
})
