import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { Client } from '../../src/client/index.ts'
import { IncrementalAlterConfigs, Metadata } from '../../src/protocol/apis/index.ts'
import { JvmCluster } from '../brokers/jvm.ts'
import { compileJava } from '../java/java.ts'

/** A line of test/java/TelemetryReporter.java. */
interface Push {
  readonly clientId: string
  readonly instanceId: string
  readonly terminating: boolean
  readonly contentType: string
  readonly resource: Readonly<Record<string, string>>
  readonly metrics: readonly {
    readonly name: string
    readonly kind: string
    readonly value: number
    readonly temporality?: string
    readonly monotonic?: boolean
    readonly timeMs: number
    readonly startMs: number
    readonly attributes: Readonly<Record<string, string>>
  }[]
  readonly unknownFields: number
  readonly failure?: string
}

const directory = mkdtempSync(join(tmpdir(), 'kafkawire-telemetry-'))
const file = join(directory, 'pushes.jsonl')
const CLIENT_METRICS = 16
const SET = 0
let cluster: JvmCluster

beforeAll(async () => {
  await compileJava('4.4.0', 'TelemetryReporter.java', directory)
  cluster = await JvmCluster.start({
    classpath: [directory],
    config: { 'metric.reporters': 'TelemetryReporter' },
    systemProperties: { 'telemetry.file': file },
  })
  await using client = new Client({ bootstrapServers: cluster.bootstrapServers, enableMetricsPush: false })
  const configs = Object.entries({ metrics: 'org.apache.kafka.client.', 'interval.ms': '1000', match: 'client_id=watched.*' })
  const { responses } = await client.request(IncrementalAlterConfigs, {
    resources: [
      {
        resourceType: CLIENT_METRICS,
        resourceName: 'all-of-the-client',
        configs: configs.map(([name, value]) => ({ name, configOperation: SET, value })),
      },
    ],
    validateOnly: false,
  })
  expect(responses[0]).toMatchObject({ errorCode: 0 })
})
afterAll(async () => {
  await cluster?.close()
  rmSync(directory, { recursive: true, force: true })
})

const pushes = (): Push[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line) as Push)
    : []

test('a broker with a subscription gets the metrics that it asks for, and OpenTelemetry reads them (KIP-714)', async () => {
  const startedMs = Date.now()
  const client = new Client({ bootstrapServers: cluster.bootstrapServers, clientId: 'watched', rack: 'rack-1' })
  await client.connect()
  const instanceId = await client.clientInstanceId()
  for (let i = 0; i < 20; i++) await client.request(Metadata, { topics: [] })
  await vi.waitFor(() => expect(pushes().length).toBeGreaterThanOrEqual(2), { timeout: 20_000, interval: 100 })
  await client.close()
  await vi.waitFor(() => expect(pushes().at(-1)?.terminating).toBe(true), { timeout: 5_000, interval: 100 })
  for (const push of pushes()) {
    expect(push.failure).toBeUndefined()
    expect(push).toMatchObject({ clientId: 'watched', instanceId, contentType: 'OTLP', unknownFields: 0 })
    expect(push.resource).toEqual({ client_rack: 'rack-1' })
    expect(push.metrics.length).toBeGreaterThan(0)
    for (const { name, timeMs } of push.metrics) {
      expect(name).toMatch(/^org\.apache\.kafka\.client\.[a-z.]+$/)
      expect(timeMs).toBeGreaterThanOrEqual(startedMs)
    }
  }
  const sums = pushes().flatMap(({ metrics }) => metrics.filter(({ kind }) => kind === 'SUM'))
  expect(sums.length).toBeGreaterThan(0)
  for (const sum of sums) expect(sum).toMatchObject({ monotonic: true, temporality: 'AGGREGATION_TEMPORALITY_DELTA' })
})

test('a client that no subscription matches pushes nothing, and has an id all the same', async () => {
  await using client = new Client({ bootstrapServers: cluster.bootstrapServers, clientId: 'unwatched' })
  expect(await client.clientInstanceId()).toMatch(/^[\w-]{22}$/)
  await client.close()
  expect(pushes().map(({ clientId }) => clientId)).not.toContain('unwatched')
})
