import { api, array, bytes, coordinator, errorCode, groupId, int32, string, throttleTimeMs } from '../schema.ts'

/** Hands in (as leader) and picks up (as any member) the assignment of a classic group's generation. */
export const SyncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
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
    /** Kind of the group; null for unknown. */
    protocolType: string.since(5).nullable().default(null).ignorable(),
    /** The strategy chosen; null for unknown. */
    protocolName: string.since(5).nullable().default(null).ignorable(),
    /** The assignment of each member; empty from all but the leader. */
    assignments: array({
      /** Id of the member within its group. */
      memberId: string,
      /** For consumers, encoded partitions. */
      assignment: bytes,
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    /** Error code; 0 is success. */
    errorCode,
    /** Kind of the group; null on error. */
    protocolType: string.since(5).nullable().default(null).ignorable(),
    /** The strategy chosen; null on error. */
    protocolName: string.since(5).nullable().default(null).ignorable(),
    /** This member's share: for consumers, encoded partitions. */
    assignment: bytes,
  },
})
