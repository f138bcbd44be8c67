import { api, array, bool, controller, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

export const IncrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexible: 1,
  route: controller,
  request: {
    resources: array({
      resourceType: int8.mapKey(),
      resourceName: string.mapKey(),
      configs: array({
        name: string.mapKey(),
        configOperation: int8.mapKey(),
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
