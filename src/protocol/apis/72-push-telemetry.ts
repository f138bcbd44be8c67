import { anyBroker, api, bool, bytes, errorCode, int8, int32, throttleTimeMs, uuid } from '../schema.ts'

export const PushTelemetry = api({
  key: 72,
  name: 'PushTelemetry',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    clientInstanceId: uuid,
    subscriptionId: int32,
    terminating: bool,
    compressionType: int8,
    metrics: bytes,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
  },
})
