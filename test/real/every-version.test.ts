// The APIs and versions that a broker offers only when it is told to: telemetry, with a reporter for it, and unstable versions.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allApis } from '../../src/protocol/registry.ts'
import { JvmCluster } from '../brokers/jvm.ts'
import { askEverything } from '../conformance/live-answers.ts'
import { compileJava } from '../java/java.ts'

const directory = mkdtempSync(join(tmpdir(), 'kafkawire-every-version-'))
let cluster: JvmCluster
beforeAll(async () => {
  await compileJava('4.4.0', 'TelemetryReporter.java', directory)
  cluster = await JvmCluster.start({
    classpath: [directory],
    config: { 'metric.reporters': 'TelemetryReporter', 'unstable.api.versions.enable': 'true' },
    systemProperties: { 'telemetry.file': join(directory, 'pushes.jsonl') },
  })
})
afterAll(async () => {
  await cluster?.close()
  rmSync(directory, { recursive: true, force: true })
})

test('all APIs there are, at every version of Kafka 4.4.0, are answered and read to their last byte', async () => {
  const { answers, asked, failures } = await askEverything(cluster.bootstrapServers)
  expect(failures).toEqual([])
  expect([...asked].sort()).toEqual(allApis.map(api => api.name).sort())
  // 282 without the reporter and without unstable versions, two of telemetry, and InitProducerId v6.
  expect(answers).toBeGreaterThanOrEqual(285)
})
