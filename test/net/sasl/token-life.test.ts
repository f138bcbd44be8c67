import { describe, expect, test } from 'vitest'
import type { ConnectionError, KafkaError } from '../../../src/errors.ts'
import { type OAuthBearerOptions, saslAuthenticator } from '../../../src/net/sasl/index.ts'
import { Heartbeat } from '../../../src/protocol/apis/index.ts'
import type { SimulatedRuntime } from '../../../src/runtime/simulated/index.ts'
import { Deferred } from '../../../src/util/deferred.ts'
import { failureOf, sleep } from '../connecting.ts'
import { bearerServer, plainServer, type SaslBroker, type World, world } from './sasl-broker.ts'

const beat = { groupId: 'g', generationId: 1, memberId: 'm' }
const oidc = { tokenEndpoint: 'https://login.example/token', clientId: 'me', clientSecret: 's3cret' }

/** A provider of tokens that live for an hour, and a broker whose sessions end with the token (KIP-368). */
function provider(runtime: SimulatedRuntime, broker: SaslBroker) {
  const state = { up: true, asked: 0 }
  const expiry = new Map<string, number>()
  runtime.endpoints.set(oidc.tokenEndpoint, () => {
    state.asked++
    if (!state.up) return { status: 503, body: '' }
    const token = `t${state.asked}`
    expiry.set(token, runtime.clock.monotonic() + 3_600_000)
    return { status: 200, body: JSON.stringify({ access_token: token, expires_in: 3_600 }) }
  })
  const server = bearerServer(token => {
    broker.sessionLifetimeMs = Math.max(1, Math.floor((expiry.get(token) ?? 0) - runtime.clock.monotonic()))
    return (expiry.get(token) ?? 0) > runtime.clock.monotonic()
  })
  broker.mechanisms = { OAUTHBEARER: server }
  return state
}

/** A connection as alice, whose sessions last so long; `password` gives her password, or fails to. */
const aliceIn = (
  sessionLifetimeMs: number,
  password: (runtime: SimulatedRuntime) => string | Promise<string>,
  body: (world: Pick<World, 'broker' | 'runtime'> & { readonly connection: ReturnType<World['connect']> }) => Promise<void>,
) =>
  world(async ({ broker, connect, runtime }) => {
    broker.mechanisms = { PLAIN: plainServer('alice', 'secret') }
    broker.sessionLifetimeMs = sessionLifetimeMs
    const connection = connect({ mechanism: 'PLAIN', username: 'alice', password: () => password(runtime) })
    await body({ broker, runtime, connection })
  })
/** The password, but for a time. */
const sealedBetween =
  (from: number, until: number) =>
  ({ clock }: SimulatedRuntime) =>
    clock.monotonic() > from && clock.monotonic() < until ? Promise.reject(new Error('vault sealed')) : 'secret'

describe('while no new token can be had', () => {
  test('requests flow on the session and the token that are still valid, and the next token is asked for with pauses', async () => {
    await world(async ({ broker, connect, runtime }) => {
      const state = provider(runtime, broker)
      const connection = connect({ mechanism: 'OAUTHBEARER', oidc })
      while (runtime.clock.monotonic() < 7_000_000) {
        const now = runtime.clock.monotonic()
        state.up = now < 2_700_000 || now > 3_400_000
        expect((await connection.request(Heartbeat, beat)).errorCode).toBe(0)
        await sleep(runtime, 5_000)
      }
      expect(broker.intruders).toEqual([])
      // Four tries each time.
      expect(state.asked).toBeLessThan(4 * 75)
    })
  })

  test('a new connection gets the token that is still valid, at once', async () => {
    await world(async ({ broker, connect, runtime }) => {
      const state = provider(runtime, broker)
      const authenticator = saslAuthenticator({ mechanism: 'OAUTHBEARER', oidc })
      await connect(authenticator).connect()
      await sleep(runtime, 3_000_000)
      for (const endpoint of [() => ({ status: 503, body: '' }), () => new Promise<never>(() => {})]) {
        runtime.endpoints.set(oidc.tokenEndpoint, endpoint)
        const from = runtime.clock.monotonic()
        const connection = connect(authenticator)
        await connection.connect()
        expect(runtime.clock.monotonic() - from).toBeLessThan(50)
        await connection.close()
        await sleep(runtime, 60_000)
      }
      expect(broker.tokens.map(token => /Bearer (\w+)/.exec(String(token))![1])).toEqual(['t1', 't1', 't1'])
      expect(state.asked).toBe(1)
    })
  })

  test('however many connections are made, it is asked for again after a pause only', async () => {
    await world(async ({ broker, connect, runtime }) => {
      broker.mechanisms = { OAUTHBEARER: bearerServer(() => true) }
      const asked: number[] = []
      const authenticator = saslAuthenticator({
        mechanism: 'OAUTHBEARER',
        token: () => {
          asked.push(runtime.clock.monotonic())
          if (asked.length > 1) throw new Error('vault sealed')
          return { value: 'abc', expiresAtMs: runtime.clock.now() + 100_000 }
        },
      })
      await connect(authenticator).connect()
      await sleep(runtime, 81_000)
      for (let second = 0; second < 15; second++) {
        await connect(authenticator).connect()
        await sleep(runtime, 1_000)
      }
      const pauses = asked.map((time, index) => Math.round((time - (asked[index - 1] ?? 0)) / 1_000))
      expect(pauses).toEqual([0, 81, 10])
    })
  })

  test('a session whose credentials cannot be fetched lasts to its end, and says then why', async () => {
    await world(async ({ broker, connect, runtime }) => {
      broker.mechanisms = { PLAIN: plainServer('alice', 'secret') }
      broker.sessionLifetimeMs = 100_000
      let sealed = false
      const password = () => (sealed ? Promise.reject(new Error('vault sealed')) : 'secret')
      const connection = connect({ mechanism: 'PLAIN', username: 'alice', password })
      await connection.connect()
      sealed = true
      while (runtime.clock.monotonic() < 94_000) {
        await connection.request(Heartbeat, beat)
        await sleep(runtime, 500)
      }
      await sleep(runtime, 2_000)
      const error = await failureOf<ConnectionError>(connection.request(Heartbeat, beat, { timeoutMs: 30_000 }))
      expect(error).toMatchObject({ code: 'ERR_AUTHENTICATION', outcome: 'not-sent' })
      expect(error.message).toMatch(/vault sealed/)
      expect(runtime.clock.monotonic()).toBeGreaterThan(99_000)
      expect(runtime.clock.monotonic()).toBeLessThan(101_000)
      expect(broker.intruders).toEqual([])
    })
  })

  test('one that can be fetched again in time saves the session, and what waited is sent', () =>
    aliceIn(100_000, sealedBetween(1_000, 97_000), async ({ broker, connection, runtime }) => {
      await connection.connect()
      await sleep(runtime, 92_000)
      await connection.request(Heartbeat, beat)
      await sleep(runtime, 4_000)
      expect((await connection.request(Heartbeat, beat, { timeoutMs: 30_000 })).errorCode).toBe(0)
      expect(broker.authentications).toBe(2)
      expect(broker.intruders).toEqual([])
    }))
})

test('a long session is used until shortly before it ends while no credentials can be had', () =>
  aliceIn(3_600_000, sealedBetween(2_800_000, 3_580_000), async ({ broker, connection, runtime }) => {
    while (runtime.clock.monotonic() < 3_700_000) {
      await connection.request(Heartbeat, beat)
      await sleep(runtime, 5_000)
    }
    expect(broker.authentications).toBe(2)
    expect(broker.intruders).toEqual([])
  }))

test('credentials whose source hung are asked for again: a timeout is not the end of asking', () => {
  let asked = 0
  const password = () => (++asked === 2 ? new Promise<never>(() => {}) : 'secret')
  return aliceIn(100_000, password, async ({ broker, connection, runtime }) => {
    await connection.connect()
    while (runtime.clock.monotonic() < 150_000) {
      await connection.request(Heartbeat, beat)
      await sleep(runtime, 1_000)
    }
    expect(asked).toBe(3)
    expect(broker.authentications).toBe(2)
    expect(broker.intruders).toEqual([])
  })
})

test('a token whose source hung while nobody waited is asked for again, and new connections get in', async () => {
  await world(async ({ broker, connect, runtime }) => {
    let asked = 0
    broker.mechanisms = { OAUTHBEARER: bearerServer(() => true) }
    const authenticator = saslAuthenticator({
      mechanism: 'OAUTHBEARER',
      token: () =>
        ++asked === 2 ? new Promise<never>(() => {}) : { value: `t${asked}`, expiresAtMs: runtime.clock.now() + 100_000 },
    })
    await connect(authenticator).connect()
    await sleep(runtime, 85_000)
    await connect(authenticator).connect() // sets off the fetch that hangs, with 15 s of the token's life left
    expect(asked).toBe(2)
    await sleep(runtime, 40_000)
    await connect(authenticator).connect()
    expect(asked).toBe(3)
  })
})

describe('sessions that are short', () => {
  test.each([400, 900, 1_200])('of %d ms are renewed once a second at most, as Kafka wants it', sessionLifetimeMs =>
    aliceIn(
      sessionLifetimeMs,
      () => 'secret',
      async ({ broker, connection, runtime }) => {
        await connection.connect()
        while (runtime.clock.monotonic() < 20_000) {
          expect((await connection.request(Heartbeat, beat)).errorCode).toBe(0)
          await sleep(runtime, 100)
        }
        expect(broker.authentications).toBeLessThanOrEqual(21)
      },
    ),
  )

  test('last as long as the token does: a renewal waits for the next token, unless that cannot be had', async () => {
    await world(async ({ broker, connect, runtime }) => {
      let up = true
      const asked: number[] = []
      broker.mechanisms = {
        OAUTHBEARER: bearerServer(token => {
          broker.sessionLifetimeMs = Math.max(1, Number(token) - runtime.clock.now())
          return Number(token) > runtime.clock.now()
        }),
      }
      const connection = connect({
        mechanism: 'OAUTHBEARER',
        token: async () => {
          asked.push(runtime.clock.monotonic())
          await sleep(runtime, 50)
          if (!up) throw new Error('provider down')
          const expiresAtMs = Math.ceil(runtime.clock.now()) + 60_000
          return { value: String(expiresAtMs), expiresAtMs }
        },
      })
      await connection.connect()
      while (runtime.clock.monotonic() < 600_000) {
        up = runtime.clock.monotonic() < 300_000 || runtime.clock.monotonic() > 305_000
        expect((await connection.request(Heartbeat, beat)).errorCode).toBe(0)
        await sleep(runtime, 500)
      }
      // One authentication per token, 51 s or so apart; the pause of 5 s costs one or two more.
      expect(broker.authentications).toBeLessThanOrEqual(15)
      expect(broker.intruders).toEqual([])
    })
  })
})

describe('a connection that is closed while requests wait for credentials', () => {
  const held = (
    body: (held: {
      readonly answer: Promise<{ errorCode: number }>
      readonly closing: Promise<void>
      readonly broker: SaslBroker
      readonly runtime: SimulatedRuntime
      readonly give: (password: string | Promise<never>) => void
    }) => Promise<void>,
  ) =>
    world(async ({ broker, connect, runtime }) => {
      broker.mechanisms = { PLAIN: plainServer('alice', 'secret') }
      broker.sessionLifetimeMs = 10_000
      const next = new Deferred<string>()
      let asked = 0
      const connection = connect({
        mechanism: 'PLAIN',
        username: 'alice',
        password: () => (asked++ === 0 ? 'secret' : next.promise),
      })
      await connection.connect()
      await sleep(runtime, 9_600)
      const answer = connection.request(Heartbeat, beat)
      await sleep(runtime, 10)
      expect(connection.queued).toBe(1)
      await body({ answer, closing: connection.close(), broker, runtime, give: password => next.resolve(password as never) })
      expect(broker.intruders).toEqual([])
    })

  test('sends them once there are some, then ends', () =>
    held(async ({ answer, closing, broker, runtime, give }) => {
      await sleep(runtime, 200)
      give('secret')
      expect((await answer).errorCode).toBe(0)
      await closing
      expect(broker.authentications).toBe(2)
      expect(runtime.clock.monotonic()).toBeLessThan(10_000)
    }))

  test('ends when nobody waits for them any more, and authenticates for nobody', () =>
    held(async ({ answer, closing, broker, give, runtime }) => {
      expect(await failureOf(answer)).toMatchObject({
        outcome: 'not-sent',
        message: expect.stringContaining('no new credentials'),
      })
      await closing
      give('secret')
      await sleep(runtime, 100)
      expect(broker.authentications).toBe(1)
    }))
})

test('a token that the broker refuses is dropped: the next connection comes with another', async () => {
  await world(async ({ broker, connect, runtime }) => {
    const revoked = new Set<string>()
    const state = provider(runtime, broker)
    broker.mechanisms = { OAUTHBEARER: bearerServer(token => !revoked.has(token)) }
    const authenticator = saslAuthenticator({ mechanism: 'OAUTHBEARER', oidc })
    await connect(authenticator).connect()
    revoked.add('t1')
    // It was in order when it was fetched, so another may be.
    const refused = await failureOf<KafkaError>(connect(authenticator).connect())
    expect(refused).toMatchObject({ code: 'ERR_AUTHENTICATION', retriable: true })
    await connect(authenticator).connect()
    expect(state.asked).toBe(2)
    for (const name of ['t2', 't3']) revoked.add(name)
    await failureOf(connect(authenticator).connect())
    // One that was just fetched says enough.
    expect(await failureOf<KafkaError>(connect(authenticator).connect())).toMatchObject({ retriable: false })
  })
})

describe('nothing goes on once the connection is over', () => {
  const pending = async (options: (signals: AbortSignal[]) => OAuthBearerOptions) => {
    await world(async ({ broker, connect, runtime }) => {
      broker.mechanisms = { OAUTHBEARER: bearerServer(() => true) }
      runtime.endpoints.set(oidc.tokenEndpoint, () => new Promise<never>(() => {}))
      runtime.endpoints.set('https://down.example/token', () => ({ status: 503, body: '' }))
      const signals: AbortSignal[] = []
      const connection = connect({ mechanism: 'OAUTHBEARER', ...options(signals) }, { requestTimeoutMs: 30_000 })
      const opening = failureOf<KafkaError>(connection.connect())
      await sleep(runtime, 200)
      connection.destroy()
      expect((await opening).code).toBe('ERR_CLOSED')
      await sleep(runtime, 1)
      expect(runtime.clock.monotonic()).toBeLessThan(300)
      expect(runtime.clock.pending).toBe(0)
      for (const signal of signals) expect(signal.aborted).toBe(true)
    })
  }

  test('a token function that hangs', () =>
    pending(signals => ({
      token: ({ signal }) => {
        signals.push(signal)
        return new Promise<never>(() => {})
      },
    })))

  test('the tries to renew a session that lasts for long', () => {
    let asked = 0
    const password = () => (++asked === 1 ? 'secret' : new Promise<never>(() => {}))
    return aliceIn(3_600_000, password, async ({ connection, runtime }) => {
      await connection.connect()
      await sleep(runtime, 3_300_000)
      await connection.request(Heartbeat, beat)
      await sleep(runtime, 1_000)
      expect(asked).toBe(2)
      connection.destroy()
      await sleep(runtime, 60_000)
      expect(asked).toBe(2)
    })
  })

  test('a token endpoint that hangs', () => pending(() => ({ oidc })))

  test('the pause before a token endpoint is asked again', () =>
    pending(() => ({ oidc: { ...oidc, tokenEndpoint: 'https://down.example/token' } })))

  test('others that wait for the token that it asked for ask for it themselves', async () => {
    await world(async ({ broker, connect, runtime }) => {
      broker.mechanisms = { OAUTHBEARER: bearerServer(() => true) }
      let asked = 0
      const authenticator = saslAuthenticator({
        mechanism: 'OAUTHBEARER',
        token: () => (++asked === 1 ? new Promise<never>(() => {}) : 'abc'),
      })
      const first = connect(authenticator)
      const second = connect(authenticator)
      void first.connect().catch(() => {})
      const opening = second.connect()
      await sleep(runtime, 100)
      first.destroy()
      await opening
      expect(asked).toBe(2)
    })
  })

  test('a token function that hangs for one connection does not for the next', async () => {
    await world(async ({ broker, connect }) => {
      broker.mechanisms = { OAUTHBEARER: bearerServer(() => true) }
      let asked = 0
      const authenticator = saslAuthenticator({
        mechanism: 'OAUTHBEARER',
        token: () => (++asked === 1 ? new Promise<never>(() => {}) : 'abc'),
      })
      expect((await failureOf<KafkaError>(connect(authenticator).connect())).code).toBe('ERR_TIMEOUT')
      await connect(authenticator).connect()
      expect(asked).toBe(2)
    })
  })
})
