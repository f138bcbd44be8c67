import { describe, expect, test } from 'vitest'
import { Admin } from '../../src/admin/index.ts'
import { Client } from '../../src/client/index.ts'
import { type ClientOptionsInput, clientOptionsShape, javaNames, parseClientOptions } from '../../src/client/options.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { ConfigError } from '../../src/errors.ts'
import { Kafka } from '../../src/kafka.ts'
import { Producer } from '../../src/producer/index.ts'

const bootstrapServers = 'localhost:9092'
const issuesOf = (options: object): readonly { path: string; message: string }[] => {
  try {
    parseClientOptions(options as ClientOptionsInput)
  } catch (error) {
    if (error instanceof ConfigError) return error.issues
    throw error
  }
  return []
}

describe('client options', () => {
  test("defaults are the Java client's", () => {
    expect(parseClientOptions({ bootstrapServers })).toMatchObject({
      requestTimeoutMs: 30_000,
      defaultApiTimeoutMs: 60_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 1_000,
      reconnectBackoffMs: 50,
      reconnectBackoffMaxMs: 1_000,
      socketConnectionSetupTimeoutMs: 10_000,
      socketConnectionSetupTimeoutMaxMs: 30_000,
      connectionsMaxIdleMs: 540_000,
      metadataMaxAgeMs: 300_000,
      metadataMaxIdleMs: 300_000,
      metadataRecoveryStrategy: 'rebootstrap',
      metadataRecoveryRebootstrapTriggerMs: 300_000,
    })
  })

  test("Java's names are accepted; one option under both names is refused", () => {
    const options = parseClientOptions({ 'bootstrap.servers': 'a:1', 'request.timeout.ms': 5 } as unknown as ClientOptionsInput)
    expect(options).toMatchObject({ bootstrapServers: [{ host: 'a', port: 1 }], requestTimeoutMs: 5 })
    expect(issuesOf({ bootstrapServers, 'client.id': 'x', clientId: 'y' })[0]?.message).toMatch(/as client\.id and as clientId/)
    for (const ours of Object.values(javaNames)) expect(Object.keys(clientOptionsShape)).toContain(ours)
  })

  test('an unknown option is refused by name, with the nearest known one', () => {
    expect(issuesOf({ bootstrapServers, requestTimoutMs: 1 })).toEqual([
      { path: 'requestTimoutMs', message: 'unknown option: did you mean requestTimeoutMs?' },
    ])
    // Cut short, or as another client calls it.
    expect(issuesOf({ bootstrapServers, log: {} })[0]?.message).toBe('unknown option: did you mean logger?')
    expect(issuesOf({ bootstrapServers, retryBackoff: 1 })[0]?.message).toBe('unknown option: did you mean retryBackoffMs?')
    expect(issuesOf({ brokers: ['a:1'] }).at(-1)?.message).toBe('unknown option: did you mean bootstrapServers?')
  })

  test('rules across options say which to change; they run once each option is fine by itself', () => {
    const slow = { bootstrapServers, requestTimeoutMs: 70_000, retryBackoffMs: 2_000 }
    expect(issuesOf(slow).map(issue => issue.path)).toEqual(['defaultApiTimeoutMs', 'retryBackoffMaxMs'])
    expect(issuesOf(slow)[0]?.message).toBe(
      'must be at least requestTimeoutMs (70000), but is 60000: raise defaultApiTimeoutMs or lower requestTimeoutMs',
    )
    expect(issuesOf({ ...slow, clientId: 7 }).map(issue => issue.path)).toEqual(['clientId'])
  })

  test.each([
    [{ bootstrapServers: 'a:b:c' }, 'bootstrapServers', /expected 'host:port'/],
    [{ bootstrapServers: 7 }, 'bootstrapServers', /host:port/],
    [{ bootstrapServers, logger: console.log }, 'logger', /pino/],
    [{ bootstrapServers, tls: 'yes' }, 'tls', /node:tls/],
    [{ bootstrapServers, sasl: { mechanism: 'GSSAPI' } }, 'sasl.mechanism', /start\(\)/],
    [{ bootstrapServers, requestTimeoutMs: -1 }, 'requestTimeoutMs', /./],
    [{ bootstrapServers, hooks: { onconnect() {} } }, 'hooks.onconnect', /^unknown option: did you mean onConnect\?$/],
    [{ bootstrapServers, hooks: { onConnect: 5 } }, 'hooks.onConnect', /function/],
    [{ bootstrapServers, hooks: [] }, 'hooks', /onConnect/],
    [{ bootstrapServers, tls: [] }, 'tls', /node:tls/],
    [
      { bootstrapServers, tls: { rejectUnauthorised: false } },
      'tls.rejectUnauthorised',
      /^unknown option: did you mean rejectUnauthorized\?$/,
    ],
    [{ bootstrapServers, tls: { minVersion: 'TLSv9' } }, 'tls.minVersion', /TLSv1\.3/],
  ])('%j is refused', (options, path, message) => {
    const [issue] = issuesOf(options)
    expect(issue?.path).toBe(path)
    expect(issue?.message).toMatch(message)
  })

  const password = 'hidden'
  const oauth = { mechanism: 'OAUTHBEARER' }
  const oidc = { tokenEndpoint: 'https://id/token', clientId: 'me', clientSecret: password }
  const endpointWith = (user: string) => ({ ...oauth, oidc: { ...oidc, tokenEndpoint: `https://${user}@id/token` } })
  const iam = { mechanism: 'AWS_MSK_IAM', credentials: { accessKeyId: 'a', secretAccessKey: password } }
  test.each([
    [{ mechanism: 'GSSAPI' }, 'sasl.mechanism', /expected one of PLAIN/],
    [{ mechanism: 'PLAIN', username: 'u' }, 'sasl.password', /^is required by this mechanism/],
    [{ mechanism: 'plain', username: '', password }, 'sasl.username', /^is required by this mechanism/],
    [{ mechanism: 'PLAIN', username: 'u', password: 5 }, 'sasl.password', /a text, or a function/],
    [
      { mechanism: 'PLAIN', username: 'u', password, authorisationId: 'x' },
      'sasl.authorisationId',
      /^unknown option: did you mean authorizationId\?$/,
    ],
    [{ mechanism: 'PLAIN', username: 'u', password, tokenAuth: true }, 'sasl.tokenAuth', /^unknown option$/],
    [{ mechanism: 'SCRAM-SHA-256', username: 'u', password, tokenAuth: 'true' }, 'sasl.tokenAuth', /boolean/],
    [oauth, 'sasl', /either token, a function, or oidc/],
    [{ ...oauth, token: password }, 'sasl.token', /function/],
    [{ ...oauth, token: () => password, oidc }, 'sasl', /either token, a function, or oidc/],
    [{ ...oauth, oidc: {} }, 'sasl.oidc.tokenEndpoint', /http/],
    [{ ...oauth, oidc: { ...oidc, tokenEndpoint: 'id/token' } }, 'sasl.oidc.tokenEndpoint', /http/],
    [endpointWith(`me:${password}`), 'sasl.oidc.tokenEndpoint', /clientId and clientSecret/],
    [endpointWith(`:${password}`), 'sasl.oidc.tokenEndpoint', /clientId and clientSecret/],
    [{ ...oauth, oidc: { ...oidc, scopes: 'x' } }, 'sasl.oidc.scopes', /^unknown option: did you mean scope\?$/],
    [{ ...oauth, oidc, extensions: { a: 1 } }, 'sasl.extensions.a', /string/],
    [{ ...iam, credentials: {} }, 'sasl.credentials', /accessKeyId, secretAccessKey/],
    [{ mechanism: 'AWS_MSK_IAM' }, 'sasl.credentials', /^is required by this mechanism/],
    [{ ...iam, validSeconds: 7_200 }, 'sasl.validSeconds', /900/],
    [{ start: 1, mechanism: 'GSSAPI' }, 'sasl.start', /function/],
    [{ start() {} }, 'sasl.mechanism', /name/],
  ])('sasl %j is refused by name, and its values are not shown', (sasl: object, path, message) => {
    const issues = issuesOf({ bootstrapServers, sasl })
    expect(issues[0]?.path).toBe(path)
    expect(issues[0]?.message).toMatch(message)
    expect(JSON.stringify(issues)).not.toContain(password)
  })

  test.each([
    { mechanism: 'PLAIN', username: 'u', password: () => password, authorizationId: 'x' },
    { mechanism: 'scram-sha-512', username: 'u', password, tokenAuth: true },
    { ...oauth, token: () => password, extensions: { logicalCluster: 'lkc' } },
    { ...oauth, oidc: { ...oidc, scope: 'kafka', parameters: { audience: 'a' }, urlEncode: true, timeoutMs: 1_000 } },
    // What AWS's own packages return holds more.
    { ...iam, credentials: { ...iam.credentials, sessionToken: 't', expiration: new Date(0) }, region: 'eu-west-1' },
  ])('sasl %j is accepted', sasl => {
    expect(issuesOf({ bootstrapServers, sasl })).toEqual([])
  })

  test('hooks and authenticators may be objects of a class: they keep their own state', () => {
    class Counting {
      connects = 0
      readonly mechanism = 'GSSAPI'
      onConnect() {
        this.connects++
      }
      start() {}
    }
    const own = new Counting()
    const { hooks, sasl } = parseClientOptions({ bootstrapServers, hooks: own, sasl: own } as unknown as ClientOptionsInput)
    expect([hooks, sasl]).toEqual([own, own])
    expect(hooks).toBe(own)
    expect(sasl).toBe(own)
  })

  test('what a tls function gives is held to the same names', async () => {
    const { tls } = parseClientOptions({ bootstrapServers, tls: () => ({ rejectUnauthorised: false }) })
    await expect(tls?.()).rejects.toThrow('rejectUnauthorised: unknown option: did you mean rejectUnauthorized?')
  })

  test('a client is refused by its constructor, before any I/O', () => {
    expect(() => new Client({ bootstrapServers: [] })).toThrow(ConfigError)
  })

  test.each([[undefined], [null], ['a:9092'], [[]]])('options that are %j are refused for what they are', given => {
    for (const make of [Client, Kafka, Producer, Consumer, Admin] as const)
      expect(() => new make(given as never)).toThrow(/expected an object of options, such as \{ bootstrapServers/)
    expect(() => Kafka.fromProperties(given as never)).toThrow(ConfigError)
  })
})
