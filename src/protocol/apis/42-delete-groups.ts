import { api, array, coordinator, errorCode, groupId, string, throttleTimeMs } from '../schema.ts'

/** Deletes groups that have no members. */
export const DeleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 3],
  flexible: 2,
  route: coordinator('group', 'groupsNames[]', 'results'),
  clientThrottlesSince: 1,
  request: {
    /** Ids of the groups to delete. */
    groupsNames: array(groupId),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What became of each group. */
    results: array({
      /** Id of the group. */
      groupId: groupId.mapKey(),
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.since(3).nullable().default(null).ignorable(),
    }),
  },
})
