import { api, array, controller, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

export const DeleteAcls = api({
  key: 31,
  name: 'DeleteAcls',
  versions: [0, 3],
  flexible: 2,
  route: controller,
  clientThrottlesSince: 1,
  request: {
    filters: array({
      resourceTypeFilter: int8,
      resourceNameFilter: string.nullable(),
      patternTypeFilter: int8.since(1).default(3),
      principalFilter: string.nullable(),
      hostFilter: string.nullable(),
      operation: int8,
      permissionType: int8,
    }),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    filterResults: array({
      errorCode: errorCode,
      errorMessage: string.nullable(),
      matchingAcls: array({
        errorCode: errorCode,
        errorMessage: string.nullable(),
        resourceType: int8,
        resourceName: string,
        patternType: int8.since(1).default(3),
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    }),
  },
})
