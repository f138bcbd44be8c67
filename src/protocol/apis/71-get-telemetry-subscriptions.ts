import { anyBroker, api, array, bool, errorCode, int8, int32, string, throttleTimeMs, uuid } from '../schema.ts'

/** Asks which metrics the broker wants pushed (KIP-714). */
export const GetTelemetrySubscriptions = api({
  key: 71,
  name: 'GetTelemetrySubscriptions',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Id of the client instance; the zero id asks the broker for one. */
    clientInstanceId: uuid,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** Id that the client is to use from now on. */
    clientInstanceId: uuid,
    /** Identifies the set of metrics that the client has to push. */
    subscriptionId: int32,
    /** Codecs the broker takes, best first: 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
    acceptedCompressionTypes: array(int8),
    /** How often to push, in milliseconds. */
    pushIntervalMs: int32,
    /** How many bytes one push may have. */
    telemetryMaxBytes: int32,
    /** Whether counters are sent as differences rather than totals. */
    deltaTemporality: bool,
    /** Prefixes of the metrics wanted; an empty string stands for all, an empty list for none. */
    requestedMetrics: array(string),
  },
})
