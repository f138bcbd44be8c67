import { createRequire } from 'node:module'
import { Fetch, JoinGroup, Metadata, OffsetCommit } from '../../../src/protocol/apis/index.ts'
import * as messages from '../../protocol/messages.ts'

const require = createRequire(import.meta.url)
const api = (name, version) => ({
  request: require(`kafkajs/src/protocol/requests/${name}/v${version}/request`),
  response: require(`kafkajs/src/protocol/requests/${name}/v${version}/response`),
})

const decode = (name, version, bytes) => () => {
  const { response } = api(name, version)
  return async n => {
    for (let i = 0; i < n; i++) await response.decode(bytes)
  }
}
const encode = (name, version, value) => () => {
  const { request } = api(name, version)
  return async n => {
    for (let i = 0; i < n; i++) (await request(value).encode()).buffer
  }
}

const commit = messages.offsetCommitRequest
const fetch = messages.fetchRequest(11)
const join = messages.joinGroupRequest
export default {
  name: 'kafkajs 2.2.4',
  cases: {
    'Metadata response v6, decode': decode('metadata', 6, messages.bytesOf(Metadata.response, 6, messages.metadataResponse)),
    'Fetch response v11, decode': decode('fetch', 11, messages.bytesOf(Fetch.response, 11, messages.fetchResponse(11))),
    'OffsetCommit response v5, decode': decode(
      'offsetCommit',
      5,
      messages.bytesOf(OffsetCommit.response, 5, messages.offsetCommitResponse),
    ),
    'JoinGroup response v5, decode': decode(
      'joinGroup',
      5,
      messages.bytesOf(JoinGroup.response, 5, messages.joinGroupResponse(5)),
    ),
    'Metadata request v6, encode': encode('metadata', 6, { topics: messages.metadataRequest.topics.map(topic => topic.name) }),
    'Fetch request v11, encode': encode('fetch', 11, {
      replicaId: -1,
      maxWaitTime: fetch.maxWaitMs,
      minBytes: fetch.minBytes,
      maxBytes: fetch.maxBytes,
      topics: fetch.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(p => ({
          partition: p.partition,
          currentLeaderEpoch: 5,
          fetchOffset: String(p.fetchOffset),
          maxBytes: p.partitionMaxBytes,
        })),
      })),
    }),
    'OffsetCommit request v5, encode': encode('offsetCommit', 5, {
      groupId: commit.groupId,
      groupGenerationId: commit.generationIdOrMemberEpoch,
      memberId: commit.memberId,
      topics: commit.topics.map(({ name, partitions }) => ({
        topic: name,
        partitions: partitions.map(p => ({ partition: p.partitionIndex, offset: String(p.committedOffset), metadata: '' })),
      })),
    }),
    'JoinGroup request v5, encode': encode('joinGroup', 5, {
      groupId: join.groupId,
      sessionTimeout: join.sessionTimeoutMs,
      rebalanceTimeout: join.rebalanceTimeoutMs,
      memberId: join.memberId,
      protocolType: join.protocolType,
      groupProtocols: join.protocols,
    }),
  },
}
