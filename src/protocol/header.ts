/** Request and response headers, and which version of them a message carries. */
import { type Api, int16, int32, legacyString, message } from './schema.ts'

/** v0 carried no clientId and existed for ControlledShutdown v0 alone; every request a client sends has v1 or v2. */
export const RequestHeader = message({
  name: 'RequestHeader',
  versions: [1, 2],
  flexible: 2,
  shape: {
    /** Which API the body belongs to. */
    requestApiKey: int16,
    /** Version of that API. */
    requestApiVersion: int16,
    /** Returned by the broker with the answer. */
    correlationId: int32,
    /** Free text for logs, metrics and quotas; stays an int16 string so that every broker can read every header. */
    clientId: legacyString.nullable(),
  },
})

export const ResponseHeader = message({
  name: 'ResponseHeader',
  versions: [0, 1],
  flexible: 1,
  shape: {
    /** The correlationId of the request this answers. */
    correlationId: int32,
  },
})

export const requestHeaderVersion = (api: Api, version: number): 1 | 2 => (version >= api.request.flexible ? 2 : 1)

const API_VERSIONS = 18
/** ApiVersions answers with header v0 always: the client may not yet know how new the broker is (KIP-511). */
export const responseHeaderVersion = (api: Api, version: number): 0 | 1 =>
  api.key !== API_VERSIONS && version >= api.response.flexible ? 1 : 0
