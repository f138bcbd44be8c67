/** The messages that the protocol benchmark encodes and decodes, as values and as bytes of our own encoder. */
import type { Fetch, JoinGroup, Metadata, OffsetCommit } from '../../src/protocol/apis/index.ts'
import { codec } from '../../src/protocol/compile.ts'
import type { Encodable, Message } from '../../src/protocol/schema.ts'
import { Writer } from '../../src/protocol/wire.ts'

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const topicId = (i: number): string => Buffer.alloc(16, i + 1).toString('base64url')
const topicName = (i: number): string => `shop.orders.region-${i}`

/** 3 brokers, 50 topics of 6 partitions, 3 replicas each. */
export const metadataResponse: Encodable<typeof Metadata.response> = {
  brokers: [1, 2, 3].map(nodeId => ({ nodeId, host: `kafka-${nodeId}.example.com`, port: 9092, rack: `rack-${nodeId}` })),
  clusterId: 'Yd1cPVK0R3qZbq8vCqX2bw',
  controllerId: 1,
  topics: numbers(50).map(i => ({
    errorCode: 0,
    name: topicName(i),
    topicId: topicId(i),
    partitions: numbers(6).map(partitionIndex => ({
      errorCode: 0,
      partitionIndex,
      leaderId: 1 + (partitionIndex % 3),
      leaderEpoch: 5,
      replicaNodes: [1, 2, 3],
      isrNodes: [1, 2, 3],
    })),
  })),
}
export const metadataRequest: Encodable<typeof Metadata.request> = { topics: numbers(50).map(i => ({ name: topicName(i) })) }

/** 100 partitions of 10 topics, none of which has records. */
export const fetchResponse = (version: number): Encodable<typeof Fetch.response> => ({
  sessionId: 77,
  responses: numbers(10).map(i => ({
    ...(version >= 13 ? { topicId: topicId(i) } : { topic: topicName(i) }),
    partitions: numbers(10).map(partitionIndex => ({
      partitionIndex,
      errorCode: 0,
      highWatermark: 1_000_000n,
      lastStableOffset: 1_000_000n,
      logStartOffset: 0n,
      abortedTransactions: [],
      records: Buffer.alloc(0),
    })),
  })),
})
export const fetchRequest = (version: number): Encodable<typeof Fetch.request> => ({
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 52_428_800,
  sessionId: 77,
  sessionEpoch: 5,
  topics: numbers(10).map(i => ({
    ...(version >= 13 ? { topicId: topicId(i) } : { topic: topicName(i) }),
    partitions: numbers(10).map(partition => ({
      partition,
      currentLeaderEpoch: 5,
      fetchOffset: 1_000_000n,
      partitionMaxBytes: 1_048_576,
    })),
  })),
  forgottenTopicsData: [],
})

/** 500 partitions of 50 topics. */
export const offsetCommitRequest: Encodable<typeof OffsetCommit.request> = {
  groupId: 'billing',
  generationIdOrMemberEpoch: 7,
  memberId: 'billing-1-0f1e2d3c',
  topics: numbers(50).map(i => ({
    name: topicName(i),
    partitions: numbers(10).map(partitionIndex => ({ partitionIndex, committedOffset: 1_000_000n, committedMetadata: '' })),
  })),
}
export const offsetCommitResponse: Encodable<typeof OffsetCommit.response> = {
  topics: numbers(50).map(i => ({
    name: topicName(i),
    partitions: numbers(10).map(partitionIndex => ({ partitionIndex, errorCode: 0 })),
  })),
}

const subscription = Buffer.alloc(60, 7)
export const joinGroupRequest: Encodable<typeof JoinGroup.request> = {
  groupId: 'billing',
  sessionTimeoutMs: 45_000,
  rebalanceTimeoutMs: 300_000,
  memberId: 'billing-1-0f1e2d3c',
  protocolType: 'consumer',
  protocols: [
    { name: 'range', metadata: subscription },
    { name: 'cooperative-sticky', metadata: subscription },
  ],
}
/** As the leader of 20 members gets it. */
export const joinGroupResponse = (version: number): Encodable<typeof JoinGroup.response> => ({
  errorCode: 0,
  generationId: 7,
  ...(version >= 7 && { protocolType: 'consumer' }),
  protocolName: 'range',
  leader: 'billing-1-0f1e2d3c',
  memberId: 'billing-1-0f1e2d3c',
  members: numbers(20).map(i => ({ memberId: `billing-${i}-0f1e2d3c`, metadata: subscription })),
})

/** A message body in our encoding, for others to decode. */
export function bytesOf<M extends Message>(message: M, version: number, value: Encodable<M>): Buffer {
  const writer = new Writer()
  codec(message, version).encode(writer, value)
  return Buffer.from(writer.finish())
}
