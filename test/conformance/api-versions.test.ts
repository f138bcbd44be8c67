import { describe, expect, onTestFinished, test } from 'vitest'
import { Client } from '../../src/client/index.ts'
import { ApiVersions, allApis, Fetch, FindCoordinator, Metadata, Produce } from '../../src/protocol/index.ts'
import { brokerIsAtLeast, brokerUnderTest } from '../brokers/broker-under-test.ts'

async function connected(): Promise<Client> {
  const { bootstrapServers } = await brokerUnderTest()
  const client = new Client({ bootstrapServers })
  onTestFinished(() => client.close())
  await client.connect()
  return client
}

describe('api versions', () => {
  test('each version we would use is one that the broker offers', async () => {
    const client = await connected()
    const nodeId = client.metadata.brokers()[0]!.nodeId
    const { apiKeys } = await client.request(ApiVersions, {}, { nodeId, version: 0 })
    const offered = new Map(apiKeys.map(({ apiKey, ...range }) => [apiKey, range]))
    expect(offered.size).toBeGreaterThan(5)
    for (const api of allApis) {
      const range = offered.get(api.key)
      if (!range || range.minVersion > api.request.versions[1] || range.maxVersion < api.request.versions[0]) {
        await expect(client.versionOf(nodeId, api), api.name).rejects.toMatchObject({ code: 'ERR_UNSUPPORTED_VERSION' })
        continue
      }
      const version = await client.versionOf(nodeId, api)
      expect(version, api.name).toBeGreaterThanOrEqual(range.minVersion)
      expect(version, api.name).toBeLessThanOrEqual(range.maxVersion)
    }
  })

  test('the newest version of each API that both know is used', async () => {
    const client = await connected()
    const nodeId = client.metadata.brokers()[0]!.nodeId
    const { apiKeys } = await client.request(ApiVersions, {}, { nodeId, version: 0 })
    for (const api of [Metadata, FindCoordinator, Produce, Fetch]) {
      const offered = apiKeys.find(({ apiKey }) => apiKey === api.key)!
      expect(await client.versionOf(nodeId, api), api.name).toBe(Math.min(offered.maxVersion, api.request.versions[1]))
    }
  })

  test.runIf(brokerIsAtLeast('2.4'))('a broker of 2.4 or newer tells its features and takes our name', async () => {
    const client = await connected()
    const nodeId = client.metadata.brokers()[0]!.nodeId
    const answer = await client.request(
      ApiVersions,
      { clientSoftwareName: 'kafkawire', clientSoftwareVersion: '1.0' },
      { nodeId, minVersion: 3 },
    )
    expect(answer.errorCode).toBe(0)
    expect(answer.apiKeys.some(({ apiKey }) => apiKey === Metadata.key)).toBe(true)
  })

  test('every version of Metadata that the broker offers is answered alike', async () => {
    const client = await connected()
    const nodeId = client.metadata.brokers()[0]!.nodeId
    const { apiKeys } = await client.request(ApiVersions, {}, { nodeId, version: 0 })
    const { minVersion, maxVersion } = apiKeys.find(({ apiKey }) => apiKey === Metadata.key)!
    const [least, most] = Metadata.request.versions
    for (let version = Math.max(minVersion, least); version <= Math.min(maxVersion, most); version++) {
      const answer = await client.request(Metadata, { topics: version === 0 ? [] : null }, { nodeId, version })
      expect(
        answer.brokers.map(broker => broker.nodeId),
        `Metadata v${version}`,
      ).toContain(nodeId)
    }
  })
})
