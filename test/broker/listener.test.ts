import { describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { Connection } from '../../src/net/connection.ts'
import { saslAuthenticator } from '../../src/net/sasl/index.ts'
import { Metadata } from '../../src/protocol/apis/index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { silent } from '../../src/util/logger.ts'
import { makeCertificate } from '../net/certificate.ts'
import { setUp } from './set-up.ts'

const allTopics = { topics: null, includeTopicAuthorizedOperations: false }

function connectionTo(bootstrapServers: string, more: object): Connection {
  const [host, port] = bootstrapServers.split(':')
  const limits = { connectTimeoutMs: 5_000, requestTimeoutMs: 5_000, maxResponseBytes: 1 << 20, maxInFlight: 5 }
  return new Connection({ host: host!, port: Number(port), clientId: 'test', logger: silent, ...limits, ...more }, nodeRuntime)
}

describe('listeners that our own connection uses', () => {
  test('TLS', async () => {
    const certificate = makeCertificate('127.0.0.1')
    await using broker = await startBroker({ tls: { ...certificate } })
    const connection = connectionTo(broker.bootstrapServers, { tls: { ca: certificate.cert } })
    await connection.connect()
    expect((await connection.request(Metadata, allTopics)).clusterId).toBe(broker.clusterId)
    await connection.close()
    // In plain text there is nobody to talk to, and the broker goes on.
    await expect(connectionTo(broker.bootstrapServers, {}).connect()).rejects.toThrow()
    const again = connectionTo(broker.bootstrapServers, { tls: { ca: certificate.cert } })
    await again.connect()
    await again.close()
  })

  test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const)('SASL %s', async mechanism => {
    await using broker = await startBroker({ sasl: { users: { alice: 'pässword, =x' } } })
    const login = (password: string) => {
      const credentials = { username: 'alice', password }
      const authenticator = saslAuthenticator(
        mechanism === 'PLAIN' ? { mechanism, ...credentials } : { mechanism, ...credentials },
      )
      return connectionTo(broker.bootstrapServers, { authenticator })
    }
    const connection = login('pässword, =x')
    await connection.connect()
    await connection.request(Metadata, allTopics)
    await connection.close()
    await expect(login('wrong').connect()).rejects.toMatchObject({ code: 'ERR_AUTHENTICATION' })
  })
})

test('a throttled client is answered at once, and not read until its time is over (KIP-219)', async () => {
  const { broker, client } = await setUp()
  broker.throttle(Metadata, 50)
  const started = performance.now()
  const first = await client.request(Metadata, 12, allTopics)
  expect(first.throttleTimeMs).toBe(50)
  broker.throttle(Metadata, 0)
  expect((await client.request(Metadata, 12, allTopics)).throttleTimeMs).toBe(0)
  expect(performance.now() - started).toBeGreaterThanOrEqual(45)
})

test('an IPv6 address stands in brackets in bootstrapServers', async () => {
  const runtime = new SimulatedRuntime()
  await runtime.run(async () => {
    await using broker = await startBroker({ runtime, host: '::1', port: 9092, nodes: 2 })
    expect(broker.bootstrapServers).toBe('[::1]:9092,[::1]:9093')
  })
})
