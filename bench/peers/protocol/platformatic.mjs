import { Fetch, JoinGroup, Metadata, OffsetCommit } from '../../../src/protocol/apis/index.ts'
import * as messages from '../../protocol/messages.ts'

const dist = new URL('../node_modules/@platformatic/kafka/dist/', import.meta.url)
const { Reader } = await import(new URL('protocol/reader.js', dist))

const decode = (path, key, version, bytes) => async () => {
  const { parseResponse } = await import(new URL(`apis/${path}-v${version}.js`, dist))
  return n => {
    let last
    for (let i = 0; i < n; i++) last = parseResponse(1, key, version, Reader.from(bytes))
    return last
  }
}
const encode =
  (path, version, ...args) =>
  async () => {
    const { createRequest } = await import(new URL(`apis/${path}-v${version}.js`, dist))
    return n => {
      let last
      for (let i = 0; i < n; i++) last = createRequest(...args).buffer
      return last
    }
  }

const dashed = id =>
  Buffer.from(id, 'base64url')
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
const { maxWaitMs, minBytes, maxBytes, sessionId, sessionEpoch, topics } = messages.fetchRequest(17)
const commit = messages.offsetCommitRequest
const join = messages.joinGroupRequest
const commitTopics = commit.topics.map(({ name, partitions }) => ({
  name,
  partitions: partitions.map(p => ({ ...p, committedLeaderEpoch: -1 })),
}))
export default {
  name: '@platformatic/kafka 2.12.1',
  cases: {
    'Metadata response v12, decode': decode(
      'metadata/metadata',
      3,
      12,
      messages.bytesOf(Metadata.response, 12, messages.metadataResponse),
    ),
    'Metadata response v6, decode': decode(
      'metadata/metadata',
      3,
      6,
      messages.bytesOf(Metadata.response, 6, messages.metadataResponse),
    ),
    'Fetch response v17, decode': decode(
      'consumer/fetch',
      1,
      17,
      messages.bytesOf(Fetch.response, 17, messages.fetchResponse(17)),
    ),
    'OffsetCommit response v9, decode': decode(
      'consumer/offset-commit',
      8,
      9,
      messages.bytesOf(OffsetCommit.response, 9, messages.offsetCommitResponse),
    ),
    'JoinGroup response v9, decode': decode(
      'consumer/join-group',
      11,
      9,
      messages.bytesOf(JoinGroup.response, 9, messages.joinGroupResponse(9)),
    ),
    'Metadata request v12, encode': encode(
      'metadata/metadata',
      12,
      messages.metadataRequest.topics.map(({ name }) => name),
    ),
    'Fetch request v17, encode': encode(
      'consumer/fetch',
      17,
      maxWaitMs,
      minBytes,
      maxBytes,
      0,
      sessionId,
      sessionEpoch,
      topics.map(({ topicId, partitions }) => ({
        topicId: dashed(topicId),
        partitions: partitions.map(p => ({ ...p, lastFetchedEpoch: -1 })),
      })),
      [],
      '',
    ),
    'OffsetCommit request v9, encode': encode(
      'consumer/offset-commit',
      9,
      commit.groupId,
      commit.generationIdOrMemberEpoch,
      commit.memberId,
      null,
      commitTopics,
    ),
    'JoinGroup request v9, encode': encode(
      'consumer/join-group',
      9,
      join.groupId,
      join.sessionTimeoutMs,
      join.rebalanceTimeoutMs,
      join.memberId,
      null,
      join.protocolType,
      join.protocols,
      null,
    ),
  },
}
