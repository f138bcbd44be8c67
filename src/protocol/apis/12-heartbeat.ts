import { api, coordinator, errorCode, groupId, int32, string, throttleTimeMs } from '../schema.ts'

export const Heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexible: 4,
  route: coordinator('group', 'groupId'),
  clientThrottlesSince: 2,
  request: {
    groupId: groupId,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.since(3).nullable().default(null),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    errorCode: errorCode,
  },
})
