import { anyBroker, api, array, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

/** Creates access rules. */
export const CreateAcls = api({
  key: 30,
  name: 'CreateAcls',
  versions: [0, 3],
  flexible: 2,
  route: anyBroker,
  clientThrottlesSince: 1,
  request: {
    /** Rules to add; one that exists already is created again without an error. */
    creations: array({
      /** Kind of the resource: 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user. */
      resourceType: int8,
      /** Name of the resource. */
      resourceName: string,
      /** How the resource name is meant: 3 literally, 4 as a prefix. */
      resourcePatternType: int8.since(1).default(3),
      /** Who the rule is about, such as User:alice. */
      principal: string,
      /** Host the rule is about; * for all. */
      host: string,
      /** Operation: 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9 cluster action, 10 describe configs, 11 alter configs, 12 idempotent write, 13 create tokens, 14 describe tokens, 15 two-phase commit. */
      operation: int8,
      /** 2 denies, 3 allows. */
      permissionType: int8,
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What became of each rule, in the order of the request. */
    results: array({
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable(),
    }),
  },
})
