import { anyBroker, api, array, bool, errorCode, float64, string, throttleTimeMs } from '../schema.ts'

/** Changes client quotas (KIP-546). */
export const AlterClientQuotas = api({
  key: 49,
  name: 'AlterClientQuotas',
  versions: [0, 1],
  flexible: 1,
  route: anyBroker,
  request: {
    /** Whose quotas to change, and how. */
    entries: array({
      /** Who the quotas are for. */
      entity: array({
        /** Kind of the entity: "user", "client-id" or "ip". */
        entityType: string,
        /** Name of the entity; null for the default of its kind. */
        entityName: string.nullable(),
      }),
      /** Quotas of this combination of entities to set or remove; the others stay. */
      ops: array({
        /** Name of the quota, such as producer_byte_rate. */
        key: string,
        /** Its new value: bytes per second (producer_byte_rate, consumer_byte_rate), percent of a thread's time (request_percentage), partitions created or deleted per second (controller_mutation_rate), or connections per second (connection_creation_rate). */
        value: float64,
        /** Whether to remove the quota instead. */
        remove: bool,
      }),
    }),
    /** True for a rehearsal: everything is checked and nothing is changed. */
    validateOnly: bool,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What became of each entity. */
    entries: array({
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable(),
      /** Who the quotas are for. */
      entity: array({
        /** Kind of the entity: "user", "client-id" or "ip". */
        entityType: string,
        /** Name of the entity; null for the default of its kind. */
        entityName: string.nullable(),
      }),
    }),
  },
})
