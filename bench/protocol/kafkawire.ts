import { Fetch, JoinGroup, Metadata, OffsetCommit } from '../../src/protocol/apis/index.ts'
import { codec } from '../../src/protocol/compile.ts'
import type { Encodable, Message } from '../../src/protocol/schema.ts'
import { Reader, Writer } from '../../src/protocol/wire.ts'
import type { Side } from '../rounds.ts'
import * as messages from './messages.ts'

const decode =
  <M extends Message>(message: M, version: number, value: Encodable<M>) =>
  () => {
    const bytes = messages.bytesOf(message, version, value)
    const { decode } = codec(message, version)
    return (n: number) => {
      let last: unknown
      for (let i = 0; i < n; i++) last = decode(new Reader(bytes))
      return last
    }
  }
const encode =
  <M extends Message>(message: M, version: number, value: Encodable<M>) =>
  () => {
    const { encode } = codec(message, version)
    return (n: number) => {
      let last: unknown
      for (let i = 0; i < n; i++) {
        const writer = new Writer()
        encode(writer, value)
        last = writer.chunks()
      }
      return last
    }
  }

const cases: Side['cases'] = {
  ...Object.fromEntries(
    [12, 6].map(v => [`Metadata response v${v}, decode`, decode(Metadata.response, v, messages.metadataResponse)]),
  ),
  ...Object.fromEntries(
    [17, 11].map(v => [`Fetch response v${v}, decode`, decode(Fetch.response, v, messages.fetchResponse(v))]),
  ),
  ...Object.fromEntries(
    [9, 7, 5].map(v => [`OffsetCommit response v${v}, decode`, decode(OffsetCommit.response, v, messages.offsetCommitResponse)]),
  ),
  ...Object.fromEntries(
    [9, 5].map(v => [`JoinGroup response v${v}, decode`, decode(JoinGroup.response, v, messages.joinGroupResponse(v))]),
  ),
  ...Object.fromEntries(
    [12, 6].map(v => [`Metadata request v${v}, encode`, encode(Metadata.request, v, messages.metadataRequest)]),
  ),
  ...Object.fromEntries([17, 11].map(v => [`Fetch request v${v}, encode`, encode(Fetch.request, v, messages.fetchRequest(v))])),
  ...Object.fromEntries(
    [9, 7, 5].map(v => [`OffsetCommit request v${v}, encode`, encode(OffsetCommit.request, v, messages.offsetCommitRequest)]),
  ),
  ...Object.fromEntries(
    [9, 5].map(v => [`JoinGroup request v${v}, encode`, encode(JoinGroup.request, v, messages.joinGroupRequest)]),
  ),
}

export default { name: 'kafkawire', cases } satisfies Side
