import { api, array, bool, bytes, coordinator, errorCode, groupId, int32, string, throttleTimeMs } from '../schema.ts'

/** Describes classic groups. From v6 on an unknown group is an error instead of a dead group. */
export const DescribeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexible: 5,
  route: coordinator('group', 'groups[]', 'groups'),
  clientThrottlesSince: 2,
  request: {
    /** Ids of the groups to describe. */
    groups: array(groupId),
    /** Whether the answer is to say what the caller may do with the resource. */
    includeAuthorizedOperations: bool.since(3),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    /** What is known of each group. */
    groups: array({
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.since(6).nullable().default(null),
      /** Id of the group. */
      groupId,
      /** State of the group: Dead, Stable, PreparingRebalance, CompletingRebalance, Empty. */
      groupState: string,
      /** What kind of group it is: "consumer" for consumers, "connect" for Connect workers. */
      protocolType: string,
      /** The strategy in use; empty when there is none. */
      protocolData: string,
      /** Who is in the group; empty while it is dead or the caller may not see it. */
      members: array({
        /** Id of the member within its group. */
        memberId: string,
        /** Stable name of a static member (KIP-345); null for a dynamic one. */
        groupInstanceId: string.since(4).nullable().default(null).ignorable(),
        /** The client id that the member sends. */
        clientId: string,
        /** Address from which the member connects. */
        clientHost: string,
        /** What the member sent for the strategy in use. */
        memberMetadata: bytes,
        /** What the member was assigned. */
        memberAssignment: bytes,
      }),
      /** Bit set of the operations that the caller may perform; -2147483648 when not asked for. */
      authorizedOperations: int32.since(3).default(-2147483648),
    }),
  },
})
