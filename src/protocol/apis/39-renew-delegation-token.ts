import { anyBroker, api, bytes, errorCode, int64, throttleTimeMs } from '../schema.ts'

/** Extends the life of a delegation token. */
export const RenewDelegationToken = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: [0, 2],
  flexible: 2,
  route: anyBroker,
  clientThrottlesSince: 1,
  request: {
    /** The token's secret: an HMAC that also identifies it. */
    hmac: bytes,
    /** For how long to renew, in milliseconds; -1 for the broker's default. */
    renewPeriodMs: int64,
  },
  response: {
    /** Error code; 0 is success. */
    errorCode,
    /** When the token expires, in milliseconds since the epoch. */
    expiryTimestampMs: int64,
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
  },
})
