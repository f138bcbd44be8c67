import { describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { ApiVersions, Metadata, SaslAuthenticate, SaslHandshake } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import type { RawClient } from './raw-client.ts'
import { connect, setUp } from './set-up.ts'

const users = { alice: 'wonder', bob: 'builder' }
const allTopics = { topics: null, includeTopicAuthorizedOperations: false }
const plain = (user: string, password: string) => Buffer.from(`\0${user}\0${password}`)

async function logIn(client: RawClient, user = 'alice', password = users.alice) {
  await client.request(SaslHandshake, 1, { mechanism: 'PLAIN' })
  return client.request(SaslAuthenticate, 2, { authBytes: plain(user, password) })
}

describe('a SASL listener', () => {
  test('serves nothing but ApiVersions before authentication', async () => {
    const { broker, client } = await setUp({ sasl: { users } })
    expect((await client.request(ApiVersions, 0, {})).errorCode).toBe(0)
    await expect(client.request(Metadata, 12, allTopics)).rejects.toThrow('closed')
    const authenticated = await connect(broker)
    expect(await logIn(authenticated)).toMatchObject({ errorCode: 0, sessionLifetimeMs: 0n })
    await authenticated.request(Metadata, 12, allTopics)
  })

  test('refuses wrong passwords and unknown users with a reason, and closes', async () => {
    const { broker } = await setUp({ sasl: { users } })
    for (const [user, password] of [
      ['alice', 'wrong'],
      ['eve', 'x'],
      ['constructor', 'x'],
    ] as const) {
      const client = await connect(broker)
      const answer = await logIn(client, user, password)
      expect(answer).toMatchObject({
        errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED,
        errorMessage: expect.stringContaining('Invalid username'),
      })
      await client.closed
    }
  })

  test('names its mechanisms to a client that asks for another, and closes', async () => {
    const { client } = await setUp({ sasl: { users, mechanisms: ['SCRAM-SHA-512'] } })
    const answer = await client.request(SaslHandshake, 1, { mechanism: 'PLAIN' })
    expect(answer).toEqual({ errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms: ['SCRAM-SHA-512'] })
    await client.closed
  })

  test('takes bare tokens after a handshake of version 0', async () => {
    const { client } = await setUp({ sasl: { users } })
    await client.request(SaslHandshake, 0, { mechanism: 'PLAIN' })
    const reply = client.nextFrame()
    const token = plain('alice', users.alice)
    client.write(Buffer.concat([Buffer.from([0, 0, 0, token.length]), token]))
    expect(await reply).toHaveLength(0)
    await client.request(Metadata, 12, allTopics)
  })

  test('lets a session be renewed, but not by somebody else', async () => {
    const { client } = await setUp({ sasl: { users, maxReauthMs: 60_000 } })
    expect((await logIn(client)).sessionLifetimeMs).toBe(60_000n)
    expect((await logIn(client)).errorCode).toBe(0)
    await client.request(Metadata, 12, allTopics)
    expect((await logIn(client, 'bob', users.bob)).errorCode).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED)
    await client.closed
  })

  test('closes a connection whose session ran out', async () => {
    const { client } = await setUp({ sasl: { users, maxReauthMs: 1 } })
    await logIn(client)
    await expect
      .poll(() =>
        client.request(Metadata, 12, allTopics).then(
          () => 'served',
          () => 'closed',
        ),
      )
      .toBe('closed')
  })

  test('takes bearer tokens that its check accepts, and ends the session with them', async () => {
    const validateToken = (token: string) =>
      token === 'good' ? { principal: 'carol', expiresAtMs: Date.now() + 30_000 } : undefined
    const { broker, client } = await setUp({ sasl: { mechanisms: ['OAUTHBEARER'], validateToken } })
    const present = async (client: RawClient, token: string) => {
      await client.request(SaslHandshake, 1, { mechanism: 'OAUTHBEARER' })
      return client.request(SaslAuthenticate, 2, { authBytes: Buffer.from(`n,,\u0001auth=Bearer ${token}\u0001\u0001`) })
    }
    const accepted = await present(client, 'good')
    expect(accepted.errorCode).toBe(0)
    expect(Number(accepted.sessionLifetimeMs)).toBeGreaterThan(20_000)
    const other = await connect(broker)
    expect((await present(other, 'bad')).authBytes.toString()).toContain('invalid_token')
    const end = await other.request(SaslAuthenticate, 2, { authBytes: Buffer.from('\u0001') })
    expect(end.errorCode).toBe(ErrorCode.SASL_AUTHENTICATION_FAILED)
  })
})

test('a listener without authentication says so', async () => {
  const { client } = await setUp()
  expect((await client.request(SaslHandshake, 1, { mechanism: 'PLAIN' })).errorCode).toBe(ErrorCode.ILLEGAL_SASL_STATE)
})

test('a taken port is an error, and leaves nothing behind', async () => {
  const { broker } = await setUp()
  const port = Number(broker.bootstrapServers.split(':')[1])
  await expect(startBroker({ port })).rejects.toThrow('EADDRINUSE')
})
