import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../../src/errors.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from '../../src/protocol/group/index.ts'

describe('a subscription', () => {
  const subscription = {
    topics: ['orders'],
    userData: Buffer.from('x'),
    ownedPartitions: [{ topic: 'orders', partitions: [0, 2] }],
    generationId: 5,
    rackId: 'a',
  }
  test('travels at every version, losing what the version lacks', () => {
    expect(decodeSubscription(encodeSubscription(subscription))).toEqual({ ...subscription, version: 3 })
    expect(decodeSubscription(encodeSubscription(subscription, 1))).toEqual({
      ...subscription,
      generationId: -1,
      rackId: null,
      version: 1,
    })
    expect(decodeSubscription(encodeSubscription(subscription, 0))).toMatchObject({ ownedPartitions: [], version: 0 })
  })
  test('is the bytes that other clients send', () => {
    expect(encodeSubscription({ topics: ['t'] }, 0).toString('hex')).toBe('0000' + '00000001' + '000174' + 'ffffffff')
  })
  test('of a newer version is read as the newest known, and what follows is left alone', () => {
    const newer = Buffer.concat([encodeSubscription(subscription), Buffer.from('more')])
    newer.writeInt16BE(9, 0)
    expect(decodeSubscription(newer)).toEqual({ ...subscription, version: 9 })
  })
  test.each([
    ['nothing', ''],
    ['one byte', '00'],
    ['a negative version', 'ffff00000000'],
    ['half a subscription', '000000000001'],
  ])('that is %s is refused', (_, hex) => expect(() => decodeSubscription(Buffer.from(hex, 'hex'))).toThrow(ProtocolError))
  test('may lie in any kind of byte array', () => {
    const bytes = encodeSubscription(subscription)
    const inside = new Uint8Array(bytes.length + 10)
    inside.set(bytes, 10)
    expect(decodeSubscription(inside.subarray(10))).toEqual({ ...subscription, version: 3 })
  })
})

test('an assignment travels at every version', () => {
  const assignment = {
    assignedPartitions: [
      { topic: 'orders', partitions: [1] },
      { topic: 'sales', partitions: [] },
    ],
    userData: null,
  }
  for (const version of [0, 1, 2, 3])
    expect(decodeAssignment(encodeAssignment(assignment, version))).toEqual({ ...assignment, version })
  expect(() => decodeAssignment(Buffer.alloc(0))).toThrow(ProtocolError)
})
