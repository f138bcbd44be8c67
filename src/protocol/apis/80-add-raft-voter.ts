import { api, array, bool, controller, errorCode, int32, string, throttleTimeMs, timeoutMs, uint16, uuid } from '../schema.ts'

/** Adds a voter to the KRaft quorum (KIP-853). */
export const AddRaftVoter = api({
  key: 80,
  name: 'AddRaftVoter',
  versions: [0, 1],
  flexible: 0,
  route: controller,
  request: {
    /** Id of the cluster the sender believes it talks to; null for unknown. */
    clusterId: string.nullable(),
    /** How long to wait for the voter to catch up and be added, in milliseconds. */
    timeoutMs,
    /** Node id of the voter. */
    voterId: int32,
    /** Id of the voter's log directory. */
    voterDirectoryId: uuid,
    /** Where the new voter can be reached. */
    listeners: array({
      /** Name of the listener. */
      name: string.mapKey(),
      /** Host name or address to connect to. */
      host: string,
      /** TCP port to connect to. */
      port: uint16,
    }),
    /** Whether to answer once the change is committed rather than once it is written. */
    ackWhenCommitted: bool.since(1).default(true),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable().ignorable(),
  },
})
