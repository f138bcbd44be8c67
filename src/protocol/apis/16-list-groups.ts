import { api, array, eachBroker, errorCode, groupId, string, throttleTimeMs } from '../schema.ts'

/** Lists the groups that one broker coordinates. */
export const ListGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexible: 3,
  route: eachBroker('groups'),
  clientThrottlesSince: 2,
  request: {
    /** Only groups in these states; empty for all. */
    statesFilter: array(string).since(4),
    /** Only groups of these types, such as classic or consumer; empty for all. */
    typesFilter: array(string).since(5),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    /** Error code; 0 is success. */
    errorCode,
    /** The groups that this broker coordinates. */
    groups: array({
      /** Id of the group. */
      groupId,
      /** What kind of group it is: "consumer" for consumers, "connect" for Connect workers. */
      protocolType: string,
      /** State of the group. */
      groupState: string.since(4).ignorable(),
      /** Type of the group: classic, consumer, share or streams. */
      groupType: string.since(5).ignorable(),
    }),
  },
})
