import { configRoute } from '../config-route.ts'
import { api, array, bool, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

/** Replaces the whole configuration of a resource: superseded by IncrementalAlterConfigs. */
export const AlterConfigs = api({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexible: 2,
  route: configRoute('responses'),
  clientThrottlesSince: 1,
  request: {
    /** What to change. */
    resources: array({
      /** Kind of the resource: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
      resourceType: int8.mapKey(),
      /** Name of the resource: a topic, a broker id, a group … */
      resourceName: string.mapKey(),
      /** The whole new configuration: what is left out returns to its default. */
      configs: array({
        /** Name of the entry. */
        name: string.mapKey(),
        /** Value of the entry; null for the default. */
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
