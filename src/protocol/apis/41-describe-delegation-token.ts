import { anyBroker, api, array, bytes, errorCode, int64, string, throttleTimeMs } from '../schema.ts'

/** Lists delegation tokens. */
export const DescribeDelegationToken = api({
  key: 41,
  name: 'DescribeDelegationToken',
  versions: [0, 3],
  flexible: 2,
  route: anyBroker,
  clientThrottlesSince: 1,
  request: {
    /** Whose tokens to describe; null for all. */
    owners: array({
      /** Type of the principal, normally "User". */
      principalType: string,
      /** Name of the principal. */
      principalName: string,
    }).nullable(),
  },
  response: {
    /** Error code; 0 is success. */
    errorCode,
    /** Tokens that the caller owns, may renew or may describe, among those asked for. */
    tokens: array({
      /** Type of the token's owner. */
      principalType: string,
      /** Name of the token's owner. */
      principalName: string,
      /** Type of the principal that asked for the token. */
      tokenRequesterPrincipalType: string.since(3),
      /** Name of the principal that asked for the token. */
      tokenRequesterPrincipalName: string.since(3),
      /** When the token was issued, in milliseconds since the epoch. */
      issueTimestamp: int64,
      /** When the token expires, in milliseconds since the epoch. */
      expiryTimestamp: int64,
      /** Until when the token can be renewed, in milliseconds since the epoch. */
      maxTimestamp: int64,
      /** Id of the token; it is also the SCRAM user name. */
      tokenId: string,
      /** The token's secret: an HMAC that also identifies it. */
      hmac: bytes,
      /** Principals, besides the owner, that may renew the token. */
      renewers: array({
        /** Type of the principal, normally "User". */
        principalType: string,
        /** Name of the principal. */
        principalName: string,
      }),
    }),
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
  },
})
