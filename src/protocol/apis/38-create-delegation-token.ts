import { anyBroker, api, array, bytes, errorCode, int64, string, throttleTimeMs } from '../schema.ts'

/** Issues a delegation token (KIP-48). */
export const CreateDelegationToken = api({
  key: 38,
  name: 'CreateDelegationToken',
  versions: [0, 3],
  flexible: 2,
  route: anyBroker,
  clientThrottlesSince: 1,
  request: {
    /** Type of the token's owner; null for the caller. */
    ownerPrincipalType: string.since(3).nullable(),
    /** Name of the token's owner; null for the caller. */
    ownerPrincipalName: string.since(3).nullable(),
    /** Principals, besides the owner, that may renew the token. */
    renewers: array({
      /** Type of the principal, normally "User". */
      principalType: string,
      /** Name of the principal. */
      principalName: string,
    }),
    /** How long the token may live in all, in milliseconds; -1 for the broker's limit. */
    maxLifetimeMs: int64,
  },
  response: {
    /** Error code; 0 is success. */
    errorCode,
    /** Type of the token's owner. */
    principalType: string,
    /** Name of the token's owner. */
    principalName: string,
    /** Type of the principal that asked for the token. */
    tokenRequesterPrincipalType: string.since(3),
    /** Name of the principal that asked for the token. */
    tokenRequesterPrincipalName: string.since(3),
    /** When the token was issued, in milliseconds since the epoch. */
    issueTimestampMs: int64,
    /** When the token expires, in milliseconds since the epoch. */
    expiryTimestampMs: int64,
    /** Until when the token can be renewed, in milliseconds since the epoch. */
    maxTimestampMs: int64,
    /** Id of the token; it is also the SCRAM user name. */
    tokenId: string,
    /** The token's secret: an HMAC that also identifies it. */
    hmac: bytes,
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
  },
})
