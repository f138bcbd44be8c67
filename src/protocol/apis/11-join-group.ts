import { api, array, bool, bytes, coordinator, errorCode, groupId, int32, string, throttleTimeMs } from '../schema.ts'

/** Joins a classic group, or joins it again when it rebalances. The answer comes when all members have joined. */
export const JoinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexible: 6,
  route: coordinator('group', 'groupId'),
  clientThrottlesSince: 3,
  request: {
    /** Group to join. */
    groupId,
    /** After how long without a heartbeat the member is thrown out, in milliseconds. */
    sessionTimeoutMs: int32,
    /** How long members may take to come back when the group rebalances, in milliseconds. */
    rebalanceTimeoutMs: int32.since(1).default(-1).ignorable(),
    /** Id the member got before; empty for a newcomer. */
    memberId: string,
    /** Stable name of a static member (KIP-345); null for a dynamic one. */
    groupInstanceId: string.since(5).nullable().default(null),
    /** What kind of group it is: "consumer" for consumers, "connect" for Connect workers. */
    protocolType: string,
    /** Assignment strategies the member supports, best first. */
    protocols: array({
      /** Name of the strategy, such as "range". */
      name: string.mapKey(),
      /** What the strategy has to know: for consumers, an encoded subscription. */
      metadata: bytes,
    }),
    /** Why the member does so, for the broker's log; null for no reason given (KIP-800). */
    reason: string.since(8).nullable().default(null).ignorable(),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(2).ignorable(),
    /** Error code; 0 is success. */
    errorCode,
    /** The new generation; -1 on error. */
    generationId: int32.default(-1),
    /** Kind of the group; null on error. */
    protocolType: string.since(7).nullable().default(null).ignorable(),
    /** The strategy chosen; null or empty on error. */
    protocolName: string.nullableSince(7),
    /** Member that has to compute the assignment. */
    leader: string,
    /** Whether the leader must leave the assignment as it is (KIP-814). */
    skipAssignment: bool.since(9),
    /** Id of this member, to be used from now on. */
    memberId: string,
    /** All members, for the leader only. */
    members: array({
      /** Id of the member within its group. */
      memberId: string,
      /** Stable name of a static member (KIP-345); null for a dynamic one. */
      groupInstanceId: string.since(5).nullable().default(null).ignorable(),
      /** What that member sent for the chosen strategy. */
      metadata: bytes,
    }),
  },
})
