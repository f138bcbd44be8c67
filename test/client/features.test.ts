import { expect, test } from 'vitest'
import { Client } from '../../src/client/index.ts'
import { ApiVersions, InitProducerId } from '../../src/protocol/apis/index.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { ScriptedBroker } from './scripted-broker.ts'

const range = (apiKey: number, maxVersion: number) => ({ apiKey, minVersion: 0, maxVersion })

/** A broker that offers a version of InitProducerId which Kafka may still change. */
async function withClient(use: (client: Client, broker: ScriptedBroker) => Promise<void>): Promise<void> {
  const sim = new SimulatedRuntime()
  await sim.run(async () => {
    const broker = await ScriptedBroker.listen(sim, 'broker')
    broker
      .on(ApiVersions, () => ({
        errorCode: 0,
        apiKeys: [range(3, 13), range(18, 5), range(InitProducerId.key, 6)],
        supportedFeatures: [{ name: 'metadata.version', minVersion: 7, maxVersion: 30 }],
        finalizedFeatures: [{ name: 'metadata.version', minVersionLevel: 29, maxVersionLevel: 29 }],
        finalizedFeaturesEpoch: 11n,
      }))
      .on(InitProducerId, () => ({ throttleTimeMs: 0, errorCode: 0, producerId: 1n, producerEpoch: 0 }))
    const client = new Client({ bootstrapServers: broker.address, enableMetricsPush: false }, sim)
    await client.connect()
    await use(client, broker)
    await client.close()
  })
}

test('what features a broker supports, and what its cluster has agreed on (KIP-584)', () =>
  withClient(async client => {
    expect(await client.featuresOf(1)).toEqual({
      supported: new Map([['metadata.version', { min: 7, max: 30 }]]),
      finalized: new Map([['metadata.version', { min: 29, max: 29 }]]),
      finalizedEpoch: 11n,
    })
  }))

test('a version that Kafka may still change is used by those only who name it', () =>
  withClient(async (client, broker) => {
    const sent = () => broker.requests.filter(({ api }) => api === 'InitProducerId').map(({ version }) => version)
    const request = { transactionalId: null, transactionTimeoutMs: 1_000 }
    await client.request(InitProducerId, request)
    await client.request(InitProducerId, request, { maxVersion: 6 })
    expect(sent()).toEqual([5, 5])
    await client.request(InitProducerId, request, { version: 6 })
    expect(sent()).toEqual([5, 5, 6])
  }))
