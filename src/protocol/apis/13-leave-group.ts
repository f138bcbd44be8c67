import { api, array, coordinator, errorCode, groupId, string, throttleTimeMs } from '../schema.ts'

export const LeaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexible: 4,
  route: coordinator('group', 'groupId'),
  clientThrottlesSince: 2,
  request: {
    groupId: groupId,
    memberId: string.until(2),
    members: array({
      memberId: string,
      groupInstanceId: string.nullable().default(null),
      reason: string.since(5).nullable().default(null).ignorable(),
    }).since(3),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    errorCode: errorCode,
    members: array({
      memberId: string,
      groupInstanceId: string.nullable(),
      errorCode: errorCode,
    }).since(3),
  },
})
