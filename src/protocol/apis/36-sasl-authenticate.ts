import { anyBroker, api, bytes, errorCode, int64, string } from '../schema.ts'

export const SaslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexible: 2,
  route: anyBroker,
  request: {
    authBytes: bytes,
  },
  response: {
    errorCode: errorCode,
    errorMessage: string.nullable(),
    authBytes: bytes,
    sessionLifetimeMs: int64.since(1).ignorable(),
  },
})
