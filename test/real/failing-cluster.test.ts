import { afterAll, beforeAll, expect, test } from 'vitest'
import { Admin } from '../../src/admin/index.ts'
import { Client, type TopicPartition } from '../../src/client/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { Producer } from '../../src/producer/index.ts'
import { DescribeCluster, ListOffsets } from '../../src/protocol/apis/index.ts'
import { JvmCluster } from '../brokers/jvm.ts'

const PARTITIONS = 6
const SENDERS = 20
const FAULT_SECONDS = 8

let cluster: JvmCluster
beforeAll(async () => {
  cluster = await JvmCluster.start({ nodes: 3 })
}, 180_000)
afterAll(() => cluster?.close())

const seconds = (n: number) => new Promise(resolve => setTimeout(resolve, n * 1000))

/** One crash with restart, one freeze longer than a broker's session: of the controller first, then of another node. */
async function misfortunes(): Promise<void> {
  await using client = new Client({ bootstrapServers: cluster.bootstrapServers })
  await client.connect()
  const { controllerId } = await client.request(DescribeCluster, {})
  await cluster.stopNode(controllerId, 'SIGKILL')
  await seconds(FAULT_SECONDS)
  await cluster.startNode(controllerId)
  const other = cluster.nodes.find(node => node.nodeId !== controllerId)!.nodeId
  cluster.pauseNode(other)
  await seconds(FAULT_SECONDS)
  cluster.resumeNode(other)
  await seconds(2)
}

test('nodes crash and freeze while records flow: nothing acknowledged is lost, nothing is there twice, no promise is left, the group reads all', async () => {
  const topic = 'misfortune'
  await using admin = new Admin({ bootstrapServers: cluster.bootstrapServers })
  await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 3 }])
  const producer = new Producer({ bootstrapServers: cluster.bootstrapServers })
  const client = new Client({ bootstrapServers: cluster.bootstrapServers })
  const acknowledged = new Map<string, string>()
  const rejected: unknown[] = []
  const refused: unknown[] = []
  let open = 0
  let over = false

  const sender = async (id: number) => {
    for (let n = 0; !over; n++) {
      const value = `${id}:${n}`
      open++
      try {
        const { partition, offset } = await producer.send({ topic, key: Buffer.from(String(id)), value: Buffer.from(value) })
        acknowledged.set(value, `${partition}@${offset}`)
      } catch (error) {
        rejected.push(error)
      } finally {
        open--
      }
    }
  }
  // Routed by leader, split over the brokers, retried and joined, all the while.
  const asker = async () => {
    while (!over) {
      try {
        const { topics } = await client.request(ListOffsets, {
          replicaId: -1,
          topics: [
            {
              name: topic,
              partitions: Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n })),
            },
          ],
        })
        expect(topics[0]!.partitions.map(({ partitionIndex }) => partitionIndex).sort()).toEqual([0, 1, 2, 3, 4, 5])
      } catch (error) {
        refused.push(error)
      }
    }
  }
  const read = new Map<string, number>()
  const members = [1, 2].map(
    () =>
      new Consumer({
        bootstrapServers: cluster.bootstrapServers,
        groupId: 'misfortune',
        autoOffsetReset: 'earliest',
        autoCommitIntervalMs: 500,
      }),
  )
  const member = async (consumer: Consumer) => {
    consumer.subscribe([topic])
    for await (const batch of consumer.batches())
      for (const record of batch) {
        const value = Buffer.from(record.value!).toString()
        read.set(value, (read.get(value) ?? 0) + 1)
      }
  }

  const senders = Array.from({ length: SENDERS }, (_, id) => sender(id))
  const flows = [...members.map(member), asker()]
  await misfortunes()
  over = true
  await Promise.all(senders)
  await producer.close()
  // The group catches up: every acknowledged value, or the test's own timeout.
  while ([...acknowledged.keys()].some(value => !read.has(value))) await seconds(0.2)
  await Promise.all(members.map(consumer => consumer.close()))
  await client.close()
  await Promise.all(flows)

  const stored = await storedValues(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })))
  const present = new Set(stored)
  console.log(
    `${acknowledged.size} acknowledged, ${rejected.length} rejected, ${stored.length} stored; the group read ${[...read.values()].reduce((a, b) => a + b, 0)}`,
  )
  expect(rejected).toEqual([])
  expect(refused).toEqual([])
  expect(open).toBe(0)
  expect(acknowledged.size).toBeGreaterThan(1000)
  expect(present.size).toBe(stored.length)
  expect([...acknowledged.keys()].filter(value => !present.has(value))).toEqual([])
}, 240_000)

test('the leader of a partition is killed, then its successor, while records flow in and out: each acknowledged record is read at its offset, once', async () => {
  const place = { topic: 'beheaded', partition: 1 }
  const { topic, partition } = place
  await using admin = new Admin({ bootstrapServers: cluster.bootstrapServers })
  await admin.createTopics([{ name: topic, partitions: 3, replicationFactor: 3 }])
  await using client = new Client({ bootstrapServers: cluster.bootstrapServers })
  await using producer = new Producer({ bootstrapServers: cluster.bootstrapServers })
  const acknowledged = new Map<bigint, string>()
  const rejected: unknown[] = []
  let over = false
  const sender = async (id: number) => {
    for (let n = 0; !over; n++) {
      const value = `${id}:${n}`
      try {
        const { offset } = await producer.send({ ...place, value: Buffer.from(value) })
        acknowledged.set(offset, value)
      } catch (error) {
        return void rejected.push(error)
      }
    }
  }
  const read: { offset: bigint; value: string }[] = []
  await using consumer = new Consumer({ bootstrapServers: cluster.bootstrapServers, autoOffsetReset: 'earliest' })
  consumer.assign([place])
  const reader = async () => {
    for await (const batch of consumer.batches())
      for (const { offset, value } of batch) read.push({ offset, value: Buffer.from(value!).toString() })
  }
  /** Until that many more have been acknowledged, and read. */
  const progress = async (count: number) => {
    const [toAcknowledge, toRead] = [acknowledged.size + count, read.length + count]
    while (acknowledged.size < toAcknowledge || read.length < toRead) await seconds(0.02)
  }
  const standing = async () => {
    await client.metadata.ensure([topic])
    await client.metadata.refresh('who leads now?')
    return client.metadata.topic(topic)!.partitions[partition]!
  }

  const flows = [...Array.from({ length: SENDERS }, (_, id) => sender(id)), reader()]
  const victims: number[] = []
  for (let round = 1; round <= 2; round++) {
    await progress(500)
    const { leaderId: victim, leaderEpoch } = await standing()
    await cluster.stopNode(victim, 'SIGKILL')
    await progress(500)
    const after = await standing()
    expect(after.leaderId).not.toBe(victim)
    expect(after.leaderEpoch).toBeGreaterThan(leaderEpoch)
    victims.push(victim)
    await cluster.startNode(victim)
    // The next crash has to leave enough replicas in sync.
    while ((await standing()).isr.length < 3) await seconds(0.2)
  }
  await progress(500)
  over = true
  await Promise.all(flows.slice(0, SENDERS))
  await producer.close()
  const [end] = (await consumer.endOffsets([place])).values()
  while (read.length === 0 || read.at(-1)!.offset < end! - 1n) await seconds(0.02)
  await consumer.close()
  await Promise.all(flows)

  console.log(
    `nodes ${victims.join(' and ')} killed; ${acknowledged.size} acknowledged, ${read.length} read, ${rejected.length} rejected`,
  )
  expect(rejected).toEqual([])
  const values = new Map(read.map(({ offset, value }) => [offset, value]))
  expect([...acknowledged].filter(([offset, value]) => values.get(offset) !== value)).toEqual([])
  expect(values.size).toBe(read.length)
  expect(new Set(values.values()).size).toBe(values.size)
  expect(await storedValues([place])).toEqual(read.map(({ value }) => value))
}, 240_000)

/** All that is in the partitions, read without a group. */
async function storedValues(partitions: readonly TopicPartition[]): Promise<string[]> {
  await using consumer = new Consumer({ bootstrapServers: cluster.bootstrapServers, autoOffsetReset: 'earliest' })
  consumer.assign(partitions)
  const ends = await consumer.endOffsets(partitions)
  const values: string[] = []
  const behind = async () => {
    for (const partition of partitions) if ((await consumer.position(partition)) < ends.get(partition)!) return true
    return false
  }
  while (await behind())
    for (const record of await consumer.poll({ timeoutMs: 1000 })) values.push(Buffer.from(record.value!).toString())
  return values
}
