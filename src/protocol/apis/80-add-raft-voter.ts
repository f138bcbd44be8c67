import { api, array, bool, controller, errorCode, int32, string, throttleTimeMs, timeoutMs, uint16, uuid } from '../schema.ts'

export const AddRaftVoter = api({
  key: 80,
  name: 'AddRaftVoter',
  versions: [0, 1],
  flexible: 0,
  route: controller,
  request: {
    clusterId: string.nullable(),
    timeoutMs: timeoutMs,
    voterId: int32,
    voterDirectoryId: uuid,
    listeners: array({
      name: string.mapKey(),
      host: string,
      port: uint16,
    }),
    ackWhenCommitted: bool.since(1).default(true),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    errorMessage: string.nullable().ignorable(),
  },
})
