import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ConnectionError } from '../../src/errors.ts'
import type { ConnectionOptions } from '../../src/net/connection.ts'
import { type SaslOptions, saslAuthenticator } from '../../src/net/sasl/index.ts'
import { AlterUserScramCredentials, CreateDelegationToken, Metadata } from '../../src/protocol/apis/index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { JvmCluster } from '../brokers/jvm.ts'
import { connectionTo, failureOf } from '../net/connecting.ts'

// The listeners of a genuine Kafka: SASL_PLAINTEXT (sessions of 5 s), SSL and SASL_SSL.
let kafka: JvmCluster
beforeAll(async () => {
  kafka = await JvmCluster.start({ security: true, config: { 'delegation.token.secret.key': 'a-secret-of-the-test' } })
}, 180_000)
afterAll(() => kafka?.close())

const at = (address: string) => ({
  host: address.slice(0, address.lastIndexOf(':')),
  port: Number(address.slice(address.lastIndexOf(':') + 1)),
})
const unsecured = (claims: object) =>
  `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`
const token = () => unsecured({ sub: 'alice', iat: Date.now() / 1_000 - 1, exp: Date.now() / 1_000 + 60 })

function connect(
  listener: 'plaintext' | 'sasl' | 'tls' | 'saslTls',
  sasl?: SaslOptions,
  changes: Partial<ConnectionOptions> = {},
) {
  const tls = listener === 'tls' || listener === 'saslTls' ? { ca: kafka.certificates.ca } : undefined
  return connectionTo(at(kafka.listeners[listener]), nodeRuntime, {
    tls,
    requestTimeoutMs: 20_000,
    ...(sasl ? { authenticator: saslAuthenticator(sasl) } : {}),
    ...changes,
  })
}

const mechanisms: SaslOptions[] = [
  { mechanism: 'PLAIN', username: 'alice', password: 'alice-secret' },
  { mechanism: 'SCRAM-SHA-256', username: 'alice', password: 'alice-secret' },
  { mechanism: 'SCRAM-SHA-512', username: 'alice', password: 'alice-secret' },
  { mechanism: 'OAUTHBEARER', token },
]

test.each(mechanisms)('$mechanism is refused with the wrong secret over TLS, for good', async sasl => {
  const wrong: SaslOptions =
    sasl.mechanism === 'OAUTHBEARER'
      ? { mechanism: 'OAUTHBEARER', token: () => unsecured({ sub: 'alice', exp: 1 }) }
      : ({ ...sasl, password: 'wr0ng-secret' } as SaslOptions)
  const error = await failureOf<ConnectionError>(connect('saslTls', wrong).connect())
  expect(error.code).toBe('ERR_AUTHENTICATION')
  expect(error.retriable).toBe(false)
  expect(error.message).toMatch(/refused the .* credentials: SASL_AUTHENTICATION_FAILED/)
  expect(error.message).not.toContain('wr0ng-secret')
})

test('each wrong pairing of client and listener ends in its own error', async () => {
  const message = async (...args: Parameters<typeof connect>) => (await failureOf(connect(...args).connect())).message
  expect(await message('plaintext', mechanisms[0])).toMatch(/leave out the sasl option/)
  expect(await message('tls', undefined, { tls: undefined })).toMatch(/the peer speaks TLS|a TLS listener hangs up like this/)
  expect(await message('plaintext', undefined, { tls: { ca: kafka.certificates.ca } })).toMatch(/check that the port speaks TLS/)
  // A SASL listener answers ApiVersions to anybody, and hangs up at the first real request.
  const unauthenticated = connect('sasl')
  await unauthenticated.connect()
  expect((await failureOf(unauthenticated.request(Metadata, { topics: null }))).message).toMatch(
    /(was closed by the broker|was lost).*give the sasl option/,
  )
})

test.each(mechanisms)(
  '$mechanism is renewed under load before its session of 5 s ends',
  async sasl => {
    const states: string[] = []
    const connection = connect('sasl', sasl, { maxInFlight: 20, hooks: { stateChanged: (_, to) => states.push(to) } })
    await connection.connect()
    const end = performance.now() + 11_000
    let answers = 0
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        while (performance.now() < end) {
          await connection.request(Metadata, { topics: [] })
          answers++
        }
      }),
    )
    expect(connection.state).toBe('ready')
    expect(states.filter(state => state === 'reauthenticating').length).toBeGreaterThanOrEqual(2)
    expect(answers).toBeGreaterThan(100)
    await connection.close()
  },
  40_000,
)

test('a connection that idled past the end of its session is renewed when it is used', async () => {
  const connection = connect('sasl', mechanisms[1])
  await connection.request(Metadata, { topics: [] })
  await new Promise(resolve => setTimeout(resolve, 6_000))
  expect((await connection.request(Metadata, { topics: null })).brokers.length).toBe(1)
  await connection.close()
}, 30_000)

test('a password beyond ASCII, as Kafka stores it: unprepared', async () => {
  const password = 'I\u00adX\u2168'
  const salt = randomBytes(16)
  const admin = connect('plaintext')
  const saltedPassword = pbkdf2Sync(password, salt, 4_096, 32, 'sha256')
  const { results } = await admin.request(AlterUserScramCredentials, {
    deletions: [],
    upsertions: [{ name: 'roman', mechanism: 1, iterations: 4_096, salt, saltedPassword }],
  })
  expect(results[0]!.errorCode).toBe(0)
  await admin.close()
  const authenticator = saslAuthenticator({ mechanism: 'SCRAM-SHA-256', username: 'roman', password })
  const attempt = async () => {
    const connection = connect('sasl', undefined, { authenticator })
    await connection.connect()
    await connection.close()
  }
  await expect
    .poll(
      () =>
        attempt().then(
          () => 'in',
          (error: ConnectionError) => (error.retriable ? 'again' : error.message),
        ),
      { timeout: 20_000 },
    )
    .toBe('in')
})

test('a delegation token authenticates as its owner', async () => {
  const owner = connect('saslTls', mechanisms[2])
  const created = await owner.request(CreateDelegationToken, {
    ownerPrincipalType: null,
    ownerPrincipalName: null,
    renewers: [],
    maxLifetimeMs: -1n,
  })
  expect(created.errorCode).toBe(0)
  await owner.close()
  const sasl: SaslOptions = {
    mechanism: 'SCRAM-SHA-256',
    username: created.tokenId,
    password: Buffer.from(created.hmac).toString('base64'),
    tokenAuth: true,
  }
  // The broker that made it learns of it through the metadata log.
  const attempt = async () => {
    const connection = connect('saslTls', sasl)
    await connection.request(Metadata, { topics: [] })
    await connection.close()
  }
  await expect
    .poll(
      () =>
        attempt().then(
          () => 'in',
          (error: Error) => error.message,
        ),
      { timeout: 15_000 },
    )
    .toBe('in')
})
