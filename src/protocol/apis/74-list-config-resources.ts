import { anyBroker, api, array, errorCode, int8, string, throttleTimeMs } from '../schema.ts'

/** Lists resources that have a configuration; v0 lists client-metrics resources alone. */
export const ListConfigResources = api({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Kinds of resource to list; empty for all. */
    resourceTypes: array(int8).since(1),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** Resources of the asked types that have a configuration of their own. */
    configResources: array({
      /** Name of the resource: a topic, a broker id, a group … */
      resourceName: string,
      /** Kind of the resource: 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
      resourceType: int8.since(1).default(16).ignorable(),
    }),
  },
})
