import { anyBroker, api, bytes, errorCode, int64, string } from '../schema.ts'

/** Carries the messages of a SASL mechanism. v1 brings the session lifetime (KIP-368). */
export const SaslAuthenticate = api({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexible: 2,
  route: anyBroker,
  request: {
    /** Next message of the mechanism's exchange, to the broker. */
    authBytes: bytes,
  },
  response: {
    /** Error code; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable(),
    /** Next message of the mechanism's exchange, from the broker. */
    authBytes: bytes,
    /** After how long the client has to authenticate again, in milliseconds; 0 for never (KIP-368). */
    sessionLifetimeMs: int64.since(1).ignorable(),
  },
})
