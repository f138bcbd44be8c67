import { api, coordinator, errorCode, groupId, int32, string, throttleTimeMs } from '../schema.ts'

/** Tells the coordinator of a classic group that a member is alive, and the member that the group rebalances. */
export const Heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexible: 4,
  route: coordinator('group', 'groupId'),
  clientThrottlesSince: 2,
  request: {
    /** Id of the group. */
    groupId,
    /** Generation of the group that the caller belongs to; -1 outside any. */
    generationId: int32,
    /** Id of the member within its group. */
    memberId: string,
    /** Stable name of a static member (KIP-345); null for a dynamic one. */
    groupInstanceId: string.since(3).nullable().default(null),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    /** Error code; 0 is success. */
    errorCode,
  },
})
