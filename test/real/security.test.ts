import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Admin } from '../../src/admin/index.ts'
import { Client, type ClientOptionsInput } from '../../src/client/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import type { SaslOptions } from '../../src/net/sasl/index.ts'
import { Producer } from '../../src/producer/index.ts'
import type { Logger } from '../../src/util/logger.ts'
import { JvmCluster } from '../brokers/jvm.ts'
import { saslUsers } from '../brokers/properties.ts'

let cluster: JvmCluster
const topic = 'secured'
beforeAll(async () => {
  cluster = await JvmCluster.start({ security: true })
  await using admin = new Admin({ bootstrapServers: cluster.listeners.plaintext })
  await admin.createTopics([{ name: topic, partitions: 1, replicationFactor: 1 }])
})
afterAll(() => cluster?.close())

/** What Kafka's unsecured validator of OAUTHBEARER takes. */
function unsecuredToken(subject: string, lifetimeMs: number): { value: string; expiresAtMs: number } {
  const now = Date.now()
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const value = `${part({ alg: 'none' })}.${part({ sub: subject, iat: now / 1000, exp: (now + lifetimeMs) / 1000 })}.`
  return { value, expiresAtMs: now + lifetimeMs }
}

const password = saslUsers.alice
const mechanisms: readonly SaslOptions[] = [
  { mechanism: 'PLAIN', username: 'alice', password },
  { mechanism: 'SCRAM-SHA-256', username: 'alice', password },
  { mechanism: 'SCRAM-SHA-512', username: 'alice', password: async () => password },
  { mechanism: 'OAUTHBEARER', token: () => unsecuredToken('alice', 60_000) },
]

/** A record there and back, through a producer and a consumer of these options. */
async function roundTrip(options: ClientOptionsInput): Promise<void> {
  await using producer = new Producer(options)
  await using consumer = new Consumer({ ...options, autoOffsetReset: 'earliest' })
  const value = Buffer.from(`${Math.random()}`)
  const { offset } = await producer.send({ topic, key: null, value })
  consumer.assign([{ topic, partition: 0 }])
  consumer.seek({ topic, partition: 0 }, offset)
  const [record] = [...(await consumer.poll({ timeoutMs: 10_000 }))]
  expect(record?.value).toEqual(value)
}

/** Everything that is logged, errors with all that hangs on them. */
function recorder(): { readonly logger: Logger; readonly text: () => string } {
  const lines: string[] = []
  const line = (fields: object, message: string) => {
    lines.push(
      `${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? { ...value, text: String(value), stack: value.stack } : typeof value === 'bigint' ? String(value) : value))}`,
    )
  }
  const logger: Logger = { debug: line, info: line, warn: line, error: line, child: () => logger }
  return { logger, text: () => lines.join('\n') }
}

describe('SASL', () => {
  test.each(mechanisms.map(sasl => [sasl.mechanism, sasl] as const))(
    '%s authenticates over plain text and over TLS',
    async (_, sasl) => {
      await roundTrip({ bootstrapServers: cluster.listeners.sasl, sasl })
      await roundTrip({ bootstrapServers: cluster.listeners.saslTls, sasl, tls: { ca: cluster.certificates.ca } })
    },
  )

  test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)(
    '%s: a wrong password is refused at once, and shows nowhere',
    async mechanism => {
      const { logger, text } = recorder()
      const wrong = 'not-the-password-of-alice'
      const client = new Client({
        bootstrapServers: cluster.listeners.sasl,
        sasl: { mechanism, username: 'alice', password: wrong } as SaslOptions,
        logger,
      })
      onTestFinished(() => client.close())
      const error = await client.connect({ timeoutMs: 15_000 }).then(
        () => undefined,
        (cause: Error) => cause,
      )
      expect(error).toMatchObject({ code: 'ERR_AUTHENTICATION' })
      expect(text()).not.toContain(wrong)
      expect(`${error?.stack}${JSON.stringify(error)}`).not.toContain(wrong)
    },
  )

  test('an expired token is refused, and the error says why', async () => {
    const client = new Client({
      bootstrapServers: cluster.listeners.sasl,
      sasl: { mechanism: 'OAUTHBEARER', token: () => unsecuredToken('alice', -60_000) },
    })
    onTestFinished(() => client.close())
    await expect(client.connect({ timeoutMs: 15_000 })).rejects.toMatchObject({ code: 'ERR_AUTHENTICATION' })
  })
})

describe('TLS', () => {
  test('a certificate that is trusted carries records both ways', () =>
    roundTrip({ bootstrapServers: cluster.listeners.tls, tls: { ca: cluster.certificates.ca } }))

  test('a certificate that nobody vouches for is refused, and the error names the way out', async () => {
    const client = new Client({ bootstrapServers: cluster.listeners.tls, tls: true })
    onTestFinished(() => client.close())
    await expect(client.connect({ timeoutMs: 5_000 })).rejects.toThrow(/certificate/)
  })

  test('a certificate for another host is refused', async () => {
    const client = new Client({
      bootstrapServers: cluster.listeners.tls,
      tls: { ca: cluster.certificates.ca, servername: 'elsewhere.example' },
    })
    onTestFinished(() => client.close())
    await expect(client.connect({ timeoutMs: 5_000 })).rejects.toThrow(/elsewhere\.example/)
  })

  test('a client certificate is presented; options come anew for each connection, so that it can be renewed', async () => {
    let asked = 0
    const { ca, clientPfx, password: passphrase } = cluster.certificates
    const tls = () => {
      asked++
      return { ca, pfx: clientPfx, passphrase }
    }
    await roundTrip({ bootstrapServers: cluster.listeners.tls, tls })
    expect(asked).toBeGreaterThanOrEqual(2)
  })
})

describe('OAUTHBEARER with client credentials (OIDC)', () => {
  let server: Server
  afterAll(() => new Promise(closed => server?.close(closed)))

  test('the token comes from the token endpoint, with the secret in the header alone', async () => {
    const seen: string[] = []
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += chunk
      })
      request.on('end', () => {
        seen.push(`${request.headers.authorization} ${body}`)
        response.setHeader('content-type', 'application/json')
        response.end(
          JSON.stringify({ access_token: unsecuredToken('alice', 60_000).value, token_type: 'bearer', expires_in: 60 }),
        )
      })
    })
    await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
    const { logger, text } = recorder()
    await roundTrip({
      bootstrapServers: cluster.listeners.sasl,
      logger,
      sasl: {
        mechanism: 'OAUTHBEARER',
        oidc: {
          tokenEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
          clientId: 'kafkawire',
          clientSecret: 'very-secret',
          scope: 'kafka',
        },
      },
    })
    expect(seen[0]).toContain(Buffer.from('kafkawire:very-secret').toString('base64'))
    expect(seen[0]).toContain('grant_type=client_credentials')
    expect(text()).not.toContain('very-secret')
  })
})
