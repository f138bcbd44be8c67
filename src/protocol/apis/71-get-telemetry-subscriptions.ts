import { anyBroker, api, array, bool, errorCode, int8, int32, string, throttleTimeMs, uuid } from '../schema.ts'

export const GetTelemetrySubscriptions = api({
  key: 71,
  name: 'GetTelemetrySubscriptions',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    clientInstanceId: uuid,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    clientInstanceId: uuid,
    subscriptionId: int32,
    acceptedCompressionTypes: array(int8),
    pushIntervalMs: int32,
    telemetryMaxBytes: int32,
    deltaTemporality: bool,
    requestedMetrics: array(string),
  },
})
