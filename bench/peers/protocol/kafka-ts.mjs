import { createRequire } from 'node:module'
import { Fetch, JoinGroup, Metadata, OffsetCommit } from '../../../src/protocol/apis/index.ts'
import * as messages from '../../protocol/messages.ts'

const require = createRequire(import.meta.url)
const file = path => require(new URL(`../node_modules/kafka-ts/dist/${path}.js`, import.meta.url).pathname)
const { Encoder } = file('utils/encoder')
const { Decoder } = file('utils/decoder')
const api = (folder, version) => Object.values(file(`api/${folder}/v${version}`))[0]

const decode = (folder, version, bytes) => () => {
  const { response } = api(folder, version)
  // Fetch responses come as promises; the others are not slowed down by awaiting them.
  if (response(new Decoder(bytes)) instanceof Promise) {
    return async n => {
      for (let i = 0; i < n; i++) await response(new Decoder(bytes))
    }
  }
  return n => {
    for (let i = 0; i < n; i++) response(new Decoder(bytes))
  }
}
const encode = (folder, version, value) => () => {
  const { request } = api(folder, version)
  return n => {
    for (let i = 0; i < n; i++) request(new Encoder(), value).value()
  }
}

// Its uuid is the text with dashes, its JoinGroup builds the subscription itself.
const dashed = id =>
  Buffer.from(id, 'base64url')
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
const none = dashed('AAAAAAAAAAAAAAAAAAAAAA')
const fetchRequest = version => {
  const request = messages.fetchRequest(version)
  return {
    ...request,
    isolationLevel: 0,
    rackId: '',
    topics: request.topics.map(({ topic, topicId, partitions }) => ({
      topicName: topic,
      topicId: topicId && dashed(topicId),
      partitions: partitions.map(p => ({ ...p, lastFetchedEpoch: -1, logStartOffset: -1n })),
    })),
  }
}
const commit = {
  ...messages.offsetCommitRequest,
  groupInstanceId: null,
  topics: messages.offsetCommitRequest.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(p => ({ ...p, committedLeaderEpoch: -1 })),
  })),
}
const topics = messages.metadataRequest.topics.map(({ name }) => ({ id: none, name }))

export default {
  name: 'kafka-ts 1.5.0',
  cases: {
    ...Object.fromEntries(
      [12, 6].map(v => [
        `Metadata response v${v}, decode`,
        decode('metadata', v, messages.bytesOf(Metadata.response, v, messages.metadataResponse)),
      ]),
    ),
    ...Object.fromEntries(
      [17, 11].map(v => [
        `Fetch response v${v}, decode`,
        decode('fetch', v, messages.bytesOf(Fetch.response, v, messages.fetchResponse(v))),
      ]),
    ),
    ...Object.fromEntries(
      [9, 7, 5].map(v => [
        `OffsetCommit response v${v}, decode`,
        decode('offset-commit', v, messages.bytesOf(OffsetCommit.response, v, messages.offsetCommitResponse)),
      ]),
    ),
    ...Object.fromEntries(
      [9, 5].map(v => [
        `JoinGroup response v${v}, decode`,
        decode('join-group', v, messages.bytesOf(JoinGroup.response, v, messages.joinGroupResponse(v))),
      ]),
    ),
    ...Object.fromEntries(
      [12, 6].map(v => [
        `Metadata request v${v}, encode`,
        encode('metadata', v, { topics: v === 6 ? topics : topics, allowTopicAutoCreation: true }),
      ]),
    ),
    ...Object.fromEntries([17, 11].map(v => [`Fetch request v${v}, encode`, encode('fetch', v, fetchRequest(v))])),
    ...Object.fromEntries([9, 7, 5].map(v => [`OffsetCommit request v${v}, encode`, encode('offset-commit', v, commit)])),
    ...Object.fromEntries(
      [9, 5].map(v => [
        `JoinGroup request v${v}, encode`,
        encode('join-group', v, {
          ...messages.joinGroupRequest,
          groupInstanceId: null,
          reason: null,
          protocols: messages.joinGroupRequest.protocols.map(({ name }) => ({
            name,
            metadata: { version: 0, topics: ['shop.orders.region-1', 'shop.orders.region-2'] },
          })),
        }),
      ]),
    ),
  },
}
