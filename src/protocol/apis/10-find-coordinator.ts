import { anyBroker, api, array, brokerId, errorCode, int8, int32, string, throttleTimeMs } from '../schema.ts'

/** Finds the broker that coordinates a group, a transaction or a share partition. v4 takes several keys at once. */
export const FindCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexible: 3,
  route: anyBroker,
  clientThrottlesSince: 2,
  request: {
    /** What the coordinator is wanted for: a group id, a transactional id … */
    key: string.until(3),
    /** Kind of key: 0 group, 1 transaction, 2 share partition ("group:topicId:partition"). */
    keyType: int8.since(1),
    /** Several keys of that kind at once (KIP-699). */
    coordinatorKeys: array(string).since(4),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    /** Error code; 0 is success. */
    errorCode: errorCode.until(3),
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.since(1).until(3).nullable().ignorable(),
    /** Broker that coordinates; -1 on error. */
    nodeId: brokerId.until(3),
    /** Host name or address to connect to. */
    host: string.until(3),
    /** TCP port to connect to. */
    port: int32.until(3),
    /** The coordinator of each key. */
    coordinators: array({
      /** The key that was asked for. */
      key: string,
      /** Broker that coordinates it; -1 on error. */
      nodeId: brokerId,
      /** Host name or address to connect to. */
      host: string,
      /** TCP port to connect to. */
      port: int32,
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable().ignorable(),
    }).since(4),
  },
})
