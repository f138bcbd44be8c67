import { api, array, eachBroker, errorCode, groupId, string, throttleTimeMs } from '../schema.ts'

export const ListGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexible: 3,
  route: eachBroker('groups'),
  clientThrottlesSince: 2,
  request: {
    statesFilter: array(string).since(4),
    typesFilter: array(string).since(5),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    errorCode: errorCode,
    groups: array({
      groupId: groupId,
      protocolType: string,
      groupState: string.since(4).ignorable(),
      groupType: string.since(5).ignorable(),
    }),
  },
})
