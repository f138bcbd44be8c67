import { anyBroker, api, array, bool, errorCode, float64, int8, string, throttleTimeMs } from '../schema.ts'

/** Describes client quotas (KIP-546). */
export const DescribeClientQuotas = api({
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [0, 1],
  flexible: 1,
  route: anyBroker,
  request: {
    /** What the entities have to be; all must fit. */
    components: array({
      /** Kind of the entity: "user", "client-id" or "ip". */
      entityType: string,
      /** 0 the name given, 1 the default entity, 2 any name. */
      matchType: int8,
      /** The name to match; null for the other kinds of match. */
      match: string.nullable(),
    }),
    /** Whether entities with further components are left out. */
    strict: bool,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable(),
    /** The entities found and their quotas; null on error. */
    entries: array({
      /** Who the quotas are for. */
      entity: array({
        /** Kind of the entity: "user", "client-id" or "ip". */
        entityType: string,
        /** Name of the entity; null for the default of its kind. */
        entityName: string.nullable(),
      }),
      /** Quotas set for exactly this combination of entities; inherited ones are not listed. */
      values: array({
        /** Name of the quota, such as producer_byte_rate. */
        key: string,
        /** Its value: bytes per second (producer_byte_rate, consumer_byte_rate), percent of a thread's time (request_percentage), partitions created or deleted per second (controller_mutation_rate), or connections per second (connection_creation_rate). */
        value: float64,
      }),
    }).nullable(),
  },
})
