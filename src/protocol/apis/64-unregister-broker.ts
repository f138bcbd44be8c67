import { api, brokerId, controller, errorCode, string, throttleTimeMs } from '../schema.ts'

export const UnregisterBroker = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexible: 0,
  route: controller,
  request: {
    brokerId: brokerId,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable(),
  },
})
