import { anyBroker, api, bool, bytes, errorCode, int8, int32, throttleTimeMs, uuid } from '../schema.ts'

/** Pushes client metrics (KIP-714). */
export const PushTelemetry = api({
  key: 72,
  name: 'PushTelemetry',
  versions: [0, 0],
  flexible: 0,
  route: anyBroker,
  request: {
    /** Id of the client instance that telemetry belongs to (KIP-714). */
    clientInstanceId: uuid,
    /** Identifies the set of metrics that the client has to push. */
    subscriptionId: int32,
    /** Whether this is the last push before the client closes. */
    terminating: bool,
    /** Codec of `metrics`: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
    compressionType: int8,
    /** OTLP MetricsData, possibly compressed. */
    metrics: bytes,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
  },
})
