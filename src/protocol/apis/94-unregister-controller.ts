import { api, controller, errorCode, int32, string, throttleTimeMs } from '../schema.ts'

/** Makes the cluster forget a controller that is down. */
export const UnregisterController = api({
  key: 94,
  name: 'UnregisterController',
  versions: [0, 0],
  flexible: 0,
  route: controller,
  request: {
    /** Broker that acts as controller; -1 for unknown. */
    controllerId: int32,
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
