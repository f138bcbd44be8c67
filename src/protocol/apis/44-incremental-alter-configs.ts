import { configRoute } from '../config-route.ts'
import { api, array, bool, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

/** Changes single entries of a configuration (KIP-339). */
export const IncrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexible: 1,
  route: configRoute('responses'),
  request: {
    /** What to change. */
    resources: array({
      /** Kind of the resource: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
      resourceType: int8.mapKey(),
      /** Name of the resource: a topic, a broker id, a group … */
      resourceName: string.mapKey(),
      /** The changes; other entries stay. */
      configs: array({
        /** Name of the entry. */
        name: string.mapKey(),
        /** 0 sets, 1 deletes, 2 appends to a list, 3 takes from a list. */
        configOperation: int8.mapKey(),
        /** Value for the operation; null for a deletion. */
        value: string.nullable(),
      }),
    }),
    /** True for a rehearsal: everything is checked and nothing is changed. */
    validateOnly: bool,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What became of each resource. */
    responses: array({
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable(),
      /** Kind of the resource: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
      resourceType: int8,
      /** Name of the resource: a topic, a broker id, a group … */
      resourceName: string,
    }),
  },
})
