import { AwsMskIam, type AwsMskIamOptions } from './aws-msk-iam.ts'
import { OAuthBearer, type OAuthBearerOptions } from './oauthbearer.ts'
import { Plain, type PlainOptions } from './plain.ts'
import type { SaslAuthenticator } from './sasl.ts'
import { Scram, type ScramOptions } from './scram.ts'

export type { AwsCredentials, AwsMskIamOptions } from './aws-msk-iam.ts'
export type { OAuthBearerOptions, OAuthToken } from './oauthbearer.ts'
export type { OidcOptions } from './oidc.ts'
export type { PlainOptions } from './plain.ts'
export type { SaslAuthenticator, SaslContext, SaslSession } from './sasl.ts'
export type { ScramOptions } from './scram.ts'
export type { Secret } from './secret.ts'

/** How to authenticate; the mechanism's name may be written in either case. */
export type SaslOptions =
  | ({ readonly mechanism: 'PLAIN' | 'plain' } & PlainOptions)
  | ({ readonly mechanism: 'SCRAM-SHA-256' | 'scram-sha-256' | 'SCRAM-SHA-512' | 'scram-sha-512' } & ScramOptions)
  | ({ readonly mechanism: 'OAUTHBEARER' | 'oauthbearer' } & OAuthBearerOptions)
  | ({ readonly mechanism: 'AWS_MSK_IAM' | 'aws_msk_iam' } & AwsMskIamOptions)

export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER', 'AWS_MSK_IAM'] as const

/** The authenticator for options that are known to be right; one that brings its own `start()` is given back as it is. */
export function saslAuthenticator(options: SaslOptions | SaslAuthenticator): SaslAuthenticator {
  if ('start' in options && typeof options.start === 'function') return options
  const given = options as SaslOptions
  switch (given.mechanism) {
    case 'PLAIN':
    case 'plain':
      return new Plain(given)
    case 'SCRAM-SHA-256':
    case 'scram-sha-256':
      return new Scram('sha256', given)
    case 'SCRAM-SHA-512':
    case 'scram-sha-512':
      return new Scram('sha512', given)
    case 'OAUTHBEARER':
    case 'oauthbearer':
      return new OAuthBearer(given)
    case 'AWS_MSK_IAM':
    case 'aws_msk_iam':
      return new AwsMskIam(given)
    default:
      return given satisfies never
  }
}
