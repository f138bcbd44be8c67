import { anyBroker, api, array, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

/** Deletes access rules. */
export const DeleteAcls = api({
  key: 31,
  name: 'DeleteAcls',
  versions: [0, 3],
  flexible: 2,
  route: anyBroker,
  clientThrottlesSince: 1,
  request: {
    /** Every rule that one of these matches is deleted. */
    filters: array({
      /** Kind of resource: 1 any, 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user. */
      resourceTypeFilter: int8,
      /** Name of the resource; null for any. */
      resourceNameFilter: string.nullable(),
      /** How resource names have to be meant: 1 any, 2 whatever matches the name, 3 literal, 4 prefixed. */
      patternTypeFilter: int8.since(1).default(3),
      /** Principal; null for any. */
      principalFilter: string.nullable(),
      /** Host; null for any. */
      hostFilter: string.nullable(),
      /** Operation: 1 any, else as in a rule. */
      operation: int8,
      /** 1 any, 2 rules that deny, 3 rules that allow. */
      permissionType: int8,
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What became of each filter, in the order of the request. */
    filterResults: array({
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable(),
      /** The rules that this filter matched, each with how its deletion went. */
      matchingAcls: array({
        /** Error code; 0 is success. */
        errorCode,
        /** The broker's own text about the error; null when there is none. */
        errorMessage: string.nullable(),
        /** Kind of the resource: 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user. */
        resourceType: int8,
        /** Name of the resource. */
        resourceName: string,
        /** How the resource name is meant: 3 literally, 4 as a prefix. */
        patternType: int8.since(1).default(3),
        /** Who the rule is about, such as User:alice. */
        principal: string,
        /** Host the rule is about; * for all. */
        host: string,
        /** Operation: 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9 cluster action, 10 describe configs, 11 alter configs, 12 idempotent write, 13 create tokens, 14 describe tokens, 15 two-phase commit. */
        operation: int8,
        /** 2 denies, 3 allows. */
        permissionType: int8,
      }),
    }),
  },
})
