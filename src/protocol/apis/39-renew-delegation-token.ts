import { api, bytes, controller, errorCode, int64, throttleTimeMs } from '../schema.ts'

export const RenewDelegationToken = api({
  key: 39,
  name: 'RenewDelegationToken',
  versions: [0, 2],
  flexible: 2,
  route: controller,
  clientThrottlesSince: 1,
  request: {
    hmac: bytes,
    renewPeriodMs: int64,
  },
  response: {
    errorCode: errorCode,
    expiryTimestampMs: int64,
    throttleTimeMs: throttleTimeMs,
  },
})
