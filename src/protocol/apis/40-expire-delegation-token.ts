import { api, bytes, controller, errorCode, int64, throttleTimeMs } from '../schema.ts'

export const ExpireDelegationToken = api({
  key: 40,
  name: 'ExpireDelegationToken',
  versions: [0, 2],
  flexible: 2,
  route: controller,
  clientThrottlesSince: 1,
  request: {
    hmac: bytes,
    expiryTimePeriodMs: int64,
  },
  response: {
    errorCode: errorCode,
    expiryTimestampMs: int64,
    throttleTimeMs: throttleTimeMs,
  },
})
