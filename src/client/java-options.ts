import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../errors.ts'
import { suggestion } from '../util/options.ts'
import type { SaslOption, TlsOption } from './security-options.ts'

/** A Java properties file as an object: what `Kafka.fromProperties` takes. */
export type JavaProperties = Readonly<Record<string, string | number | boolean | null | undefined>>

/**
 * Keys of the Java clients that say how Java does its work, not what should be done: a file that has them is still usable.
 * (Keys whose loss would change what happens are refused instead.)
 */
const WITHOUT_EFFECT = new Set([
  'auto.include.jmx.reporter',
  'bootstrap.resolve.timeout.ms',
  'buffer.memory.allocation.strategy',
  'client.dns.lookup',
  'config.providers',
  'internal.throw.on.fetch.stable.offset.unsupported',
  'key.deserializer',
  'key.serializer',
  'metric.reporters',
  'metrics.recording.level',
  'receive.buffer.bytes',
  'security.providers',
  'send.buffer.bytes',
  'sasl.kerberos.kinit.cmd',
  'sasl.kerberos.min.time.before.relogin',
  'sasl.kerberos.service.name',
  'sasl.kerberos.ticket.renew.jitter',
  'sasl.kerberos.ticket.renew.window.factor',
  'sasl.login.connect.timeout.ms',
  'sasl.login.read.timeout.ms',
  'sasl.login.refresh.buffer.seconds',
  'sasl.login.refresh.min.period.seconds',
  'sasl.login.refresh.window.factor',
  'sasl.login.refresh.window.jitter',
  'sasl.login.retry.backoff.max.ms',
  'sasl.login.retry.backoff.ms',
  // A client in Java checks its own token; here the broker is the one to judge it.
  'sasl.oauthbearer.allow.unverified.audience',
  'sasl.oauthbearer.allow.unverified.issuer',
  'sasl.oauthbearer.clock.skew.seconds',
  'sasl.oauthbearer.expected.audience',
  'sasl.oauthbearer.expected.issuer',
  'sasl.oauthbearer.jwks.endpoint.refresh.ms',
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms',
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms',
  'sasl.oauthbearer.jwks.endpoint.url',
  'sasl.oauthbearer.jwt.validator.class',
  'sasl.oauthbearer.scope.claim.name',
  'sasl.oauthbearer.sub.claim.name',
  'ssl.keymanager.algorithm',
  'ssl.protocol',
  'ssl.provider',
  'ssl.secure.random.implementation',
  'ssl.trustmanager.algorithm',
  'value.deserializer',
  'value.serializer',
])

/** Keys about security of which something follows here. */
const SECURITY = new Set([
  'security.protocol',
  'sasl.jaas.config',
  'sasl.mechanism',
  'sasl.oauthbearer.client.credentials.client.id',
  'sasl.oauthbearer.client.credentials.client.secret',
  'sasl.oauthbearer.header.urlencode',
  'sasl.oauthbearer.scope',
  'sasl.oauthbearer.token.endpoint.url',
  'ssl.cipher.suites',
  'ssl.enabled.protocols',
  'ssl.endpoint.identification.algorithm',
  'ssl.key.password',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.keystore.location',
  'ssl.keystore.password',
  'ssl.keystore.type',
  'ssl.truststore.certificates',
  'ssl.truststore.location',
  'ssl.truststore.password',
  'ssl.truststore.type',
])

/** Keys that only Java can follow, and what does the same here. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^ssl\.engine\.factory\.class$/, 'names a class of Java: give the tls option instead, options of node:tls or a function'],
  [
    /^sasl\.(client\.callback\.handler|login\.callback\.handler|login)\.class$/,
    'names a class of Java: give the sasl option instead, with functions for the secrets or an authenticator of your own',
  ],
  [
    /^sasl\.oauthbearer\.(assertion\..*|jwt\.retriever\.class)$/,
    'has no counterpart: give the sasl option instead, OAUTHBEARER with a token function',
  ],
]
/** Classes that do what is done here: an OpenID Connect login of a Java client has to name them. */
const LIKEWISE =
  /^org\.apache\.kafka\.common\.security\.oauthbearer\.((secured\.)?OAuthBearerLoginCallbackHandler|DefaultJwtRetriever|ClientCredentialsJwtRetriever)$/

interface Converted {
  /** Under our names. */
  readonly options: Record<string, unknown>
  /** Keys of which nothing follows here. */
  readonly unused: readonly string[]
}

/**
 * Options from Java's names and Java's texts: `'5'` becomes 5 where the option is a number. `shape` and `names` are those of
 * whatever the properties are for. Unknown names are kept, so that validation can refuse them by name. What `ours` gives takes
 * the place of all properties about it, those that only Java can follow included. Throws ConfigError.
 */
export function optionsFromProperties(
  properties: JavaProperties,
  shape: z.ZodRawShape,
  names: Readonly<Record<string, string>>,
  ours: { readonly tls?: unknown; readonly sasl?: unknown } = {},
): Converted {
  const given = Object.entries(properties).filter(([, value]) => value !== undefined && value !== null)
  const text = new Map(given.map(([key, value]) => [key, String(value).trim()]))
  const options: Record<string, unknown> = {}
  const unused: string[] = []
  const protocol = protocolOf(text)
  const needs = { tls: protocol.ssl && ours.tls === undefined, sasl: protocol.sasl && ours.sasl === undefined }
  for (const [key, value] of given) {
    const isIdle = (key.startsWith('ssl.') && !needs.tls) || (key.startsWith('sasl.') && !needs.sasl)
    const isKnown = SECURITY.has(key) || ELSEWHERE.some(([keys]) => keys.test(key))
    if (WITHOUT_EFFECT.has(key) || (isKnown && isIdle)) {
      unused.push(key)
      continue
    }
    if (SECURITY.has(key)) continue
    if (/^(ssl|sasl|security)\./.test(key)) {
      const reason = reasonAgainst(key, text.get(key) ?? '')
      if (reason !== undefined) refuse(key, reason)
      continue
    }
    const name = names[key] ?? key
    const schema = shape[name] as z.ZodType | undefined
    options[name] = typeof value === 'string' && schema ? fromText(value.trim(), schema) : value
  }
  if (needs.tls) options.tls = tlsFrom(text)
  if (needs.sasl) options.sasl = saslFrom(text)
  return { options, unused }
}

/** A text as the kind of value that an option takes. */
function fromText(text: string, schema: z.ZodType): unknown {
  const kinds = kindsOf(schema)
  if (kinds.has('boolean') && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  if (kinds.has('number') && /^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  if (kinds.has('array') && !kinds.has('string')) return text.split(',').map(each => each.trim())
  if (kinds.has('enum') && text === text.toUpperCase()) return text.toLowerCase()
  return text
}

function kindsOf(schema: z.ZodType): Set<string> {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return kindsOf(schema.unwrap() as z.ZodType)
  }
  if (schema instanceof z.ZodPipe) return kindsOf(schema.in as z.ZodType)
  if (schema instanceof z.ZodUnion) return new Set(schema.options.flatMap(option => [...kindsOf(option as z.ZodType)]))
  return new Set([schema.type])
}

// ---- security. No message repeats a value: a secret may have been put under the wrong key.

const refuse = (path: string, message: string, cause?: unknown): never => {
  throw new ConfigError([{ path, message }], { cause })
}

function reasonAgainst(key: string, value: string): string | undefined {
  const known = ELSEWHERE.find(([keys]) => keys.test(key))
  if (!known) return `unknown property${suggestion(key, [...SECURITY, ...WITHOUT_EFFECT])}`
  return LIKEWISE.test(value) ? undefined : known[1]
}

function protocolOf(text: ReadonlyMap<string, string>): { ssl: boolean; sasl: boolean } {
  const protocol = (text.get('security.protocol') ?? 'PLAINTEXT').toUpperCase()
  if (!['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'].includes(protocol)) {
    refuse('security.protocol', 'expected PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL')
  }
  return { ssl: protocol.endsWith('SSL'), sasl: protocol.startsWith('SASL') }
}

function tlsFrom(text: ReadonlyMap<string, string>): TlsOption {
  const options: Record<string, unknown> = {}
  const trusted = text.get('ssl.truststore.certificates') ?? pemFile(text, 'truststore')
  if (trusted !== undefined) options.ca = trusted
  const chain = text.get('ssl.keystore.certificate.chain')
  const key = text.get('ssl.keystore.key')
  if (chain !== undefined) options.cert = chain
  if (key !== undefined) options.key = key
  const location = text.get('ssl.keystore.location')
  if (location !== undefined) {
    if (storeType(text, 'keystore') === 'PKCS12') options.pfx = contentOf('ssl.keystore.location', location)
    else options.cert = options.key = pemFile(text, 'keystore')
  }
  const passphrase = text.get('ssl.key.password') ?? text.get('ssl.keystore.password')
  if (passphrase !== undefined) options.passphrase = passphrase
  const versions = (text.get('ssl.enabled.protocols') ?? '')
    .split(',')
    .map(each => each.trim())
    .filter(Boolean)
    .sort()
  if (versions.length > 0) {
    options.minVersion = versions[0]
    options.maxVersion = versions[versions.length - 1]
  }
  const ciphers = text.get('ssl.cipher.suites')
  if (ciphers)
    options.ciphers = ciphers
      .split(',')
      .map(each => each.trim())
      .join(':')
  const identification = text.get('ssl.endpoint.identification.algorithm') ?? 'https'
  if (identification === '') options.checkServerIdentity = () => undefined
  else if (identification.toLowerCase() !== 'https')
    refuse('ssl.endpoint.identification.algorithm', 'expected https, or nothing to check no host name')
  return options
}

const storeType = (text: ReadonlyMap<string, string>, store: string) => (text.get(`ssl.${store}.type`) ?? 'JKS').toUpperCase()

function pemFile(text: ReadonlyMap<string, string>, store: 'keystore' | 'truststore'): string | undefined {
  const location = text.get(`ssl.${store}.location`)
  if (location === undefined) return undefined
  const type = storeType(text, store)
  if (type !== 'PEM') {
    refuse(
      `ssl.${store}.location`,
      `is a ${store} of a type that only Java reads, as JKS is, the default: convert it to PEM (keytool -exportcert -rfc, openssl pkcs12) and set ssl.${store}.type to PEM`,
    )
  }
  return contentOf(`ssl.${store}.location`, location).toString()
}

function contentOf(key: string, path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    return refuse(key, `cannot be read (${(error as Error).message}): correct the path, or let this process read the file`, error)
  }
}

function saslFrom(text: ReadonlyMap<string, string>): SaslOption {
  const mechanism = (text.get('sasl.mechanism') ?? 'GSSAPI').toUpperCase()
  const jaas = jaasOptions(text.get('sasl.jaas.config') ?? '')
  const needed = (name: string, path: string, value: string | undefined): string =>
    value ?? refuse(path, `lacks ${name}, which ${mechanism} needs`)
  switch (mechanism) {
    case 'PLAIN':
    case 'SCRAM-SHA-256':
    case 'SCRAM-SHA-512': {
      const username = needed('username', 'sasl.jaas.config', jaas.get('username'))
      const password = needed('password', 'sasl.jaas.config', jaas.get('password'))
      if (mechanism === 'PLAIN') return { mechanism, username, password }
      return { mechanism, username, password, tokenAuth: jaas.get('tokenauth') === 'true' }
    }
    case 'OAUTHBEARER': {
      const url = needed(
        'a token endpoint',
        'sasl.oauthbearer.token.endpoint.url',
        text.get('sasl.oauthbearer.token.endpoint.url'),
      )
      const id = text.get('sasl.oauthbearer.client.credentials.client.id') ?? jaas.get('clientId')
      const secret = text.get('sasl.oauthbearer.client.credentials.client.secret') ?? jaas.get('clientSecret')
      const scope = text.get('sasl.oauthbearer.scope') ?? jaas.get('scope')
      const extensions = [...jaas].flatMap(([key, value]) => (key.startsWith('extension_') ? [[key.slice(10), value]] : []))
      return {
        mechanism,
        oidc: {
          tokenEndpoint: url,
          clientId: needed('a client id', 'sasl.oauthbearer.client.credentials.client.id', id),
          clientSecret: needed('a client secret', 'sasl.oauthbearer.client.credentials.client.secret', secret),
          urlEncode: text.get('sasl.oauthbearer.header.urlencode') === 'true',
          ...(scope === undefined ? {} : { scope }),
        },
        extensions: Object.fromEntries(extensions),
      }
    }
    default:
      return refuse(
        'sasl.mechanism',
        `${mechanism === 'GSSAPI' ? 'is GSSAPI, the default of Java, which' : 'names a mechanism that'} is not built in: pass an authenticator of your own as the sasl option, or use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER`,
      )
  }
}

/** A comment, the end, or an option: its name, and its value in double quotes, single ones or none. */
const JAAS =
  /\/\*[\s\S]*?\*\/|\/\/.*|(;)|([A-Za-z_$][\w.$-]*)\s*=\s*(?:"((?:[^"\\\r\n]|\\.)*)"|'((?:[^'\\\r\n]|\\.)*)'|([^\s;"'][^\s;]*))/g
const ESCAPES: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** `SomeLoginModule required username="a" password="b";`, read as by Java's StreamTokenizer. */
function jaasOptions(config: string): Map<string, string> {
  const options = new Map<string, string>()
  for (const [, end, key, double, single, bare] of config.matchAll(JAAS)) {
    if (end !== undefined) break
    const quoted = double ?? single
    if (key !== undefined) options.set(key, quoted === undefined ? (bare ?? '') : unescaped(quoted))
  }
  return options
}

const unescaped = (text: string) =>
  text.replace(/\\(?:([0-3][0-7]{0,2}|[4-7][0-7]?)|(.))/g, (_, octal: string | undefined, char: string) =>
    octal === undefined ? (ESCAPES[char] ?? char) : String.fromCharCode(Number.parseInt(octal, 8)),
  )
