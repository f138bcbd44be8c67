import { api, array, coordinator, errorCode, groupId, string, throttleTimeMs } from '../schema.ts'

/** Leaves a classic group. v3 takes several members at once, so that an admin can remove static members. */
export const LeaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexible: 4,
  route: coordinator('group', 'groupId'),
  clientThrottlesSince: 2,
  request: {
    /** Id of the group. */
    groupId,
    /** Member that leaves. */
    memberId: string.until(2),
    /** Members that leave. */
    members: array({
      /** Id of the member within its group. */
      memberId: string,
      /** Stable name of a static member (KIP-345); null for a dynamic one. */
      groupInstanceId: string.nullable().default(null),
      /** Why the member does so, for the broker's log; null for no reason given (KIP-800). */
      reason: string.since(5).nullable().default(null).ignorable(),
    }).since(3),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    /** Error code; 0 is success. */
    errorCode,
    /** What became of each. */
    members: array({
      /** Id of the member within its group. */
      memberId: string,
      /** Stable name of a static member (KIP-345); null for a dynamic one. */
      groupInstanceId: string.nullable(),
      /** Error code; 0 is success. */
      errorCode,
    }).since(3),
  },
})
