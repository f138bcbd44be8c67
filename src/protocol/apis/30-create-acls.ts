import { api, array, controller, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

export const CreateAcls = api({
  key: 30,
  name: 'CreateAcls',
  versions: [0, 3],
  flexible: 2,
  route: controller,
  clientThrottlesSince: 1,
  request: {
    creations: array({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: int8.since(1).default(3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    results: array({
      errorCode: errorCode,
      errorMessage: string.nullable(),
    }),
  },
})
