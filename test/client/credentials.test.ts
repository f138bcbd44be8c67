import { describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import type { ClientOptionsInput } from '../../src/client/index.ts'
import { Kafka } from '../../src/index.ts'
import { ListGroups } from '../../src/protocol/apis/index.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { string } from '../../src/serde/index.ts'

/** Fails for five seconds from each time that `fail` is called. */
function source(runtime: SimulatedRuntime) {
  let until = 0
  return {
    fail: () => {
      until = runtime.clock.monotonic() + 5_000
    },
    ask: <T>(credential: T): T => {
      if (runtime.clock.monotonic() < until) throw new Error('vault sealed')
      return credential
    },
  }
}

describe('credentials that cannot be got for five seconds', () => {
  const ways: readonly [string, (ask: <T>(credential: T) => T, runtime: SimulatedRuntime) => ClientOptionsInput['sasl']][] = [
    ['a password', ask => ({ mechanism: 'PLAIN', username: 'u', password: () => ask('p') })],
    [
      'a token',
      (ask, { clock }) => ({
        mechanism: 'OAUTHBEARER',
        token: async () => ask({ value: 'token', expiresAtMs: clock.now() + 60_000 }),
      }),
    ],
    [
      'a token of an identity provider',
      (ask, runtime) => {
        runtime.endpoints.set('https://id.example/token', () => {
          try {
            return { status: 200, body: ask('{"access_token":"token","expires_in":60}') }
          } catch {
            return { status: 503, body: '' }
          }
        })
        return { mechanism: 'OAUTHBEARER', oidc: { tokenEndpoint: 'https://id.example/token', clientId: 'c', clientSecret: 's' } }
      },
    ],
  ]
  test.each(ways)('%s: whatever is under way waits, and goes on', async (_, sasl) => {
    const runtime = new SimulatedRuntime()
    await runtime.run(async () => {
      const broker = await startBroker({
        host: 'a',
        topics: { t: 2 },
        runtime: runtime.on('a'),
        sasl: { mechanisms: ['PLAIN', 'OAUTHBEARER'], users: { u: 'p' }, validateToken: () => ({ principal: 'u' }) },
      })
      const vault = source(runtime)
      const kafka = new Kafka(
        { bootstrapServers: broker.bootstrapServers, enableMetricsPush: false, sasl: sasl(vault.ask, runtime)! },
        runtime,
      )
      const client = kafka.client()
      const producer = kafka.producer({ value: string })
      const consumer = kafka.consumer({ value: string, autoOffsetReset: 'earliest' })
      consumer.assign([
        { topic: 't', partition: 0 },
        { topic: 't', partition: 1 },
      ])
      for (const value of ['at the start', 'when connections were lost and the token has expired']) {
        vault.fail()
        const from = runtime.clock.monotonic()
        const [, , batch] = await Promise.all([
          client.request(ListGroups, {}),
          producer.send({ topic: 't', value }),
          consumer.poll({ timeoutMs: 20_000 }),
        ])
        expect(runtime.clock.monotonic() - from).toBeGreaterThan(5_000)
        expect(Array.from(batch, record => record.value)).toEqual([value])
        await new Promise<void>(resolve => void runtime.clock.setTimer(90_000, resolve))
        for (const nodeId of broker.nodeIds) broker.dropConnections(nodeId)
      }
      await Promise.all([consumer, producer, client].map(each => each.close()))
      await broker.close()
    })
  })
})
