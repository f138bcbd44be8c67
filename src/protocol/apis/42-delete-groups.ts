import { api, array, coordinator, errorCode, groupId, string, throttleTimeMs } from '../schema.ts'

export const DeleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 3],
  flexible: 2,
  route: coordinator('group', 'groupsNames[]', 'results'),
  clientThrottlesSince: 1,
  request: {
    groupsNames: array(groupId),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    results: array({
      groupId: groupId.mapKey(),
      errorCode: errorCode,
      errorMessage: string.since(3).nullable().default(null).ignorable(),
    }),
  },
})
