import { describe, expect, onTestFinished, test } from 'vitest'
import { Client, type ClientOptionsInput } from '../../src/client/index.ts'
import { UnsupportedVersionError } from '../../src/errors.ts'
import {
  CreateTopics,
  DescribeConfigs,
  DescribeGroups,
  InitProducerId,
  ListGroups,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
} from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { brokerIsAtLeast, brokerUnderTest, uniqueName } from '../brokers/broker-under-test.ts'
import { cluster } from './cluster.ts'

/** Messages of the protocol, sent by hand: whoever must answer them is found by their route. */
async function client(options: Partial<ClientOptionsInput> = {}): Promise<Client> {
  const { bootstrapServers } = await brokerUnderTest()
  const made = new Client({ bootstrapServers, ...options })
  onTestFinished(() => made.close())
  return made
}
const topicWith = async (partitions: number) => (await cluster()).topic('routing', partitions)
const TOPIC = 2
const BROKER = 4

describe('a request finds its way', () => {
  test('to any broker: Metadata', async () => {
    const asking = await client()
    const name = await topicWith(2)
    const { brokers, topics } = await asking.request(Metadata, { topics: [{ name }] })
    expect(brokers.length).toBeGreaterThan(0)
    expect(topics).toMatchObject([{ name, errorCode: 0 }])
    expect(topics[0]?.partitions.length).toBe(2)
  })

  test('to one broker, by its id', async () => {
    const asking = await client()
    await asking.connect()
    for (const { nodeId } of asking.metadata.brokers())
      expect((await asking.request(Metadata, { topics: [] }, { nodeId })).brokers.length).toBeGreaterThan(0)
  })

  test('to the leader of each partition: ListOffsets, its answer in the order asked', async () => {
    const asking = await client()
    const name = await topicWith(6)
    const order = [5, 0, 3, 1, 4, 2]
    // Before 0.11 a broker creates every topic that it is asked about.
    const missing = brokerIsAtLeast('0.11') ? [uniqueName('nowhere')] : []
    const { topics } = await asking.request(ListOffsets, {
      replicaId: -1,
      topics: [
        {
          name,
          partitions: order.map(partitionIndex => ({ partitionIndex, timestamp: -1n, maxNumOffsets: 1 })),
        },
        ...missing.map(name => ({ name, partitions: [{ partitionIndex: 0, timestamp: -1n, maxNumOffsets: 1 }] })),
      ],
    })
    expect(topics[0]?.partitions.map(each => [each.partitionIndex, each.errorCode])).toEqual(order.map(index => [index, 0]))
    for (const topic of topics.slice(1))
      expect(topic.partitions).toMatchObject([{ errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }])
    expect(topics.length).toBe(1 + missing.length)
  })

  test('to the controller: CreateTopics', async () => {
    const asking = await client()
    const topic = { name: uniqueName('routing'), numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const created = await asking.request(CreateTopics, { topics: [topic] })
    expect(created.topics).toMatchObject([{ name: topic.name, errorCode: 0 }])
    const again = await asking.request(CreateTopics, { topics: [topic] })
    expect(again.topics).toMatchObject([{ errorCode: ErrorCode.TOPIC_ALREADY_EXISTS }])
  })

  test('to the coordinator of a group: OffsetCommit, OffsetFetch, DescribeGroups', async () => {
    const asking = await client()
    const name = await topicWith(1)
    const groups = [uniqueName('g'), uniqueName('g'), uniqueName('g')]
    for (const [index, groupId] of groups.entries()) {
      const partitions = [{ partitionIndex: 0, committedOffset: BigInt(index), committedMetadata: '' }]
      const { topics } = await asking.request(OffsetCommit, { groupId, topics: [{ name, partitions }] })
      expect(topics[0]?.partitions).toMatchObject([{ errorCode: 0 }])
      const fetched = await asking.request(OffsetFetch, { groupId, topics: [{ name, partitionIndexes: [0] }] })
      const [found] = fetched.topics?.[0]?.partitions ?? fetched.groups?.[0]?.topics[0]?.partitions ?? []
      expect(found).toMatchObject({ committedOffset: BigInt(index), errorCode: 0 })
    }
    const described = await asking.request(DescribeGroups, { groups })
    expect(described.groups.map(({ groupId }) => groupId).sort()).toEqual([...groups].sort())
  })

  test.runIf(brokerIsAtLeast('0.11'))('to the coordinator of a transaction: InitProducerId', async () => {
    const asking = await client()
    const transactionalId = uniqueName('tx')
    const { errorCode, producerId } = await asking.request(InitProducerId, { transactionalId, transactionTimeoutMs: 10_000 })
    expect(errorCode).toBe(0)
    expect(producerId).toBeGreaterThanOrEqual(0n)
  })

  test('to each broker: ListGroups, with what each of them coordinates', async () => {
    const asking = await client()
    const name = await topicWith(1)
    const groups = [uniqueName('listed'), uniqueName('listed')]
    for (const groupId of groups)
      await asking.request(OffsetCommit, {
        groupId,
        topics: [{ name, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] }],
      })
    const listed = await asking.request(ListGroups, {})
    expect(listed.errorCode).toBe(0)
    expect(listed.groups.map(({ groupId }) => groupId)).toEqual(expect.arrayContaining(groups))
  })

  test.runIf(brokerIsAtLeast('0.11'))('by what it asks for: DescribeConfigs, at the broker that it names', async () => {
    const asking = await client()
    await asking.connect()
    const name = await topicWith(1)
    const nodes = asking.metadata.brokers().map(({ nodeId }) => String(nodeId))
    const { results } = await asking.request(DescribeConfigs, {
      resources: [
        { resourceType: TOPIC, resourceName: name, configurationKeys: ['retention.ms'] },
        ...nodes.map(resourceName => ({ resourceType: BROKER, resourceName, configurationKeys: null })),
      ],
    })
    const told = new Map(results.map(each => [`${each.resourceType} ${each.resourceName}`, each]))
    expect(told.get(`${TOPIC} ${name}`)).toMatchObject({ errorCode: 0, configs: [{ name: 'retention.ms', value: '-1' }] })
    for (const node of nodes) {
      expect(told.get(`${BROKER} ${node}`)?.errorCode).toBe(0)
      expect(told.get(`${BROKER} ${node}`)?.configs.length).toBeGreaterThan(10)
    }
  })

  test('and a version that no broker serves is refused by name, before anything is sent', async () => {
    const asking = await client()
    await expect(asking.request(Metadata, { topics: [] }, { version: 99 })).rejects.toBeInstanceOf(UnsupportedVersionError)
  })
})
