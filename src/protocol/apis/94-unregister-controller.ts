import { api, controller, errorCode, int32, string, throttleTimeMs } from '../schema.ts'

export const UnregisterController = api({
  key: 94,
  name: 'UnregisterController',
  versions: [0, 0],
  flexible: 0,
  route: controller,
  request: {
    controllerId: int32,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable(),
  },
})
