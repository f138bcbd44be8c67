import { api, array, bool, controller, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

export const AlterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexible: 2,
  route: controller,
  clientThrottlesSince: 1,
  request: {
    resources: array({
      resourceType: int8.mapKey(),
      resourceName: string.mapKey(),
      configs: array({
        name: string.mapKey(),
        value: string.nullable(),
      }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    responses: array({
      errorCode: errorCode,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
    }),
  },
})
