import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../../src/errors.ts'
import { encodeMessage } from '../../src/protocol/frame.ts'
import {
  ConsumerGroupMemberMetadataKey,
  ConsumerGroupMemberMetadataValue,
  GroupMetadataKey,
  OffsetCommitKey,
  OffsetCommitValue,
  readInternalRecord,
  ShareUpdateKey,
  TransactionLogKey,
  TransactionLogValue,
} from '../../src/protocol/internal/index.ts'
import type { Encodable, Message } from '../../src/protocol/schema.ts'

const tagged = <M extends Message>(int16: number, message: M, version: number, value: Encodable<M>): Buffer => {
  const prefix = Buffer.alloc(2)
  prefix.writeInt16BE(int16)
  return Buffer.concat([prefix, encodeMessage(message, version, value)])
}

describe('__consumer_offsets', () => {
  const key = tagged(1, OffsetCommitKey, 0, { group: 'g', topic: 't', partition: 3 })
  test('holds committed offsets, of every version', () => {
    for (const version of [0, 1, 2, 3, 4]) {
      const value = tagged(version, OffsetCommitValue, version, { offset: 42n, metadata: 'm', commitTimestamp: 1n })
      expect(readInternalRecord('__consumer_offsets', key, value)).toMatchObject({
        type: 'OffsetCommit',
        version,
        key: { group: 'g', topic: 't', partition: 3 },
        value: { offset: 42n, metadata: 'm', leaderEpoch: -1 },
      })
    }
  })
  test('holds tombstones', () => {
    expect(readInternalRecord('__consumer_offsets', tagged(2, GroupMetadataKey, 0, { group: 'g' }), null)).toEqual({
      type: 'GroupMetadata',
      key: { group: 'g' },
      value: null,
      version: undefined,
    })
  })
  test('holds what the newer groups keep', () => {
    const member = {
      instanceId: null,
      rackId: 'a',
      clientId: 'c',
      clientHost: '/1.2.3.4',
      subscribedTopicNames: ['t'],
      subscribedTopicRegex: null,
      serverAssignor: null,
    }
    const read = readInternalRecord(
      '__consumer_offsets',
      tagged(5, ConsumerGroupMemberMetadataKey, 0, { groupId: 'g', memberId: 'm' }),
      tagged(0, ConsumerGroupMemberMetadataValue, 0, member),
    )
    expect(read).toMatchObject({ type: 'ConsumerGroupMemberMetadata', value: { ...member, rebalanceTimeoutMs: -1 } })
  })
  test('may hold types of newer brokers, which are passed over', () => {
    expect(readInternalRecord('__consumer_offsets', Buffer.from('03e70000', 'hex'), null)).toBeUndefined()
  })
  test.each([
    ['a key without a version', Buffer.alloc(1), null, 'a key of 1 bytes has no version'],
    ['a value without one', key, Buffer.alloc(0), 'a value of 0 bytes has no version'],
    ['a value of a newer version', key, Buffer.from([0, 99]), 'OffsetCommitValue v99 is not known, 0 to 4 are'],
    ['half a key', key.subarray(0, 6), null, 'OffsetCommitKey v0 cannot be read'],
  ])('with %s is refused', (_, badKey, value, text) => {
    expect(() => readInternalRecord('__consumer_offsets', badKey, value)).toThrow(ProtocolError)
    expect(() => readInternalRecord('__consumer_offsets', badKey, value)).toThrow(text)
  })
})

test('__transaction_state and __share_group_state hold theirs', () => {
  const state = {
    producerId: 9n,
    producerEpoch: 1,
    transactionTimeoutMs: 60_000,
    transactionStatus: 1,
    transactionPartitions: null,
    transactionLastUpdateTimestampMs: 5n,
    transactionStartTimestampMs: 4n,
  }
  const value = tagged(1, TransactionLogValue, 1, { ...state, nextProducerEpoch: 3 })
  expect(
    readInternalRecord('__transaction_state', tagged(0, TransactionLogKey, 0, { transactionalId: 'x' }), value),
  ).toMatchObject({
    type: 'TransactionLog',
    key: { transactionalId: 'x' },
    value: { ...state, nextProducerEpoch: 3, nextProducerId: -1n },
  })
  const shareKey = tagged(1, ShareUpdateKey, 0, { groupId: 'g', topicId: 'A'.repeat(22), partition: 1 })
  expect(readInternalRecord('__share_group_state', shareKey, null)).toMatchObject({ type: 'ShareUpdate', value: null })
})

test('any other topic is refused by name', () =>
  expect(() => readInternalRecord('orders', Buffer.alloc(4), null)).toThrow('orders is no internal topic'))
