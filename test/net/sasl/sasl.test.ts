import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type ConnectionError, type KafkaError, TimeoutError } from '../../../src/errors.ts'
import { type SaslAuthenticator, type SaslContext, type SaslOptions, saslAuthenticator } from '../../../src/net/sasl/index.ts'
import { Heartbeat, SaslAuthenticate, SaslHandshake } from '../../../src/protocol/apis/index.ts'
import { nodeRuntime } from '../../../src/runtime/node.ts'
import { SimulatedRuntime } from '../../../src/runtime/simulated/index.ts'
import { silent } from '../../../src/util/logger.ts'
import { connectionTo, failureOf, RecordingLogger, sleep } from '../connecting.ts'
import { answerTo, type Reaction } from '../scripted-broker.ts'
import { bearerServer, plainServer, SaslBroker, scramServer, world } from './sasl-broker.ts'

const beat = { groupId: 'g', generationId: 1, memberId: 'm' }

const contextWith = (changes: Partial<SimulatedRuntime>, host = 'broker'): SaslContext => {
  const runtime = new SimulatedRuntime()
  const { signal } = new AbortController()
  return {
    host,
    port: 9_092,
    runtime: { ...runtime.on('client'), ...changes },
    logger: silent,
    timeoutMs: 30_000,
    renewal: false,
    signal,
  }
}
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes!).toString()

describe('published examples', () => {
  test('SCRAM-SHA-256 of RFC 7677 §3', async () => {
    const scram = saslAuthenticator({ mechanism: 'SCRAM-SHA-256', username: 'user', password: 'pencil' })
    const session = await scram.start(contextWith({ secureRandom: () => Buffer.from('rOprNGfwEbeRWgbNEkqO', 'base64') }))
    expect(text(session.first)).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
    const final = await session.next(Buffer.from(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`))
    expect(text(final)).toBe(`c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`)
    expect(await session.next(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))).toBeUndefined()
  })

  test('PLAIN of RFC 4616 §4', async () => {
    const first = async (authorizationId?: string) =>
      text(
        (
          await saslAuthenticator({
            mechanism: 'PLAIN',
            username: 'tim',
            password: 'tanstaaftanstaaf',
            ...(authorizationId ? { authorizationId } : {}),
          }).start(contextWith({}))
        ).first,
      )
    expect(await first()).toBe('\0tim\0tanstaaftanstaaf')
    expect(await first('Ursel')).toBe('Ursel\0tim\0tanstaaftanstaaf')
  })

  test('OAUTHBEARER of RFC 7628 §4.1', async () => {
    const bearer = saslAuthenticator({
      mechanism: 'OAUTHBEARER',
      authorizationId: 'user@example.com',
      token: () => ({ value: 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==', extensions: { port: '143' } }),
      extensions: { host: 'server.example.com' },
    })
    const { first } = await bearer.start(contextWith({}))
    expect(text(first)).toBe(
      'n,a=user@example.com,\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01host=server.example.com\x01port=143\x01\x01',
    )
  })
})

describe('the handshake', () => {
  const good: [SaslOptions, (broker: SaslBroker) => void][] = [
    [
      { mechanism: 'PLAIN', username: 'alice', password: 'secret' },
      broker => Object.assign(broker.mechanisms, { PLAIN: plainServer('alice', 'secret') }),
    ],
    [
      { mechanism: 'scram-sha-256', username: 'a,l=ice', password: 'secret' },
      broker => Object.assign(broker.mechanisms, { 'SCRAM-SHA-256': scramServer('sha256', 'a,l=ice', 'secret') }),
    ],
    [
      { mechanism: 'SCRAM-SHA-512', username: () => 'alice', password: async () => 'secret', authorizationId: 'bob' },
      broker => Object.assign(broker.mechanisms, { 'SCRAM-SHA-512': scramServer('sha512', 'alice', 'secret') }),
    ],
    [
      { mechanism: 'OAUTHBEARER', token: () => 'abc.def.ghi' },
      broker => Object.assign(broker.mechanisms, { OAUTHBEARER: bearerServer(token => token === 'abc.def.ghi') }),
    ],
  ]
  test.each(good)('%o is let in', async (sasl, prepare) => {
    await world(async ({ broker, connect }) => {
      prepare(broker)
      const connection = connect(sasl)
      expect((await connection.request(Heartbeat, beat)).errorCode).toBe(0)
      expect(broker.intruders).toEqual([])
      await connection.close()
    })
  })

  test.each(good)('%o is refused by a broker that knows another secret', async (sasl, prepare) => {
    await world(async ({ broker, connect }) => {
      prepare(broker)
      const { mechanism } = saslAuthenticator(sasl)
      const wrong = {
        PLAIN: plainServer('alice', 'x'),
        'SCRAM-SHA-256': scramServer('sha256', 'a,l=ice', 'x'),
        'SCRAM-SHA-512': scramServer('sha512', 'alice', 'x'),
        OAUTHBEARER: bearerServer(() => false),
      }
      Object.assign(broker.mechanisms, wrong)
      const connection = connect(sasl)
      const waiting = failureOf<ConnectionError>(connection.request(Heartbeat, beat))
      const error = await failureOf<ConnectionError>(connection.connect())
      expect(error.code).toBe('ERR_AUTHENTICATION')
      expect(error.retriable).toBe(false)
      expect(error.message).toMatch(
        new RegExp(`broker:9092 refused the ${mechanism} credentials: SASL_AUTHENTICATION_FAILED.*: check user and password`),
      )
      expect((await waiting).code).toBe('ERR_AUTHENTICATION')
      expect((await waiting).outcome).toBe('not-sent')
    })
  })

  test('a mechanism that the broker lacks is answered with those it has', async () => {
    await world(async ({ broker, connect }) => {
      broker.mechanisms = { 'SCRAM-SHA-512': scramServer('sha512', 'a', 'b') }
      const error = await failureOf(connect({ mechanism: 'PLAIN', username: 'a', password: 'b' }).connect())
      expect(error.message).toBe('broker:9092 does not offer PLAIN, but SCRAM-SHA-512: set sasl.mechanism to one of them')
    })
  })

  test('a listener without SASL is named as such', async () => {
    await world(async ({ broker, connect }) => {
      broker.script = received =>
        received.api === SaslHandshake ? answerTo(received, { errorCode: 34, mechanisms: [] }) : 'default'
      const error = await failureOf(connect({ mechanism: 'PLAIN', username: 'a', password: 'b' }).connect())
      expect(error.message).toMatch(/ILLEGAL_SASL_STATE.*leave out the sasl option/)
    })
  })

  test('a broker that cannot prove that it knows the password is refused', async () => {
    await world(async ({ broker, connect }) => {
      broker.mechanisms = { 'SCRAM-SHA-256': scramServer('sha256', 'alice', 'secret', { lie: true }) }
      const error = await failureOf(connect({ mechanism: 'SCRAM-SHA-256', username: 'alice', password: 'secret' }).connect())
      expect(error.message).toMatch(/could not prove that it knows the password/)
    })
  })

  test.each([
    ['too few iterations', { iterations: 100 }, /asks for 100 iterations, outside 4096 to 1000000/],
    ['so many that we would hash for hours', { iterations: 2_000_000_000 }, /asks for 2000000000 iterations/],
    ['no nonce of its own', { nonce: '' }, /nonce does not extend ours/],
  ])('a SCRAM broker that sends %s is refused', async (_, options, message) => {
    await world(async ({ broker, connect }) => {
      broker.mechanisms = { 'SCRAM-SHA-256': scramServer('sha256', 'alice', 'secret', options) }
      const error = await failureOf<KafkaError>(
        connect({ mechanism: 'SCRAM-SHA-256', username: 'alice', password: 'secret' }).connect(),
      )
      expect(error.code).toBe('ERR_AUTHENTICATION')
      expect(error.message).toMatch(message)
    })
  })

  test('passwords beyond ASCII: prepared first, and as Kafka’s tools store them if that is refused', async () => {
    // SASLprep (RFC 4013 §3): the soft hyphen goes, the roman numeral nine becomes IX.
    const password = 'I\u00adX\u2168'
    // On the real runtime: SASLprep's tables are loaded when they are first needed.
    await using broker = new SaslBroker(nodeRuntime)
    await broker.listen()
    const authenticator = saslAuthenticator({ mechanism: 'SCRAM-SHA-256', username: 'alice', password })
    const connect = async () => {
      const connection = connectionTo(broker, nodeRuntime, { authenticator })
      await connection.connect()
      await connection.close()
    }
    broker.mechanisms = { 'SCRAM-SHA-256': scramServer('sha256', 'alice', 'IXIX') }
    await connect()
    broker.mechanisms = { 'SCRAM-SHA-256': scramServer('sha256', 'alice', password) }
    expect((await failureOf<ConnectionError>(connect())).retriable).toBe(true)
    await connect()
  })

  test('delegation tokens say that they are', async () => {
    const { first } = await saslAuthenticator({
      mechanism: 'SCRAM-SHA-256',
      username: 'id',
      password: 'hmac',
      tokenAuth: true,
    }).start(contextWith({}))
    expect(text(first)).toMatch(/^n,,n=id,r=[\w-]+,tokenauth=true$/)
  })

  test('a broker before 1.0 gets bare tokens', async () => {
    await world(async ({ broker, connect }) => {
      broker.apiKeys = broker.apiKeys.filter(({ apiKey }) => apiKey !== SaslAuthenticate.key)
      const bare = new Set<number>()
      broker.script = received => {
        if (received.api !== SaslHandshake) return 'default'
        expect(received.envelope.apiVersion).toBe(0)
        bare.add(received.connection)
        return answerTo(received, { errorCode: 0, mechanisms: ['PLAIN'] })
      }
      const tokens: string[] = []
      broker.raw = (frame, connection) => {
        if (!bare.delete(connection)) return undefined
        tokens.push(frame.toString())
        return Buffer.alloc(0)
      }
      const connection = connect({ mechanism: 'PLAIN', username: 'alice', password: 'secret' })
      expect((await connection.request(Heartbeat, beat)).errorCode).toBe(0)
      expect(tokens).toEqual(['\0alice\0secret'])
    })
  })

  test('a source of credentials that hangs or fails ends the attempt in time', async () => {
    await world(async ({ broker, connect }) => {
      broker.mechanisms = { OAUTHBEARER: bearerServer(() => true) }
      const hangs = await failureOf<TimeoutError>(
        connect({ mechanism: 'OAUTHBEARER', token: () => new Promise(() => {}) }).connect(),
      )
      expect(hangs).toBeInstanceOf(TimeoutError)
      expect(hangs.message).toMatch(/getting OAUTHBEARER credentials for broker:9092 did not finish within 2000 ms/)
      const fails = await failureOf<KafkaError>(
        connect({ mechanism: 'OAUTHBEARER', token: () => Promise.reject(new Error('vault sealed')) }).connect(),
      )
      expect(fails.message).toBe('no OAUTHBEARER credentials for broker:9092: vault sealed')
      const odd = await failureOf<KafkaError>(connect({ mechanism: 'OAUTHBEARER', token: () => 'a b' }).connect())
      expect(odd.message).toMatch(/the token is empty, or holds blanks/)
    })
  })

  test('a session whose refused() throws is refused all the same', async () => {
    await world(async ({ broker, connect }) => {
      broker.mechanisms = {
        GSSAPI: () => () => {
          throw new Error('no')
        },
      }
      const refused = () => {
        throw new TypeError('mine')
      }
      const start = async () => ({ first, next, secrets: [], refused })
      const error = await failureOf<KafkaError>(connect({ mechanism: 'GSSAPI', start }).connect())
      expect(error).toMatchObject({ name: 'ConnectionError', code: 'ERR_AUTHENTICATION', retriable: false })
      expect(error.message).toMatch(/refused the GSSAPI credentials/)
    })
  })

  const first = Buffer.alloc(0)
  const next = () => undefined
  test.each<[string, () => unknown, RegExp]>([
    ['gives no session', () => undefined, /start\(\) gave undefined: return \{ first, next, secrets \}$/],
    ['gives half a session', () => ({ first, next }), /start\(\) gave an incomplete session: return \{ first, next, secrets \}$/],
    [
      'has secrets that are no texts',
      () => ({ first, next, secrets: [Buffer.from('hush')] }),
      /start\(\) gave an incomplete session/,
    ],
    [
      'begins with a text',
      () => ({ first: 'hush', next, secrets: [] }),
      /`first` of the session is string, not bytes: give a Buffer/,
    ],
    [
      'begins with nothing',
      () => ({ next, secrets: [] }),
      /`first` of the session is undefined, not bytes: give a Buffer .* an empty one if/,
    ],
    [
      'goes on with a text',
      () => ({ first, next: () => 'hush', secrets: [] }),
      /next\(\) gave string, not bytes: .* undefined when it is done/,
    ],
    ['goes on with null', () => ({ first, next: async () => null, secrets: [] }), /next\(\) gave null, not bytes: give a Buffer/],
  ])('a mechanism of one’s own that %s: an error that names it and the fix, not what it gave', async (_, start, message) => {
    await world(async ({ broker, connect }) => {
      broker.mechanisms = { GSSAPI: () => () => Buffer.alloc(0) }
      for (const begin of [start, async () => start()]) {
        const error = await failureOf<KafkaError>(connect({ mechanism: 'GSSAPI', start: begin } as SaslAuthenticator).connect())
        expect(error).toMatchObject({ name: 'ConnectionError', code: 'ERR_AUTHENTICATION', retriable: false })
        expect(error.message).toMatch(message)
        expect(error.message).toMatch(/GSSAPI.* broker:9092|broker:9092 by GSSAPI/)
        expect(error.message).not.toContain('hush')
      }
    })
  })

  const nothing = (): never => undefined as never
  test.each<[SaslOptions, RegExp]>([
    [{ mechanism: 'PLAIN', username: 'alice', password: nothing }, /gave undefined: return a string$/],
    [{ mechanism: 'SCRAM-SHA-256', username: nothing, password: 'secret' }, /gave undefined: return a string$/],
    [{ mechanism: 'OAUTHBEARER', token: nothing }, /token\(\) gave no token: return a string, or \{ value \}$/],
    [
      { mechanism: 'AWS_MSK_IAM', credentials: nothing, region: 'eu-west-1' },
      /return from it, \{ accessKeyId, secretAccessKey \}$/,
    ],
  ])('a function of %o that gives nothing: an error that says what to return', async (sasl, message) => {
    await world(async ({ connect }) => {
      const error = await failureOf<KafkaError>(connect(sasl).connect())
      expect(error).toMatchObject({ code: 'ERR_AUTHENTICATION', retriable: false })
      expect(error.message).toContain(`no ${sasl.mechanism} credentials for broker:9092: `)
      expect(error.message).toMatch(message)
    })
  })

  test('a mechanism of one’s own fits in', async () => {
    await world(async ({ broker, connect }) => {
      broker.mechanisms = { GSSAPI: () => (token, step) => Buffer.from(`${step}:${token}`) }
      const seen: string[] = []
      const authenticator: SaslAuthenticator = {
        mechanism: 'GSSAPI',
        start: async () => ({
          first: Buffer.alloc(0),
          next: challenge => {
            seen.push(text(challenge))
            return seen.length < 3 ? Buffer.from(`t${seen.length}`) : undefined
          },
          secrets: [],
        }),
      }
      await connect(authenticator).request(Heartbeat, beat)
      expect(seen).toEqual(['0:', '1:t1', '2:t2'])
    })
  })
})

describe('re-authentication', () => {
  test('SaslReauthPipelinedNoCorruption: under load requests wait while it lasts, none is lost or sent without a session', async () => {
    await world(async ({ broker, connect, runtime }) => {
      let tokens = 0
      broker.mechanisms = { OAUTHBEARER: bearerServer(() => true) }
      broker.sessionLifetimeMs = 1_000
      broker.serve = async (): Promise<Reaction> => {
        await sleep(runtime, 3)
        return 'default'
      }
      const states: string[] = []
      const connection = connect(
        {
          mechanism: 'OAUTHBEARER',
          token: async () => {
            tokens++
            await sleep(runtime, 40)
            return 'abc'
          },
        },
        { hooks: { stateChanged: (from, to) => states.push(`${from}>${to}`) } },
      )
      let answers = 0
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          while (runtime.clock.monotonic() < 30_000) {
            await connection.request(Heartbeat, beat)
            answers++
          }
        }),
      )
      expect(broker.intruders).toEqual([])
      expect(answers).toBeGreaterThan(5_000)
      expect(tokens).toBeGreaterThan(25)
      expect(states.filter(state => state === 'ready>reauthenticating').length).toBe(tokens - 1)
      await connection.close()
      await sleep(runtime, 1)
      expect(runtime.clock.pending).toBe(0)
    })
  })

  test('an idle connection runs no timer, and authenticates again when it is used', async () => {
    await world(async ({ broker, connect, runtime }) => {
      broker.mechanisms = { PLAIN: plainServer('alice', 'secret') }
      broker.sessionLifetimeMs = 5_000
      const connection = connect({ mechanism: 'PLAIN', username: 'alice', password: 'secret' })
      await connection.request(Heartbeat, beat)
      await sleep(runtime, 60_000)
      expect(runtime.clock.pending).toBe(0)
      await connection.request(Heartbeat, beat)
      expect(broker.intruders).toEqual([])
      expect(broker.authentications).toBe(2)
    })
  })

  test('close during it finishes what was accepted', async () => {
    await world(async ({ broker, connect, runtime }) => {
      broker.mechanisms = { PLAIN: plainServer('alice', 'secret') }
      broker.sessionLifetimeMs = 1_000
      const connection = connect({ mechanism: 'PLAIN', username: 'alice', password: 'secret' })
      await connection.request(Heartbeat, beat)
      await sleep(runtime, 2_000)
      runtime.hosts.conditions.latencyMs = 10
      const answer = connection.request(Heartbeat, beat)
      await sleep(runtime, 5)
      expect(connection.state).toBe('reauthenticating')
      await connection.close()
      expect((await answer).errorCode).toBe(0)
      expect(await connection.closed).toBeUndefined()
    })
  })

  test('credentials that were revoked end the connection; what waited was not sent', async () => {
    await world(async ({ broker, connect, runtime }) => {
      broker.mechanisms = { PLAIN: plainServer('alice', 'secret') }
      broker.sessionLifetimeMs = 1_000
      const connection = connect({ mechanism: 'PLAIN', username: 'alice', password: 'secret' })
      await connection.request(Heartbeat, beat)
      await sleep(runtime, 2_000)
      broker.mechanisms = { PLAIN: plainServer('alice', 'changed') }
      const error = await failureOf<ConnectionError>(connection.request(Heartbeat, beat))
      expect(error.code).toBe('ERR_AUTHENTICATION')
      expect(error.outcome).toBe('not-sent')
      expect(connection.state).toBe('closed')
    })
  })
})

test('a mechanism that never finds its next token ends the connection within requestTimeoutMs', async () => {
  await world(async ({ broker, connect, runtime }) => {
    broker.mechanisms = { PLAIN: plainServer('alice', 'secret') }
    const first = Buffer.from('\0alice\0secret')
    const hanging = { mechanism: 'PLAIN', start: async () => ({ first, secrets: [], next: () => new Promise<never>(() => {}) }) }
    const start = runtime.clock.monotonic()
    const connection = connect(hanging)
    expect(await failureOf<KafkaError>(connection.connect())).toMatchObject({ code: 'ERR_TIMEOUT', retriable: true })
    expect(runtime.clock.monotonic() - start).toBeLessThan(60_000)
    expect(connection.state).toBe('closed')
  })
})

test('the query of a token endpoint, which may hold a key, is not repeated', async () => {
  await world(async ({ connect }) => {
    const oidc = { tokenEndpoint: 'https://down.example/token?key=hush#hush', clientId: 'me', clientSecret: 'x' }
    const error = await failureOf(connect({ mechanism: 'OAUTHBEARER', oidc }, { requestTimeoutMs: 30_000 }).connect())
    expect(error.message).toMatch(/^no token from https:\/\/down\.example\/token: /)
    expect(inspect(error, { depth: 9 })).not.toContain('hush')
  })
})

describe('OAUTHBEARER by client credentials', () => {
  const oidc = { tokenEndpoint: 'https://login.example/token', clientId: 'me', clientSecret: 's3cret', scope: 'kafka' }

  test('one token serves all connections, and the next is fetched behind their backs when 80 % of its life has passed', async () => {
    await world(async ({ broker, connect, runtime }) => {
      const asked: { headers: unknown; body: unknown }[] = []
      runtime.endpoints.set(oidc.tokenEndpoint, ({ headers, body }) => {
        asked.push({ headers, body })
        return { status: 200, body: JSON.stringify({ access_token: `t${asked.length}`, expires_in: 100 }) }
      })
      const seen: string[] = []
      broker.mechanisms = { OAUTHBEARER: bearerServer(token => seen.push(token) > 0) }
      const authenticator = saslAuthenticator({ mechanism: 'OAUTHBEARER', oidc })
      await Promise.all([1, 2, 3].map(() => connect(authenticator).connect()))
      await sleep(runtime, 79_000)
      await connect(authenticator).connect()
      expect(asked.length).toBe(1)
      await sleep(runtime, 2_000)
      await connect(authenticator).connect()
      expect(asked.length).toBe(2)
      await connect(authenticator).connect()
      expect(seen).toEqual(['t1', 't1', 't1', 't1', 't1', 't2'])
      expect(asked[0]).toEqual({
        headers: {
          accept: 'application/json',
          authorization: `Basic ${Buffer.from('me:s3cret').toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        body: 'grant_type=client_credentials&scope=kafka',
      })
    })
  })

  test('an overloaded provider is asked again; one that refuses is not', async () => {
    await world(async ({ broker, connect, runtime }) => {
      broker.mechanisms = { OAUTHBEARER: bearerServer(() => true) }
      let asked = 0
      runtime.endpoints.set(oidc.tokenEndpoint, () =>
        ++asked < 3 ? { status: 503, body: '' } : { status: 200, body: '{"access_token":"t","expires_in":60}' },
      )
      await connect({ mechanism: 'OAUTHBEARER', oidc }).connect()
      expect(asked).toBe(3)
      asked = 0
      runtime.endpoints.set(oidc.tokenEndpoint, () => {
        asked++
        return { status: 401, body: '{"error":"invalid_client","error_description":"s3cret is wrong"}' }
      })
      const error = await failureOf<KafkaError>(connect({ mechanism: 'OAUTHBEARER', oidc }).connect())
      expect(error.code).toBe('ERR_AUTHENTICATION')
      expect(error.message).toBe(
        'no token from https://login.example/token: it answered 401 invalid_client: check clientId, clientSecret and scope',
      )
      expect(asked).toBe(1)
    })
  })
})

test('AWS_MSK_IAM signs for the broker’s host and region', async () => {
  const iam = saslAuthenticator({
    mechanism: 'AWS_MSK_IAM',
    credentials: async () => ({
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      sessionToken: 'session/token=',
    }),
  })
  const { first, secrets } = await iam.start(contextWith({}, 'b-1.demo.abc123.c2.kafka.eu-west-1.amazonaws.com'))
  const payload = JSON.parse(text(first))
  expect(payload).toMatchObject({
    version: '2020_10_22',
    host: 'b-1.demo.abc123.c2.kafka.eu-west-1.amazonaws.com',
    action: 'kafka-cluster:Connect',
    'x-amz-algorithm': 'AWS4-HMAC-SHA256',
    'x-amz-credential': 'AKIDEXAMPLE/20260101/eu-west-1/kafka-cluster/aws4_request',
    'x-amz-date': '20260101T000000Z',
    'x-amz-expires': '900',
    'x-amz-security-token': 'session/token=',
    'x-amz-signedheaders': 'host',
  })
  // What botocore's SigV4QueryAuth computes for the same request: the session token is part of what is signed, in its place.
  expect(payload['x-amz-signature']).toBe('db865539859e3fe57f40693c03c06007d5fa275f28aac1e5333f2b5091bd7049')
  expect(payload['user-agent']).toMatch(/^kafkawire/)
  expect(secrets).toContain('wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY')
  await expect(iam.start(contextWith({}, 'elsewhere'))).rejects.toThrow(/set sasl\.region/)
})

test("AWS_MSK_IAM signs as AWS's own SDK does", async () => {
  const runtime = new SimulatedRuntime({ epochMs: Date.parse('2021-10-14T13:05:00Z') })
  const credentials = { accessKeyId: 'ACCESS_KEY', secretAccessKey: 'SECRET_KEY' }
  const iam = saslAuthenticator({ mechanism: 'AWS_MSK_IAM', region: 'us-east-1', credentials, validSeconds: 300 })
  const { first } = await iam.start(contextWith({ clock: runtime.clock }, 'localhost'))
  expect(JSON.parse(text(first))['x-amz-signature']).toBe('6b8d25f9b45b9c7db9da855a49112d80379224153a27fd279c305a5b7940d1a7')
})

test.each([
  ['as it is', (secret: Buffer) => secret],
  ['as a frame', (secret: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, secret.length]), secret])],
  ['behind a NUL', (secret: Buffer) => Buffer.concat([Buffer.from([0]), secret])],
])('a password that the peer echoes %s appears nowhere, not in part, and in no notation', async (_, echo) => {
  const password = 'Sup3rSecret/Pa+ss'
  await world(async ({ broker, connect }) => {
    broker.mechanisms = { PLAIN: plainServer('alice', password) }
    const { script } = broker
    broker.script = received => (received.api === SaslAuthenticate ? echo(Buffer.from(password)) : script(received))
    const logger = new RecordingLogger()
    const error = await failureOf(connect({ mechanism: 'PLAIN', username: 'alice', password }, { logger }).connect())
    const seen = `${logger.lines.join('\n')}\n${inspect(error, { depth: 10 })}`
    for (const start of [0, 1, 2, 3]) {
      const part = Buffer.from(password.slice(start, start + 4))
      for (const form of [part.toString(), part.toString('hex'), String(part.readInt32BE())]) expect(seen).not.toContain(form)
    }
    expect(seen).not.toContain(String(Buffer.from(`\0${password}`).readInt32BE()))
  })
})

test.each<[string, string, string, string]>([
  ['JSON with slashes escaped', 'Sup3r/Pa+ss', 'no entry for Sup3r\\/Pa+ss', 'no entry for ***'],
  ['percent encoding in small letters', 'Sup3r/Pa+ss', 'no entry for Sup3r%2fPa%2bss', 'no entry for ***'],
  ['hexadecimal digits of both cases', 'jkl/', 'no entry for 6A6b6C2f', 'no entry for ***'],
  ['as it is, though a pattern', 'a.b|c(', 'no entry for a.b|c( or axb', 'no entry for *** or axb'],
  ['a letter that words have too', 'p', "wrong password 'p'", "wrong password '***'"],
])('of what the broker says secrets are struck out: %s', async (_, password, said, shown) => {
  await world(async ({ broker, connect }) => {
    broker.mechanisms = { PLAIN: plainServer('alice', 'another') }
    broker.refusal = () => said
    const error = await failureOf(connect({ mechanism: 'PLAIN', username: 'alice', password }).connect())
    expect(error.message).toContain(`"${shown}"`)
  })
})

test('credentials appear in no log line, error, hook or printed object', async () => {
  const secret = 'Tr0ub4dor"&3???+='
  const token = 'eyJhbGciOiJub25lIn0.c2VjcmV0.'
  const kinds: SaslOptions[] = [
    { mechanism: 'PLAIN', username: 'alice', password: secret },
    { mechanism: 'SCRAM-SHA-256', username: 'alice', password: secret },
    { mechanism: 'SCRAM-SHA-512', username: 'alice', password: secret },
    { mechanism: 'OAUTHBEARER', token: () => token },
    { mechanism: 'OAUTHBEARER', oidc: { tokenEndpoint: 'https://login.example/token', clientId: 'me', clientSecret: secret } },
    {
      mechanism: 'AWS_MSK_IAM',
      region: 'eu-west-1',
      credentials: { accessKeyId: 'AKID', secretAccessKey: secret, sessionToken: token },
    },
  ]
  const formsOf = (text: string) => [
    text,
    JSON.stringify(text).slice(1, -1),
    Buffer.from(text).toString('base64').replaceAll('=', ''),
    Buffer.from(text).toString('base64url'),
    Buffer.from(text).toString('hex'),
    Buffer.from(text).toString('hex').toUpperCase(),
    encodeURIComponent(text),
  ]
  // The broker that gets a token never hears of the secret it was bought with.
  const known = (sasl: SaslOptions) =>
    'oidc' in sasl ? [token] : 'token' in sasl ? [token] : 'password' in sasl ? [secret] : [secret, token]

  for (const sasl of kinds) {
    for (const accepted of [true, false]) {
      const output: string[] = []
      const sent: string[] = []
      await world(async ({ broker, connect, runtime }) => {
        runtime.endpoints.set('https://login.example/token', ({ headers }) =>
          accepted
            ? { status: 200, body: JSON.stringify({ access_token: token, expires_in: 9 }) }
            : { status: 400, body: `bad ${headers?.authorization} ${secret}` },
        )
        const open = () => () => Buffer.alloc(0)
        broker.mechanisms = accepted
          ? {
              PLAIN: open,
              OAUTHBEARER: open,
              AWS_MSK_IAM: open,
              'SCRAM-SHA-256': scramServer('sha256', 'alice', secret),
              'SCRAM-SHA-512': scramServer('sha512', 'alice', secret),
            }
          : Object.fromEntries(
              ['PLAIN', 'OAUTHBEARER', 'AWS_MSK_IAM', 'SCRAM-SHA-256', 'SCRAM-SHA-512'].map(name => [
                name,
                () => (bytes: Buffer) => Promise.reject(bytes) as never,
              ]),
            )
        // A hostile broker repeats everything it knows.
        broker.refusal = () =>
          `no entry for ${known(sasl).flatMap(formsOf).join(' ')} ${broker.tokens.map(String).flatMap(formsOf).join(' ')}`
        if (!accepted) {
          for (const name of Object.keys(broker.mechanisms)) {
            broker.mechanisms[name] = () => () => {
              throw new Error('refused')
            }
          }
        }
        const logger = new RecordingLogger(output)
        const authenticator = saslAuthenticator(sasl)
        const connection = connect(authenticator, {
          logger,
          hooks: {
            stateChanged: (...event) => output.push(inspect(event, { depth: 9, showHidden: true })),
            written: event => output.push(inspect(event, { depth: 9 })),
            read: event => output.push(inspect(event, { depth: 9 })),
          },
        })
        const result = await connection.request(Heartbeat, beat).catch(error => error)
        expect(result instanceof Error).toBe(!accepted)
        output.push(inspect(result, { depth: 9, showHidden: true }), inspect(authenticator, { depth: 9, showHidden: true }))
        output.push(
          JSON.stringify(authenticator),
          inspect(await connection.connect().catch(error => error), { depth: 9, showHidden: true }),
        )
        await connection.close()
        output.push(inspect(await connection.closed, { depth: 9, showHidden: true }))
        sent.push(...broker.tokens.map(String))
      })
      expect(output.join('\n')).toContain(accepted ? 'ready' : 'closed')
      for (const form of [secret, token, ...sent].flatMap(formsOf))
        expect(
          output.find(line => line.includes(form)),
          `${sasl.mechanism} shows its secret`,
        ).toBeUndefined()
    }
  }
})
