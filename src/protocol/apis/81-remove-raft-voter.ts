import { api, controller, errorCode, int32, string, throttleTimeMs, uuid } from '../schema.ts'

/** Removes a voter from the KRaft quorum (KIP-853). */
export const RemoveRaftVoter = api({
  key: 81,
  name: 'RemoveRaftVoter',
  versions: [0, 0],
  flexible: 0,
  route: controller,
  request: {
    /** Id of the cluster the sender believes it talks to; null for unknown. */
    clusterId: string.nullable(),
    /** Node id of the voter. */
    voterId: int32,
    /** Id of the voter's log directory. */
    voterDirectoryId: uuid,
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
