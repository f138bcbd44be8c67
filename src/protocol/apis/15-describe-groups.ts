import { api, array, bool, bytes, coordinator, errorCode, groupId, int32, string, throttleTimeMs } from '../schema.ts'

export const DescribeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexible: 5,
  route: coordinator('group', 'groups[]', 'groups'),
  clientThrottlesSince: 2,
  request: {
    groups: array(groupId),
    includeAuthorizedOperations: bool.since(3),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    groups: array({
      errorCode: errorCode,
      errorMessage: string.since(6).nullable().default(null),
      groupId: groupId,
      groupState: string,
      protocolType: string,
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: string.since(4).nullable().default(null).ignorable(),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: int32.since(3).default(-2147483648),
    }),
  },
})
