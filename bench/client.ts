/**
 * `npm run bench:client`: what the client layer costs, in CPU time of this process, against embedded brokers in another one.
 * - cold metadata of 1,000 topics of 10 partitions, from no connection to routable: floor 100 ms
 * - a ListOffsets of 500 partitions, split over 3 brokers, sent, answered and joined: floor 1 ms
 * - round trips on one connection, pipelined 1, 16 and 256 deep
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Client } from '../src/client/index.ts'
import { ListOffsets } from '../src/protocol/apis/02-list-offsets.ts'
import { FindCoordinator } from '../src/protocol/apis/10-find-coordinator.ts'
import { EmbeddedProcess } from '../test/brokers/embedded.ts'

const { values } = parseArgs({ options: { json: { type: 'string' }, quick: { type: 'boolean' } } })

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

/** CPU milliseconds of this process while `work` runs. */
async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

const topics = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`topic-${index}`, 10]))
const broker = await EmbeddedProcess.start({ nodes: 3, topics })
const open = () => new Client({ bootstrapServers: broker.bootstrapServers, enableMetricsPush: false })

/** Each round has a client of its own; the first pays for the compilation of codecs as well. */
async function coldMetadata(): Promise<number[]> {
  const names = Object.keys(topics)
  const rounds: number[] = []
  for (let round = 0; round < (values.quick ? 3 : 9); round++) {
    const client = open()
    rounds.push(await cpuMs(() => client.metadata.ensure(names)))
    if (!client.metadata.leaderOf('topic-999', 9)) throw new Error('not routable')
    await client.close()
  }
  return rounds
}

async function routing(): Promise<{ splitMs: number; roundTripMs: number }> {
  const client = open()
  const request = {
    replicaId: -1,
    topics: Array.from({ length: 50 }, (_, topic) => ({
      name: `topic-${topic}`,
      partitions: Array.from({ length: 10 }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n })),
    })),
  }
  for (let i = 0; i < 200; i++) await client.request(ListOffsets, request)
  const count = values.quick ? 200 : 1_000
  const rounds: number[] = []
  for (let round = 0; round < 5; round++) {
    rounds.push(
      (await cpuMs(async () => {
        for (let i = 0; i < count; i++) await client.request(ListOffsets, request)
      })) / count,
    )
  }
  // The same bytes, already split, straight to the brokers: what is left is the cost of routing.
  const shards = new Map<number, typeof request.topics>()
  for (const { name, partitions } of request.topics) {
    for (const partition of partitions) {
      const nodeId = client.metadata.leaderOf(name, partition.partitionIndex)?.nodeId ?? 0
      const shard = shards.get(nodeId) ?? []
      shards.set(nodeId, shard)
      let topic = shard.find(each => each.name === name)
      if (!topic) shard.push((topic = { name, partitions: [] }))
      topic.partitions.push(partition)
    }
  }
  const direct: number[] = []
  for (let round = 0; round < 5; round++) {
    direct.push(
      (await cpuMs(async () => {
        for (let i = 0; i < count; i++) {
          await Promise.all(
            Array.from(shards, ([nodeId, part]) =>
              client.sendTo(nodeId, ListOffsets, { ...request, topics: part }, { lane: 'other' }),
            ),
          )
        }
      })) / count,
    )
  }
  await client.close()
  return { roundTripMs: median(rounds), splitMs: median(rounds) - median(direct) }
}

async function pipelined(depth: number): Promise<{ perSecond: number; p99Ms: number }> {
  const client = open()
  await client.connect()
  const count = values.quick ? 5_000 : 30_000
  const one = async () => {
    const start = performance.now()
    await client.sendTo(1, FindCoordinator, { keyType: 0, coordinatorKeys: ['group'] }, { lane: 'other' })
    return performance.now() - start
  }
  for (let i = 0; i < 2_000; i++) await one()
  const latencies: number[] = []
  const start = performance.now()
  await Promise.all(
    Array.from({ length: depth }, async () => {
      for (let i = 0; i < count / depth; i++) latencies.push(await one())
    }),
  )
  const seconds = (performance.now() - start) / 1_000
  await client.close()
  latencies.sort((a, b) => a - b)
  return {
    perSecond: Math.round(latencies.length / seconds),
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
  }
}

const cold = await coldMetadata()
const { roundTripMs, splitMs } = await routing()
const depths = [1, 16, 256]
const trips: Record<string, { perSecond: number; p99Ms: number }> = {}
for (const depth of depths) trips[depth] = await pipelined(depth)
await broker.close()

const result = {
  node: process.version,
  coldMetadataFirstMs: cold[0],
  coldMetadataMs: median(cold),
  listOffsets500Ms: roundTripMs,
  routing500Ms: splitMs,
  trips,
}
console.log(
  `cold metadata, 1,000 topics x 10 partitions: ${median(cold).toFixed(1)} ms of CPU (the very first ${cold[0]?.toFixed(1)} ms)`,
)
console.log(
  `ListOffsets of 500 partitions over 3 brokers: ${roundTripMs.toFixed(3)} ms of CPU, of which routing ${splitMs.toFixed(3)} ms`,
)
for (const depth of depths) {
  const { perSecond = 0, p99Ms = 0 } = trips[depth] ?? {}
  console.log(`round trips, ${depth} deep: ${perSecond}/s, p99 ${p99Ms.toFixed(2)} ms`)
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
