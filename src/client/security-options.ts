import { z } from 'zod'
import { type SaslAuthenticator, type SaslOptions, type Secret, saslAuthenticator, saslMechanisms } from '../net/sasl/index.ts'
import type { TlsOptions } from '../runtime/runtime.ts'
import { conforms, isObject, ms, parseOptions } from '../util/options.ts'

/** `true` for TLS with node's trusted roots; options of node:tls `connect`; or a function asked for each new connection. */
export type TlsOption = boolean | TlsOptions | (() => TlsOptions | Promise<TlsOptions>)

/** How to authenticate: a built-in mechanism, or an authenticator of one's own. */
export type SaslOption = SaslOptions | SaslAuthenticator

/** Gives the TLS options of each new connection; undefined for plain text. */
export type TlsSource = (() => TlsOptions | Promise<TlsOptions>) | undefined

const aFunction = z.custom<(...args: never[]) => unknown>(value => typeof value === 'function', 'expected a function')

// ---- TLS

const given = z.unknown().optional()
const tlsVersion = z.enum(['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']).optional()

/** What node:tls takes for a connection, but for where it goes. Certificates and keys are node's to judge. */
const tlsOptions = z.strictObject({
  ca: given,
  cert: given,
  key: given,
  pfx: given,
  passphrase: z.string().optional(),
  servername: z.string().optional(),
  rejectUnauthorized: z.boolean().optional(),
  checkServerIdentity: aFunction.optional(),
  minVersion: tlsVersion,
  maxVersion: tlsVersion,
  ciphers: z.string().optional(),
  ALPNProtocols: given,
  allowPartialTrustChain: given,
  clientCertEngine: given,
  crl: given,
  dhparam: given,
  ecdhCurve: given,
  enableTrace: given,
  highWaterMark: given,
  honorCipherOrder: given,
  minDHSize: given,
  privateKeyEngine: given,
  privateKeyIdentifier: given,
  pskCallback: given,
  requestOCSP: given,
  secureContext: given,
  secureOptions: given,
  secureProtocol: given,
  session: given,
  sessionIdContext: given,
  sessionTimeout: given,
  sigalgs: given,
  ticketKeys: given,
})
const checkTls = conforms(tlsOptions)

function tlsSource(option: TlsOption): TlsSource {
  if (option === false) return undefined
  if (typeof option === 'function') {
    return async () => {
      const options = await option()
      if (isObject(options)) parseOptions(tlsOptions, options)
      return options
    }
  }
  const options = option === true ? {} : option
  return () => options
}

// A function in the end: keys and passphrases do not show when options are logged.
export const tls = z
  .custom<TlsOption>(value => typeof value === 'boolean' || typeof value === 'function' || isObject(value), {
    error: 'expected true, the options of node:tls (ca, cert, key, servername …), or a function that returns them',
  })
  .superRefine((option, context) => {
    if (typeof option === 'object') checkTls(option, context)
  })
  .transform(tlsSource)

// ---- SASL

const isMissing = (value: unknown) => value === undefined || value === null || value === ''
const needed = (expected: string) => ({
  error: ({ input }: { input?: unknown }) => (isMissing(input) ? 'is required by this mechanism' : `expected ${expected}`),
})
const secret = z.custom<Secret>(
  value => typeof value === 'function' || (typeof value === 'string' && value !== ''),
  needed('a text, or a function that gives it'),
)
const texts = z.record(z.string(), z.string()).optional()
const text = z.string().optional()

function holdsNoCredentials(text: string): boolean {
  if (!URL.canParse(text)) return true
  const { username, password } = new URL(text)
  return username === '' && password === ''
}

const oidc = z.strictObject({
  tokenEndpoint: z
    .url({ protocol: /^https?$/, error: 'expected the http or https URL of the token endpoint' })
    .refine(holdsNoCredentials, 'must hold neither user nor password: clientId and clientSecret are for them'),
  clientId: z.string(needed('a text')).min(1),
  clientSecret: secret,
  scope: text,
  parameters: texts,
  urlEncode: z.boolean().optional(),
  timeoutMs: ms.min(1).optional(),
})

const mechanisms = z.discriminatedUnion(
  'mechanism',
  [
    z.strictObject({
      mechanism: z.enum(['PLAIN', 'plain']),
      username: secret,
      password: secret,
      authorizationId: text,
    }),
    z.strictObject({
      mechanism: z.enum(['SCRAM-SHA-256', 'scram-sha-256', 'SCRAM-SHA-512', 'scram-sha-512']),
      username: secret,
      password: secret,
      authorizationId: text,
      tokenAuth: z.boolean().optional(),
    }),
    z
      .strictObject({
        mechanism: z.enum(['OAUTHBEARER', 'oauthbearer']),
        token: aFunction.optional(),
        oidc: oidc.optional(),
        extensions: texts,
        authorizationId: text,
      })
      .refine(options => (options.token === undefined) !== (options.oidc === undefined), {
        error: 'OAUTHBEARER takes either token, a function, or oidc',
      }),
    z.strictObject({
      mechanism: z.enum(['AWS_MSK_IAM', 'aws_msk_iam']),
      region: text,
      credentials: z.union(
        [
          aFunction,
          // What AWS's packages give says when it expires, and more.
          z.looseObject({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1), sessionToken: text }),
        ],
        needed('{ accessKeyId, secretAccessKey, sessionToken? }, or a function that gives it'),
      ),
      userAgent: text,
      validSeconds: z.int().min(1).max(900).optional(),
    }),
  ],
  { error: `expected one of ${saslMechanisms.join(', ')}, or an authenticator with a start() method` },
)
const ownAuthenticator = z.looseObject({
  start: aFunction,
  mechanism: z.string("expected its name, as the broker calls it, such as 'GSSAPI'").min(1),
})
const checkMechanism = conforms(mechanisms)
const checkOwn = conforms(ownAuthenticator)

// One authenticator for all connections: it may hold a token. It keeps what it was given to itself.
export const sasl = z
  .custom<SaslOption>(isObject, {
    error: `expected { mechanism, … } with one of ${saslMechanisms.join(', ')}, or an authenticator with a start() method`,
  })
  .superRefine((option, context) => ('start' in option ? checkOwn : checkMechanism)(option, context))
  .transform(saslAuthenticator)
