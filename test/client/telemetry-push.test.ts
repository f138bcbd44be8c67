import { describe, expect, test } from 'vitest'
import { Client, type ClientOptionsInput } from '../../src/client/index.ts'
import { UnsupportedVersionError } from '../../src/errors.ts'
import { GetTelemetrySubscriptions, Metadata, PushTelemetry } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { type Decoded, NO_UUID } from '../../src/protocol/schema.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { ScriptedBroker } from './scripted-broker.ts'
import { inWorld } from './simulation.ts'

type Push = Decoded<(typeof PushTelemetry)['request']>
const ID = 'client-instance-AAAAAA'
const subscription = (change: object = {}) => ({
  throttleTimeMs: 0,
  errorCode: 0,
  clientInstanceId: ID,
  subscriptionId: 7,
  acceptedCompressionTypes: [],
  pushIntervalMs: 10_000,
  telemetryMaxBytes: 1 << 20,
  deltaTemporality: true,
  requestedMetrics: ['org.apache.kafka.client.request'],
  ...change,
})

function scripted(
  answers: { subscription?: object; pushErrors?: number[] },
  run: (world: { sim: SimulatedRuntime; client: Client; pushes: Push[]; asked: string[] }) => Promise<void>,
  options: Partial<ClientOptionsInput> = {},
) {
  const sim = new SimulatedRuntime()
  return sim.run(async () => {
    const pushes: Push[] = []
    const asked: string[] = []
    const errors = [...(answers.pushErrors ?? [])]
    const broker = await ScriptedBroker.listen(sim, 'broker')
    broker
      .on(GetTelemetrySubscriptions, request => {
        asked.push(request.clientInstanceId)
        return subscription(answers.subscription)
      })
      .on(PushTelemetry, request => {
        pushes.push({ ...request, metrics: Buffer.from(request.metrics) })
        return { throttleTimeMs: 0, errorCode: errors.shift() ?? 0 }
      })
    const client = new Client({ bootstrapServers: broker.address, ...options }, sim)
    await run({ sim, client, pushes, asked })
    await client.close()
  })
}

describe('KIP-714', () => {
  test('what a subscription asks for is pushed at its interval, and a last time when the client closes', () =>
    scripted({}, async ({ client, pushes, asked }) => {
      await client.connect()
      expect(await client.clientInstanceId()).toBe(ID)
      expect(asked).toEqual([NO_UUID])
      await client.delay(36_000)
      expect(pushes.length).toBeGreaterThanOrEqual(3)
      expect(pushes.length).toBeLessThanOrEqual(4)
      expect(pushes.every(push => push.clientInstanceId === ID && push.subscriptionId === 7 && !push.terminating)).toBe(true)
      const text = pushes[0]?.metrics.toString() ?? ''
      expect(text).toMatch(/org\.apache\.kafka\.client\.request\.total/)
      expect(text).not.toMatch(/connection/)
      const before = pushes.length
      await client.close()
      expect(pushes.slice(before).map(push => push.terminating)).toEqual([true])
    }))

  test.each([5_000, 200, 0])('the last push is part of the time that close() may take: %i ms', timeoutMs =>
    scripted({}, async ({ sim, client }) => {
      await client.connect()
      await client.delay(36_000)
      sim.hosts.partition('broker')
      const start = sim.clock.monotonic()
      await client.close({ timeoutMs })
      expect(sim.clock.monotonic() - start).toBeLessThanOrEqual(timeoutMs + 1)
      sim.hosts.heal()
    }),
  )

  test('without requested metrics nothing is pushed, but the broker is asked again', () =>
    scripted({ subscription: { requestedMetrics: [] } }, async ({ client, pushes, asked }) => {
      await client.connect()
      await client.delay(35_000)
      expect(asked).toEqual([NO_UUID, ID, ID, ID])
      await client.close()
      expect(pushes).toEqual([])
    }))

  test('a subscription that changed is fetched anew; a refused request ends the pushing', () =>
    scripted(
      { pushErrors: [ErrorCode.UNKNOWN_SUBSCRIPTION_ID, ErrorCode.INVALID_REQUEST] },
      async ({ client, pushes, asked }) => {
        await client.connect()
        await client.delay(100_000)
        expect(asked).toEqual([NO_UUID, ID])
        expect(pushes.length).toBe(2)
      },
    ))

  test('more than the broker takes is not sent', () =>
    scripted({ subscription: { telemetryMaxBytes: 10 } }, async ({ client, pushes }) => {
      await client.connect()
      await client.delay(100_000)
      expect(pushes).toEqual([])
    }))

  test('enableMetricsPush: false asks nothing, and clientInstanceId() says that there is none', () =>
    scripted(
      {},
      async ({ client, asked }) => {
        await client.connect()
        await expect(client.clientInstanceId()).rejects.toMatchObject({
          code: 'ERR_ILLEGAL_STATE',
          message: expect.stringMatching(/enableMetricsPush/),
        })
        await client.delay(100_000)
        expect(asked).toEqual([])
      },
      { enableMetricsPush: false },
    ))

  test('a broker that takes no metrics is asked nothing, and clientInstanceId() says so', () =>
    inWorld({ nodes: 1 }, async world => {
      const client = world.client({ enableMetricsPush: true })
      await client.connect()
      let asked = 0
      world.broker.intercept(Metadata, () => {
        asked++
        return 'pass'
      })
      await client.delay(100_000)
      expect(asked).toBe(0)
      await expect(client.clientInstanceId()).rejects.toBeInstanceOf(UnsupportedVersionError)
    }))
})
