/** What Kafka's internal topics and control records hold, for tools that read them. A broker may change it between releases. */
import { ProtocolError } from '../../errors.ts'
import { decodeMessage } from '../frame.ts'
import type { Decoded, Message } from '../schema.ts'
import * as consumerGroup from './consumer-group-records.ts'
import * as offsets from './consumer-offsets.ts'
import * as shareGroup from './share-group-records.ts'
import * as shareState from './share-state.ts'
import * as streamsGroup from './streams-group-records.ts'
import * as transactions from './transaction-state.ts'

export * from './consumer-group-records.ts'
export * from './consumer-offsets.ts'
export * from './control-records.ts'
export * from './share-group-records.ts'
export * from './share-state.ts'
export * from './streams-group-records.ts'
export * from './transaction-state.ts'

/** Key and value of each record type, which a key begins with as an int16. */
const RECORD_TYPES: Readonly<Record<string, Readonly<Record<number, readonly [key: Message, value: Message]>>>> = {
  __consumer_offsets: {
    0: [offsets.LegacyOffsetCommitKey, offsets.LegacyOffsetCommitValue],
    1: [offsets.OffsetCommitKey, offsets.OffsetCommitValue],
    2: [offsets.GroupMetadataKey, offsets.GroupMetadataValue],
    3: [consumerGroup.ConsumerGroupMetadataKey, consumerGroup.ConsumerGroupMetadataValue],
    4: [consumerGroup.ConsumerGroupPartitionMetadataKey, consumerGroup.ConsumerGroupPartitionMetadataValue],
    5: [consumerGroup.ConsumerGroupMemberMetadataKey, consumerGroup.ConsumerGroupMemberMetadataValue],
    6: [consumerGroup.ConsumerGroupTargetAssignmentMetadataKey, consumerGroup.ConsumerGroupTargetAssignmentMetadataValue],
    7: [consumerGroup.ConsumerGroupTargetAssignmentMemberKey, consumerGroup.ConsumerGroupTargetAssignmentMemberValue],
    8: [consumerGroup.ConsumerGroupCurrentMemberAssignmentKey, consumerGroup.ConsumerGroupCurrentMemberAssignmentValue],
    10: [shareGroup.ShareGroupMemberMetadataKey, shareGroup.ShareGroupMemberMetadataValue],
    11: [shareGroup.ShareGroupMetadataKey, shareGroup.ShareGroupMetadataValue],
    12: [shareGroup.ShareGroupTargetAssignmentMetadataKey, shareGroup.ShareGroupTargetAssignmentMetadataValue],
    13: [shareGroup.ShareGroupTargetAssignmentMemberKey, shareGroup.ShareGroupTargetAssignmentMemberValue],
    14: [shareGroup.ShareGroupCurrentMemberAssignmentKey, shareGroup.ShareGroupCurrentMemberAssignmentValue],
    15: [shareGroup.ShareGroupStatePartitionMetadataKey, shareGroup.ShareGroupStatePartitionMetadataValue],
    16: [consumerGroup.ConsumerGroupRegularExpressionKey, consumerGroup.ConsumerGroupRegularExpressionValue],
    17: [streamsGroup.StreamsGroupMetadataKey, streamsGroup.StreamsGroupMetadataValue],
    19: [streamsGroup.StreamsGroupMemberMetadataKey, streamsGroup.StreamsGroupMemberMetadataValue],
    20: [streamsGroup.StreamsGroupTargetAssignmentMetadataKey, streamsGroup.StreamsGroupTargetAssignmentMetadataValue],
    21: [streamsGroup.StreamsGroupTargetAssignmentMemberKey, streamsGroup.StreamsGroupTargetAssignmentMemberValue],
    22: [streamsGroup.StreamsGroupCurrentMemberAssignmentKey, streamsGroup.StreamsGroupCurrentMemberAssignmentValue],
    23: [streamsGroup.StreamsGroupTopologyKey, streamsGroup.StreamsGroupTopologyValue],
  },
  __transaction_state: { 0: [transactions.TransactionLogKey, transactions.TransactionLogValue] },
  __share_group_state: {
    0: [shareState.ShareSnapshotKey, shareState.ShareSnapshotValue],
    1: [shareState.ShareUpdateKey, shareState.ShareUpdateValue],
  },
}

export interface InternalRecord {
  /** Name of the key's message without `Key`, such as `OffsetCommit`. */
  readonly type: string
  readonly key: Decoded<Message>
  /** Null for a tombstone. */
  readonly value: Decoded<Message> | null
  /** Version of the value; undefined for a tombstone. */
  readonly version: number | undefined
}

/**
 * Reads a record of `__consumer_offsets`, `__transaction_state` or `__share_group_state`. Undefined for a type that is not
 * known here, as newer brokers may write them. Throws ProtocolError for bytes that are not what their type says.
 */
export function readInternalRecord(topic: string, key: Uint8Array, value: Uint8Array | null): InternalRecord | undefined {
  const types = RECORD_TYPES[topic]
  if (!types) throw new ProtocolError(`${topic} is no internal topic: there are ${Object.keys(RECORD_TYPES).join(', ')}`)
  const keyBytes = viewOf(key)
  const known = types[versionOf(keyBytes, 'key')]
  if (!known) return undefined
  const [keyMessage, valueMessage] = known
  const type = keyMessage.name.replace(/Key$/, '')
  const read = decodeMessage(keyMessage, 0, keyBytes, 2).value
  if (value === null) return { type, key: read, value: null, version: undefined }
  const valueBytes = viewOf(value)
  const version = versionOf(valueBytes, 'value')
  const [min, max] = valueMessage.versions
  if (version < min || version > max) {
    throw new ProtocolError(`${valueMessage.name} v${version} is not known, ${min} to ${max} are: update this package`, {
      api: valueMessage.name,
      version,
      offset: 0,
    })
  }
  return { type, key: read, value: decodeMessage(valueMessage, version, valueBytes, 2).value, version }
}

const viewOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
function versionOf(bytes: Buffer, part: string): number {
  if (bytes.length < 2)
    throw new ProtocolError(`a ${part} of ${bytes.length} bytes has no version: is it a record of another topic?`)
  return bytes.readInt16BE(0)
}
