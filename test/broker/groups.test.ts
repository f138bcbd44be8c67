import { describe, expect, test } from 'vitest'
import { Heartbeat, JoinGroup, LeaveGroup, OffsetCommit, OffsetFetch, SyncGroup } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import type { RawClient } from './raw-client.ts'
import { connect, setUp } from './set-up.ts'

const joinTerms = (change: object = {}) => ({
  groupId: 'g',
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 20_000,
  memberId: '',
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from('m') }],
  ...change,
})

/** Joins as a newcomer of v9 does: refused once with an id, then let in. */
async function join(client: RawClient, change: object = {}) {
  const first = await client.request(JoinGroup, 9, joinTerms(change))
  if (first.errorCode !== ErrorCode.MEMBER_ID_REQUIRED) return first
  return client.request(JoinGroup, 9, joinTerms({ ...change, memberId: first.memberId }))
}
const sync = (
  client: RawClient,
  memberId: string,
  generationId: number,
  assignments: { memberId: string; assignment: Uint8Array }[] = [],
) =>
  client.request(SyncGroup, 5, {
    groupId: 'g',
    generationId,
    memberId,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments,
  })
const beat = async (client: RawClient, memberId: string, generationId: number, groupInstanceId: string | null = null) =>
  (await client.request(Heartbeat, 4, { groupId: 'g', generationId, memberId, groupInstanceId })).errorCode

describe('classic groups', () => {
  test('a member joins, leads, gets what it assigned, and leaves', async () => {
    const { broker, client } = await setUp()
    const joined = await join(client)
    expect(joined).toMatchObject({ errorCode: 0, generationId: 1, protocolName: 'range', leader: joined.memberId })
    expect(joined.members.map(({ memberId }) => memberId)).toEqual([joined.memberId])
    const synced = await sync(client, joined.memberId, 1, [{ memberId: joined.memberId, assignment: Buffer.from('mine') }])
    expect(synced.assignment.toString()).toBe('mine')
    expect(await beat(client, joined.memberId, 1)).toBe(0)
    expect(await beat(client, joined.memberId, 2)).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(await beat(client, 'stranger', 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(broker.group('g')).toMatchObject({ state: 'Stable', generationId: 1 })
    const left = await client.request(LeaveGroup, 5, { groupId: 'g', members: [{ memberId: joined.memberId }] })
    expect(left.members[0]!.errorCode).toBe(0)
    expect(broker.group('g')).toMatchObject({ state: 'Empty', members: [] })
  })

  test('a second member makes the first join again, and only the leader learns who is in the group', async () => {
    const { broker, client } = await setUp()
    const other = await connect(broker)
    const first = await join(client)
    await sync(client, first.memberId, 1)
    const second = join(other)
    await expect.poll(() => beat(client, first.memberId, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    const again = await client.request(JoinGroup, 9, joinTerms({ memberId: first.memberId }))
    const newcomer = await second
    expect([again.generationId, newcomer.generationId]).toEqual([2, 2])
    expect(again.members).toHaveLength(2)
    expect(newcomer.members).toHaveLength(0)
    const waiting = sync(other, newcomer.memberId, 2)
    await sync(client, again.memberId, 2, [{ memberId: newcomer.memberId, assignment: Buffer.from('yours') }])
    expect((await waiting).assignment.toString()).toBe('yours')
  })

  test('the protocol that all support and most prefer is chosen; a member with no common one is refused', async () => {
    const { broker, client } = await setUp()
    const other = await connect(broker)
    const protocols = (...names: string[]) => ({ protocols: names.map(name => ({ name, metadata: Buffer.alloc(0) })) })
    const first = await join(client, protocols('range', 'sticky'))
    const second = join(other, protocols('sticky', 'roundrobin'))
    await expect.poll(() => broker.group('g')?.state).toBe('PreparingRebalance')
    const again = await client.request(JoinGroup, 9, joinTerms({ memberId: first.memberId, ...protocols('range', 'sticky') }))
    expect([again.protocolName, (await second).protocolName]).toEqual(['sticky', 'sticky'])
    expect((await join(client, protocols('range'))).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  })

  test('a static member that restarts keeps its assignment without a rebalance, and its old self is fenced', async () => {
    const { broker, client } = await setUp()
    const first = await join(client, { groupInstanceId: 'i1' })
    expect(first.errorCode).toBe(0)
    const syncStatic = (client: RawClient, memberId: string, assignments: { memberId: string; assignment: Uint8Array }[] = []) =>
      client.request(SyncGroup, 5, {
        groupId: 'g',
        generationId: 1,
        memberId,
        groupInstanceId: 'i1',
        protocolType: 'consumer',
        protocolName: 'range',
        assignments,
      })
    await syncStatic(client, first.memberId, [{ memberId: first.memberId, assignment: Buffer.from('kept') }])
    const restarted = await connect(broker)
    const second = await join(restarted, { groupInstanceId: 'i1' })
    expect(second).toMatchObject({ errorCode: 0, generationId: 1, skipAssignment: true })
    expect(second.memberId).not.toBe(first.memberId)
    expect((await syncStatic(restarted, second.memberId)).assignment.toString()).toBe('kept')
    expect(await beat(client, first.memberId, 1, 'i1')).toBe(ErrorCode.FENCED_INSTANCE_ID)
  })

  test('joins of every version are served, and without MEMBER_ID_REQUIRED before v4', async () => {
    const { client } = await setUp()
    for (let version = 0; version <= 9; version++) {
      const terms = joinTerms({ groupId: `g${version}` })
      const first = await client.request(JoinGroup, version, terms)
      expect(first.errorCode).toBe(version >= 4 ? ErrorCode.MEMBER_ID_REQUIRED : 0)
      if (version >= 4)
        expect((await client.request(JoinGroup, version, { ...terms, memberId: first.memberId })).errorCode).toBe(0)
    }
  })

  test('bad terms are refused', async () => {
    const { client } = await setUp({ nodes: 1, config: { 'group.max.size': '1' } })
    expect((await join(client, { groupId: '' })).errorCode).toBe(ErrorCode.INVALID_GROUP_ID)
    expect((await join(client, { sessionTimeoutMs: 1 })).errorCode).toBe(ErrorCode.INVALID_SESSION_TIMEOUT)
    expect((await join(client, { protocols: [] })).errorCode).toBe(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    expect((await join(client, { memberId: 'unheard-of' })).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect((await join(client)).errorCode).toBe(0)
    expect((await join(client)).errorCode).toBe(ErrorCode.GROUP_MAX_SIZE_REACHED)
  })
})

describe('offsets', () => {
  test('are committed and fetched in every version', async () => {
    const { broker, client } = await setUp()
    const { topicId } = broker.partition('t', 0)
    for (let version = 0; version <= 10; version++) {
      const topic = version < 10 ? { name: 't' } : { topicId }
      const { topics } = await client.request(OffsetCommit, version, {
        groupId: 'g',
        topics: [{ ...topic, partitions: [{ partitionIndex: 0, committedOffset: BigInt(version), committedMetadata: 'm' }] }],
      })
      expect(topics[0]!.partitions[0]!.errorCode).toBe(0)
    }
    for (let version = 0; version <= 7; version++) {
      const { topics } = await client.request(OffsetFetch, version, {
        groupId: 'g',
        topics: [{ name: 't', partitionIndexes: [0, 1] }],
      })
      expect(topics[0]!.partitions.map(({ committedOffset }) => committedOffset)).toEqual([10n, -1n])
    }
    for (let version = 8; version <= 10; version++) {
      const topic = version < 10 ? { name: 't' } : { topicId }
      const { groups } = await client.request(OffsetFetch, version, {
        groups: [
          { groupId: 'g', topics: [{ ...topic, partitionIndexes: [0] }] },
          { groupId: 'unknown', topics: null },
        ],
      })
      expect(groups[0]!.topics[0]!.partitions[0]).toMatchObject({ committedOffset: 10n, metadata: 'm' })
      expect(groups[1]).toMatchObject({ errorCode: 0, topics: [] })
    }
  })

  test('only current members commit while a group has any', async () => {
    const { client } = await setUp()
    const { memberId } = await join(client)
    const commit = async (memberId: string, generation: number) => {
      const { topics } = await client.request(OffsetCommit, 9, {
        groupId: 'g',
        memberId,
        generationIdOrMemberEpoch: generation,
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: null }] }],
      })
      return topics[0]!.partitions[0]!.errorCode
    }
    expect(await commit(memberId, 1)).toBe(ErrorCode.REBALANCE_IN_PROGRESS)
    await sync(client, memberId, 1)
    expect(await commit(memberId, 1)).toBe(0)
    expect(await commit(memberId, 0)).toBe(ErrorCode.ILLEGAL_GENERATION)
    expect(await commit('', -1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    expect(await commit('stranger', 1)).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
  })

  test('go with their topic', async () => {
    const { broker, client } = await setUp()
    await client.request(OffsetCommit, 9, {
      groupId: 'g',
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 5n, committedMetadata: null }] }],
    })
    expect(broker.committed('g', 't', 0)).toBe(5n)
    broker.deleteTopic('t')
    broker.createTopic('t', 2)
    expect(broker.committed('g', 't', 0)).toBeUndefined()
  })
})

test('a moved coordinator sends whoever waits, and whoever asks, to the new one', async () => {
  const { broker, client } = await setUp({ nodes: 2 })
  broker.moveCoordinator('g', 1)
  const first = await join(client)
  await sync(client, first.memberId, 1)
  const other = await connect(broker)
  const waiting = join(other)
  await expect.poll(() => broker.group('g')?.state).toBe('PreparingRebalance')
  broker.moveCoordinator('g', 2)
  expect((await waiting).errorCode).toBe(ErrorCode.NOT_COORDINATOR)
  expect(await beat(client, first.memberId, 1)).toBe(ErrorCode.NOT_COORDINATOR)
})
