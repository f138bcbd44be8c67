import { describe, expect, test } from 'vitest'
import {
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  Fetch,
  FindCoordinator,
  InitProducerId,
  ListOffsets,
  Metadata,
  Produce,
} from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { batch, readBack } from './batches.ts'
import { connect, setUp } from './set-up.ts'

const produceTo = (topic: string, partition: number, records: Uint8Array, acks = -1) => ({
  acks,
  timeoutMs: 1000,
  topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
})
const fetchFrom = (topic: string, partition: number, fetchOffset: bigint, change = {}) => ({
  maxWaitMs: 0,
  minBytes: 1,
  topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes: 1 << 20 }] }],
  ...change,
})

describe('what every client needs first', () => {
  test('api versions lists what is served, in every version of itself', async () => {
    const { client } = await setUp()
    for (let version = 0; version <= 5; version++) {
      const response = await client.request(ApiVersions, version, { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' })
      expect(response.errorCode).toBe(0)
      expect(response.apiKeys.find(({ apiKey }) => apiKey === Produce.key)).toMatchObject({ minVersion: 0, maxVersion: 13 })
    }
  })

  test('produce, list offsets and fetch round trip in every version', async () => {
    const { broker, client } = await setUp()
    const { topicId } = broker.partition('t', 0)
    for (let version = 3; version <= 13; version++) {
      const { responses } = await client.request(Produce, version, {
        acks: -1,
        timeoutMs: 1000,
        topicData: [
          {
            ...(version < 13 ? { name: 't' } : { topicId }),
            partitionData: [{ index: 0, records: batch([`a${version}`, `b${version}`]) }],
          },
        ],
      })
      expect(responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: BigInt((version - 3) * 2) })
    }
    for (let version = 1; version <= 11; version++) {
      const { topics } = await client.request(ListOffsets, version, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
      })
      expect(topics[0]!.partitions[0]).toMatchObject({ errorCode: 0, offset: 22n })
    }
    for (let version = 4; version <= 18; version++) {
      const topic = version < 13 ? { topic: 't' } : { topicId }
      const { responses } = await client.request(Fetch, version, {
        maxWaitMs: 0,
        minBytes: 1,
        topics: [{ ...topic, partitions: [{ partition: 0, fetchOffset: 20n, partitionMaxBytes: 1 << 20 }] }],
      })
      expect(readBack(responses[0]!.partitions[0]!.records)).toEqual(['20:a13', '21:b13'])
    }
  })

  test('topics are created, listed and deleted', async () => {
    const { client } = await setUp({ topics: {}, autoCreateTopics: false })
    const created = await client.request(CreateTopics, 7, {
      topics: [{ name: 'x', numPartitions: 3, replicationFactor: 1, assignments: [], configs: [] }],
      validateOnly: false,
    })
    expect(created.topics[0]).toMatchObject({ errorCode: 0, numPartitions: 3 })
    const { topics, brokers } = await client.request(Metadata, 13, { topics: null, includeTopicAuthorizedOperations: false })
    expect(topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([['x', 3]])
    expect(brokers).toHaveLength(1)
    const unknown = await client.request(Metadata, 9, { topics: [{ name: 'y' }], includeTopicAuthorizedOperations: false })
    expect(unknown.topics[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const deleted = await client.request(DeleteTopics, 6, { topics: [{ topicId: created.topics[0]!.topicId }], timeoutMs: 1000 })
    expect(deleted.responses[0]).toMatchObject({ name: 'x', errorCode: 0 })
  })

  test('producer ids and coordinators', async () => {
    const { client } = await setUp()
    const first = await client.request(InitProducerId, 5, { transactionalId: null, transactionTimeoutMs: 1000 })
    const second = await client.request(InitProducerId, 5, { transactionalId: null, transactionTimeoutMs: 1000 })
    expect(second.producerId).not.toBe(first.producerId)
    const { coordinators } = await client.request(FindCoordinator, 6, { keyType: 0, coordinatorKeys: ['g', 'h'] })
    expect(coordinators.map(({ key, nodeId }) => [key, nodeId])).toEqual([
      ['g', 1],
      ['h', 1],
    ])
  })

  test('a waiting fetch is answered by the produce that it waits for', async () => {
    const { broker, client } = await setUp()
    const other = await connect(broker)
    const waiting = other.request(Fetch, 12, fetchFrom('t', 0, 0n, { maxWaitMs: 60_000 }))
    await client.request(Produce, 9, produceTo('t', 0, batch(['x'])))
    expect(readBack((await waiting).responses[0]!.partitions[0]!.records)).toEqual(['0:x'])
  })
})
