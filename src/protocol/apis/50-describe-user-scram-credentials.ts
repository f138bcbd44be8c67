import { anyBroker, api, array, errorCode, int8, int32, string, throttleTimeMs } from '../schema.ts'

export const DescribeUserScramCredentials = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    users: array({
      name: string,
    }).nullable(),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable(),
    results: array({
      user: string,
      errorCode: errorCode,
      errorMessage: string.nullable(),
      credentialInfos: array({
        mechanism: int8,
        iterations: int32,
      }),
    }),
  },
})
