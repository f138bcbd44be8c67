import { Decoder, Encoder, requests, responses } from '@kafkats/client'
import { Fetch, JoinGroup, Metadata, OffsetCommit } from '../../../src/protocol/apis/index.ts'
import * as messages from '../../protocol/messages.ts'

const decode = (name, version, bytes) => () => {
  const read = responses[`decode${name}Response`]
  return n => {
    let last
    for (let i = 0; i < n; i++) last = read(new Decoder(bytes), version)
    return last
  }
}
const encode = (name, version, value) => () => {
  const write = requests[`encode${name}Request`]
  return n => {
    let last
    for (let i = 0; i < n; i++) {
      const encoder = new Encoder()
      write(encoder, version, value)
      last = encoder.toBuffer()
    }
    return last
  }
}

const fetch = messages.fetchRequest(11)
export default {
  name: '@kafkats/client 0.12.0',
  cases: {
    'Metadata response v12, decode': decode('Metadata', 12, messages.bytesOf(Metadata.response, 12, messages.metadataResponse)),
    'Metadata response v6, decode': decode('Metadata', 6, messages.bytesOf(Metadata.response, 6, messages.metadataResponse)),
    'Fetch response v11, decode': decode('Fetch', 11, messages.bytesOf(Fetch.response, 11, messages.fetchResponse(11))),
    'OffsetCommit response v7, decode': decode(
      'OffsetCommit',
      7,
      messages.bytesOf(OffsetCommit.response, 7, messages.offsetCommitResponse),
    ),
    'JoinGroup response v5, decode': decode(
      'JoinGroup',
      5,
      messages.bytesOf(JoinGroup.response, 5, messages.joinGroupResponse(5)),
    ),
    'Metadata request v12, encode': encode('Metadata', 12, messages.metadataRequest),
    'Metadata request v6, encode': encode('Metadata', 6, messages.metadataRequest),
    'Fetch request v11, encode': encode('Fetch', 11, {
      ...fetch,
      topics: fetch.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, ...rest }) => ({ partitionIndex: partition, ...rest })),
      })),
    }),
    'OffsetCommit request v7, encode': encode('OffsetCommit', 7, { ...messages.offsetCommitRequest, generationId: 7 }),
    'JoinGroup request v5, encode': encode('JoinGroup', 5, messages.joinGroupRequest),
  },
}
