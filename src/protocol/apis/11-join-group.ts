import { api, array, bool, bytes, coordinator, errorCode, groupId, int32, string, throttleTimeMs } from '../schema.ts'

export const JoinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexible: 6,
  route: coordinator('group', 'groupId'),
  clientThrottlesSince: 3,
  request: {
    groupId: groupId,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: int32.since(1).default(-1).ignorable(),
    memberId: string,
    groupInstanceId: string.since(5).nullable().default(null),
    protocolType: string,
    protocols: array({
      name: string.mapKey(),
      metadata: bytes,
    }),
    reason: string.since(8).nullable().default(null).ignorable(),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(2).ignorable(),
    errorCode: errorCode,
    generationId: int32.default(-1),
    protocolType: string.since(7).nullable().default(null).ignorable(),
    protocolName: string.nullableSince(7),
    leader: string,
    skipAssignment: bool.since(9),
    memberId: string,
    members: array({
      memberId: string,
      groupInstanceId: string.since(5).nullable().default(null).ignorable(),
      metadata: bytes,
    }),
  },
})
