import { anyBroker, api, array, brokerId, errorCode, int8, int32, string, throttleTimeMs } from '../schema.ts'

export const FindCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexible: 3,
  route: anyBroker,
  clientThrottlesSince: 2,
  request: {
    key: string.until(3),
    keyType: int8.since(1),
    coordinatorKeys: array(string).since(4),
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    errorCode: errorCode.until(3),
    errorMessage: string.since(1).until(3).nullable().ignorable(),
    nodeId: brokerId.until(3),
    host: string.until(3),
    port: int32.until(3),
    coordinators: array({
      key: string,
      nodeId: brokerId,
      host: string,
      port: int32,
      errorCode: errorCode,
      errorMessage: string.nullable().ignorable(),
    }).since(4),
  },
})
