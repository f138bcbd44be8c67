/** What the client layer costs against three embedded brokers in another process, in CPU time of this one. */
import { Client } from '../../src/client/index.ts'
import { ListOffsets } from '../../src/protocol/apis/02-list-offsets.ts'
import { EmbeddedProcess } from '../../test/brokers/embedded.ts'
import { median } from './median.ts'

export interface ClusterFigures {
  /** 1,000 topics of 10 partitions, from no connection to routable: the median, and the first, which compiles the codecs. */
  readonly coldMetadataMs: number
  readonly firstColdMetadataMs: number
  /** ListOffsets of 500 partitions over 3 brokers: all of it, and what is left without the same requests already split. */
  readonly listOffsets500Ms: number
  readonly routing500Ms: number
}

export async function clusterFigures(quick: boolean): Promise<ClusterFigures> {
  const broker = await EmbeddedProcess.start({ nodes: 3, topics })
  try {
    const open = () => new Client({ bootstrapServers: broker.bootstrapServers, enableMetricsPush: false })
    const cold = await coldMetadata(open, quick ? 3 : 9)
    return {
      coldMetadataMs: median(cold),
      firstColdMetadataMs: cold[0] ?? Number.NaN,
      ...(await routing(open, quick ? 200 : 1_000)),
    }
  } finally {
    await broker.close()
  }
}

/** CPU milliseconds of this process while `work` runs. */
async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

const topics = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`topic-${index}`, 10]))

/** Each round has a client of its own; the first pays for the compilation of codecs as well. */
async function coldMetadata(open: () => Client, count: number): Promise<number[]> {
  const names = Object.keys(topics)
  const rounds: number[] = []
  for (let round = 0; round < count; round++) {
    const client = open()
    rounds.push(await cpuMs(() => client.metadata.ensure(names)))
    if (!client.metadata.leaderOf('topic-999', 9)) throw new Error('not routable')
    await client.close()
  }
  return rounds
}

async function routing(open: () => Client, count: number): Promise<{ listOffsets500Ms: number; routing500Ms: number }> {
  const client = open()
  const request = {
    replicaId: -1,
    topics: Array.from({ length: 50 }, (_, topic) => ({
      name: `topic-${topic}`,
      partitions: Array.from({ length: 10 }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n })),
    })),
  }
  for (let i = 0; i < 200; i++) await client.request(ListOffsets, request)
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
  return { listOffsets500Ms: median(rounds), routing500Ms: median(rounds) - median(direct) }
}
