import { anyBroker, api, array, errorCode, string } from '../schema.ts'

/** Names the SASL mechanism. v1 is followed by SaslAuthenticate, v0 by bare tokens. */
export const SaslHandshake = api({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  route: anyBroker,
  request: {
    /** Name of the SASL mechanism, such as PLAIN. */
    mechanism: string,
  },
  response: {
    /** Error code; 0 is success. */
    errorCode,
    /** Mechanisms that the broker offers on this listener. */
    mechanisms: array(string),
  },
})
