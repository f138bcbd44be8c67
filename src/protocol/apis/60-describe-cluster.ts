import { anyBroker, api, array, bool, brokerId, errorCode, int8, int32, string, throttleTimeMs } from '../schema.ts'

/** Describes the cluster: its id, its brokers or controllers, and the controller (KIP-700). */
export const DescribeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Whether to say what the caller may do with the cluster. */
    includeClusterAuthorizedOperations: bool,
    /** Whose addresses are wanted: 1 brokers, 2 controllers (KIP-919). */
    endpointType: int8.since(1).default(1),
    /** Whether brokers that are registered but fenced are listed too. */
    includeFencedBrokers: bool.since(2),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable().default(null),
    /** Whose addresses these are: 1 brokers, 2 controllers. */
    endpointType: int8.since(1).default(1),
    /** Id of the cluster. */
    clusterId: string,
    /** Broker that acts as controller; -1 for unknown. */
    controllerId: brokerId.default(-1),
    /** The brokers or controllers. */
    brokers: array({
      /** Id of the node. */
      brokerId: brokerId.mapKey(),
      /** Host name or address to connect to. */
      host: string,
      /** TCP port to connect to. */
      port: int32,
      /** Rack or availability zone of the broker; null when it has none. */
      rack: string.nullable().default(null),
      /** Whether the broker is fenced: registered, but not serving. */
      isFenced: bool.since(2),
    }),
    /** Bit set of what the caller may do with the cluster; -2147483648 when not asked for. */
    clusterAuthorizedOperations: int32.default(-2147483648),
  },
})
