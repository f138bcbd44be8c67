/** Decoders and encoders as one would write them for one version: the bound for generated ones. Same checks, same values. */
import { Fetch, JoinGroup, Metadata, OffsetCommit } from '../../src/protocol/apis/index.ts'
import { NO_UUID } from '../../src/protocol/schema.ts'
import { Reader, Writer } from '../../src/protocol/wire.ts'
import type { Side } from '../rounds.ts'
import * as messages from './messages.ts'

function text(value: string | null): string {
  if (value === null) throw new RangeError('null')
  return value
}
const noTags = (r: Reader): void => {
  if (r.uvarint() > 0) throw new RangeError('unexpected tag')
}
function list<T>(r: Reader, least: number, read: (r: Reader) => T): T[] {
  const n = r.compactCount(least)
  if (n < 0) throw new RangeError('null')
  const items = new Array<T>(n)
  for (let i = 0; i < n; i++) items[i] = read(r)
  return items
}
function nodes(r: Reader): number[] {
  const n = r.compactCount(4)
  if (n < 0) throw new RangeError('null')
  const items = new Array<number>(n)
  for (let i = 0; i < n; i++) items[i] = r.int32()
  return items
}

function metadataPartition(r: Reader) {
  const partition = {
    errorCode: r.int16(),
    partitionIndex: r.int32(),
    leaderId: r.int32(),
    leaderEpoch: r.int32(),
    replicaNodes: nodes(r),
    isrNodes: nodes(r),
    offlineReplicas: nodes(r),
  }
  noTags(r)
  return partition
}
function metadataTopic(r: Reader) {
  const topic = {
    errorCode: r.int16(),
    name: r.compactString(),
    topicId: r.uuid(),
    isInternal: r.bool(),
    partitions: list(r, 22, metadataPartition),
    topicAuthorizedOperations: r.int32(),
  }
  noTags(r)
  return topic
}
function metadataBroker(r: Reader) {
  const broker = { nodeId: r.int32(), host: text(r.compactString()), port: r.int32(), rack: r.compactString() }
  noTags(r)
  return broker
}
function metadataResponse(r: Reader) {
  const response = {
    throttleTimeMs: r.int32(),
    brokers: list(r, 11, metadataBroker),
    clusterId: r.compactString(),
    controllerId: r.int32(),
    topics: list(r, 26, metadataTopic),
    clusterAuthorizedOperations: -2147483648,
    errorCode: 0,
  }
  noTags(r)
  return response
}

function fetchPartition(r: Reader) {
  const partition = {
    partitionIndex: r.int32(),
    errorCode: r.int16(),
    highWatermark: r.int64(),
    lastStableOffset: r.int64(),
    logStartOffset: r.int64(),
    divergingEpoch: { epoch: -1, endOffset: -1n },
    currentLeader: { leaderId: -1, leaderEpoch: -1 },
    snapshotId: { endOffset: -1n, epoch: -1 },
    abortedTransactions: list(r, 17, r => ({ producerId: r.int64(), firstOffset: r.int64() })),
    preferredReadReplica: r.int32(),
    records: r.compactRecords(),
  }
  noTags(r)
  return partition
}
function fetchTopic(r: Reader) {
  const topic = { topic: '', topicId: r.uuid(), partitions: list(r, 37, fetchPartition) }
  noTags(r)
  return topic
}
function fetchResponse(r: Reader) {
  const response = {
    throttleTimeMs: r.int32(),
    errorCode: r.int16(),
    sessionId: r.int32(),
    responses: list(r, 18, fetchTopic),
    nodeEndpoints: [],
  }
  noTags(r)
  return response
}

function offsetCommitPartition(r: Reader) {
  const partition = { partitionIndex: r.int32(), errorCode: r.int16() }
  noTags(r)
  return partition
}
function offsetCommitTopic(r: Reader) {
  const topic = { name: text(r.compactString()), topicId: NO_UUID, partitions: list(r, 7, offsetCommitPartition) }
  noTags(r)
  return topic
}
function offsetCommitResponse(r: Reader) {
  const response = { throttleTimeMs: r.int32(), topics: list(r, 3, offsetCommitTopic) }
  noTags(r)
  return response
}

function joinGroupMember(r: Reader) {
  const member = { memberId: text(r.compactString()), groupInstanceId: r.compactString(), metadata: r.compactBytes() }
  noTags(r)
  return member
}
function joinGroupResponse(r: Reader) {
  const response = {
    throttleTimeMs: r.int32(),
    errorCode: r.int16(),
    generationId: r.int32(),
    protocolType: r.compactString(),
    protocolName: r.compactString(),
    leader: text(r.compactString()),
    skipAssignment: r.bool(),
    memberId: text(r.compactString()),
    members: list(r, 4, joinGroupMember),
  }
  noTags(r)
  return response
}

function encodeMetadata(w: Writer, { topics }: { topics: readonly { name: string }[] }): void {
  w.compactCount(topics.length)
  for (const { name } of topics) {
    w.uuid(NO_UUID)
    w.compactString(name)
    w.uvarint(0)
  }
  w.bool(true)
  w.bool(false)
  w.uvarint(0)
}

interface FetchValue {
  maxWaitMs: number
  minBytes: number
  maxBytes: number
  sessionId: number
  sessionEpoch: number
  topics: readonly {
    topicId: string
    partitions: readonly { partition: number; currentLeaderEpoch: number; fetchOffset: bigint; partitionMaxBytes: number }[]
  }[]
}
function encodeFetch(w: Writer, request: FetchValue): void {
  w.int32(request.maxWaitMs)
  w.int32(request.minBytes)
  w.int32(request.maxBytes)
  w.int8(0)
  w.int32(request.sessionId)
  w.int32(request.sessionEpoch)
  w.compactCount(request.topics.length)
  for (const { topicId, partitions } of request.topics) {
    w.uuid(topicId)
    w.compactCount(partitions.length)
    for (const partition of partitions) {
      w.int32(partition.partition)
      w.int32(partition.currentLeaderEpoch)
      w.int64(partition.fetchOffset)
      w.int32(-1)
      w.int64(-1n)
      w.int32(partition.partitionMaxBytes)
      w.uvarint(0)
    }
    w.uvarint(0)
  }
  w.compactCount(0)
  w.compactString('')
  w.uvarint(0)
}

interface OffsetCommitValue {
  groupId: string
  generationIdOrMemberEpoch: number
  memberId: string
  topics: readonly {
    name: string
    partitions: readonly { partitionIndex: number; committedOffset: bigint; committedMetadata: string }[]
  }[]
}
function encodeOffsetCommit(w: Writer, request: OffsetCommitValue): void {
  w.compactString(request.groupId)
  w.int32(request.generationIdOrMemberEpoch)
  w.compactString(request.memberId)
  w.compactString(null)
  w.compactCount(request.topics.length)
  for (const { name, partitions } of request.topics) {
    w.compactString(name)
    w.compactCount(partitions.length)
    for (const partition of partitions) {
      w.int32(partition.partitionIndex)
      w.int64(partition.committedOffset)
      w.int32(-1)
      w.compactString(partition.committedMetadata)
      w.uvarint(0)
    }
    w.uvarint(0)
  }
  w.uvarint(0)
}

interface JoinGroupValue {
  groupId: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  memberId: string
  protocolType: string
  protocols: readonly { name: string; metadata: Uint8Array }[]
}
function encodeJoinGroup(w: Writer, request: JoinGroupValue): void {
  w.compactString(request.groupId)
  w.int32(request.sessionTimeoutMs)
  w.int32(request.rebalanceTimeoutMs)
  w.compactString(request.memberId)
  w.compactString(null)
  w.compactString(request.protocolType)
  w.compactCount(request.protocols.length)
  for (const { name, metadata } of request.protocols) {
    w.compactString(name)
    w.compactBytes(metadata)
    w.uvarint(0)
  }
  w.compactString(null)
  w.uvarint(0)
}

const decoding = (bytes: Buffer, decode: (r: Reader) => unknown) => () => (n: number) => {
  let last: unknown
  for (let i = 0; i < n; i++) last = decode(new Reader(bytes))
  return last
}
function encoding<V>(encode: (w: Writer, value: V) => void, value: unknown) {
  return () => (n: number) => {
    let last: unknown
    for (let i = 0; i < n; i++) {
      const writer = new Writer()
      encode(writer, value as V)
      last = writer.chunks()
    }
    return last
  }
}

export default {
  name: 'written by hand',
  cases: {
    'Metadata response v12, decode': decoding(
      messages.bytesOf(Metadata.response, 12, messages.metadataResponse),
      metadataResponse,
    ),
    'Fetch response v17, decode': decoding(messages.bytesOf(Fetch.response, 17, messages.fetchResponse(17)), fetchResponse),
    'OffsetCommit response v9, decode': decoding(
      messages.bytesOf(OffsetCommit.response, 9, messages.offsetCommitResponse),
      offsetCommitResponse,
    ),
    'JoinGroup response v9, decode': decoding(
      messages.bytesOf(JoinGroup.response, 9, messages.joinGroupResponse(9)),
      joinGroupResponse,
    ),
    'Metadata request v12, encode': encoding(encodeMetadata, messages.metadataRequest),
    'Fetch request v17, encode': encoding(encodeFetch, messages.fetchRequest(17)),
    'OffsetCommit request v9, encode': encoding(encodeOffsetCommit, messages.offsetCommitRequest),
    'JoinGroup request v9, encode': encoding(encodeJoinGroup, messages.joinGroupRequest),
  },
} satisfies Side
