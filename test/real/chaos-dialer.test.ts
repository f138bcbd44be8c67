import { afterAll, beforeAll, expect, test } from 'vitest'
import { Admin } from '../../src/admin/index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { JvmCluster } from '../brokers/jvm.ts'
import { DyingConnections } from '../chaos/dying-connections.ts'
import { expectAllKept } from '../chaos/kept.ts'
import { PARTITIONS, workload } from '../chaos/workload.ts'

let cluster: JvmCluster
beforeAll(async () => {
  cluster = await JvmCluster.start({ nodes: 3 })
}, 180_000)
afterAll(() => cluster?.close())

test('every connection dies within a second and a half: nothing is lost, twice or out of order, and the group reads and commits all', async () => {
  const topic = 'chaos'
  const { bootstrapServers } = cluster
  await using admin = new Admin({ bootstrapServers })
  await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 3 }])
  const dying = new DyingConnections(nodeRuntime, { seed: 1 })
  const outcome = await workload({ bootstrapServers, topic, runtime: dying.runtime, calm: nodeRuntime, runMs: 15_000 })
  const times = [...outcome.read.values()].reduce((sum, { times }) => sum + times, 0)
  console.log(
    `${dying.deaths} of ${dying.dialled} connections died; ${outcome.acknowledged.size} of ${outcome.sent} acknowledged, ` +
      `${outcome.stored.length} stored, the group read ${times}`,
  )
  expect(dying.deaths).toBeGreaterThan(30)
  expect(dying.open).toBe(0)
  expectAllKept(outcome)
}, 240_000)
