import { describe, expect, test } from 'vitest'
import type { GroupMember } from '../../src/consumer/group/assignor.ts'
import { ClassicMember } from '../../src/consumer/group/classic-member.ts'
import { rangeAssignor } from '../../src/consumer/group/range-assignor.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'

const times = { heartbeatIntervalMs: 3_000, maxPollIntervalMs: 300_000, backoffMs: () => 100 }
const joinAnswer = (change: object = {}) => ({
  throttleTimeMs: 0,
  errorCode: 0,
  generationId: 1,
  protocolType: 'consumer',
  protocolName: 'range',
  leader: 'm',
  skipAssignment: false,
  memberId: 'm',
  members: [],
  ...change,
})
const syncAnswer = (errorCode = 0) => ({
  throttleTimeMs: 0,
  errorCode,
  protocolType: 'consumer',
  protocolName: 'range',
  assignment: Buffer.from('mine'),
})

/** A member that has got as far as `stable`. */
function stable(isStatic = false) {
  const states: string[] = []
  const member = new ClassicMember(times, isStatic, (from, to) => states.push(`${from} -> ${to}`))
  member.rejoin()
  expect(member.poll(0).send).toMatchObject({ kind: 'join', memberId: '' })
  expect(member.poll(0).send).toBeUndefined()
  member.joined(joinAnswer({ errorCode: ErrorCode.MEMBER_ID_REQUIRED, generationId: -1 }), 0)
  expect(member.poll(0).send).toMatchObject({ kind: 'join', memberId: 'm' })
  member.joined(joinAnswer(), 0)
  expect(member.poll(0).send).toMatchObject({ kind: 'assign' })
  member.assigned([{ memberId: 'm', assignment: Buffer.from('mine') }])
  expect(member.poll(0).send).toMatchObject({ kind: 'sync', generationId: 1, memberId: 'm', protocol: 'range' })
  member.synced(syncAnswer(), 0)
  return { member, states }
}

describe('ClassicMember', () => {
  test('joins, assigns as leader, syncs, and hands its assignment over once', () => {
    const { member, states } = stable()
    expect(states).toEqual(['outside -> joining', 'joining -> assigning', 'assigning -> syncing', 'syncing -> stable'])
    expect(String(member.takeAssignment())).toBe('mine')
    expect(member.takeAssignment()).toBeUndefined()
  })

  test('heartbeats at their interval, one at a time', () => {
    const { member } = stable()
    expect(member.poll(0)).toEqual({ wakeAt: 3_000 })
    expect(member.poll(3_000).send).toEqual({ kind: 'heartbeat', generationId: 1, memberId: 'm' })
    expect(member.poll(9_000).send).toBeUndefined()
    member.beat(0, { generationId: 1, memberId: 'm' }, 9_000)
    expect(member.poll(9_000)).toEqual({ wakeAt: 12_000 })
  })

  test('REBALANCE_IN_PROGRESS keeps the generation and the heartbeats until the user lets go', () => {
    const { member } = stable()
    member.poll(3_000)
    member.beat(ErrorCode.REBALANCE_IN_PROGRESS, { generationId: 1, memberId: 'm' }, 3_000)
    expect([member.state, member.wantsRejoin, member.generationId]).toEqual(['stable', true, 1])
    expect(member.poll(6_000).send).toMatchObject({ kind: 'heartbeat' })
    member.rejoin()
    expect(member.poll(6_000).send).toMatchObject({ kind: 'join', memberId: 'm' })
  })

  test('an answer to a heartbeat of a former generation is ignored', () => {
    const { member } = stable()
    member.poll(3_000)
    member.beat(ErrorCode.UNKNOWN_MEMBER_ID, { generationId: 0, memberId: 'm' }, 3_000)
    expect(member.state).toBe('stable')
  })

  test('without a poll for maxPollIntervalMs it is lost and leaves; a static member only is lost', () => {
    for (const isStatic of [false, true]) {
      const { member } = stable(isStatic)
      for (let now = 3_000; now <= 300_000; now += 3_000) {
        expect(member.poll(now).send?.kind).toBe('heartbeat')
        member.beat(0, { generationId: 1, memberId: 'm' }, now)
      }
      expect(member.poll(300_001).send).toBeUndefined()
      expect(member.state).toBe('lost')
      expect(member.poll(300_001).send?.kind).toBe(isStatic ? undefined : 'leave')
    }
  })

  test.each([
    ['SyncGroup', ErrorCode.REBALANCE_IN_PROGRESS, 'm'],
    ['SyncGroup', ErrorCode.UNKNOWN_MEMBER_ID, ''],
    ['SyncGroup', ErrorCode.ILLEGAL_GENERATION, 'm'],
  ])('%s refused with %i joins again as %j', (_, errorCode, memberId) => {
    const { member } = stable()
    member.requestRejoin('test')
    member.rejoin()
    member.poll(0)
    member.joined(joinAnswer({ leader: 'other', generationId: 2 }), 0)
    member.poll(0)
    member.synced(syncAnswer(errorCode), 0)
    expect(member.poll(100).send).toMatchObject({ kind: 'join', memberId })
  })

  test('an interrupted join is repeated after the backoff, with the same member id', () => {
    const { member } = stable()
    member.rejoin()
    member.poll(0)
    member.interrupted('join', 1_000)
    expect(member.poll(1_000)).toEqual({ wakeAt: 1_100 })
    expect(member.poll(1_100).send).toMatchObject({ kind: 'join', memberId: 'm' })
  })

  test('a join that is answered after the member left is followed by another leave', () => {
    const member = new ClassicMember(times, false)
    member.rejoin()
    member.poll(0)
    member.leave('closed')
    member.joined(joinAnswer(), 0)
    expect(member.poll(0).send).toMatchObject({ kind: 'leave', memberId: 'm' })
  })

  test('a transition that the table lacks is a defect, not a state', () => {
    const { member } = stable()
    member.leave('closed')
    expect(() => member.fail(new Error('late'))).not.toThrow()
    expect(member.state).toBe('left')
  })
})

describe("range assignor, against Java's examples", () => {
  const member = (memberId: string, topics: string[], groupInstanceId: string | null = null): GroupMember => ({
    memberId,
    groupInstanceId,
    topics,
    owned: [],
    rack: null,
    userData: null,
  })
  const assign = (members: GroupMember[], counts: Record<string, number>) =>
    Object.fromEntries(
      [...rangeAssignor.assign(members, new Map(Object.entries(counts)))].map(([id, partitions]) => [
        id,
        partitions.map(({ topic, partition }) => `${topic}${partition}`).join(' '),
      ]),
    )

  test.each([
    ['no topics', [member('a', [])], {}, { a: '' }],
    ['an unknown topic', [member('a', ['x'])], {}, { a: '' }],
    ['one member', [member('a', ['x'])], { x: 3 }, { a: 'x0 x1 x2' }],
    ['more members than partitions', [member('a', ['x']), member('b', ['x'])], { x: 1 }, { a: 'x0', b: '' }],
    [
      'two topics of three, two members',
      [member('b', ['x', 'y']), member('a', ['x', 'y'])],
      { x: 3, y: 3 },
      { a: 'x0 x1 y0 y1', b: 'x2 y2' },
    ],
    [
      'different subscriptions',
      [member('a', ['x']), member('b', ['x', 'y']), member('c', ['x'])],
      { x: 3, y: 2 },
      { a: 'x0', b: 'x1 y0 y1', c: 'x2' },
    ],
    [
      'static members come first, by instance id',
      [member('a', ['x']), member('z', ['x'], 'i1'), member('y', ['x'], 'i2')],
      { x: 4 },
      { a: 'x3', z: 'x0 x1', y: 'x2' },
    ],
  ] as [string, GroupMember[], Record<string, number>, Record<string, string>][])('%s', (_, members, counts, expected) => {
    expect(assign(members, counts)).toEqual(expected)
  })
})
