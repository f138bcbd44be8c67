import { anyBroker, api, brokerId, errorCode, string, throttleTimeMs } from '../schema.ts'

/** Makes the cluster forget a broker that is down. */
export const UnregisterBroker = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Broker to forget; it must be down. */
    brokerId,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable(),
  },
})
