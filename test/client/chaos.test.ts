import { describe, expect, test } from 'vitest'
import { ListOffsets, OffsetCommit, OffsetFetch } from '../../src/protocol/apis/index.ts'
import { seededRandom } from '../../src/runtime/simulated/index.ts'
import { inWorld } from './simulation.ts'

const PARTITIONS = [0, 1, 2, 3, 4, 5]
const GROUPS = ['a', 'b', 'c', 'd']

/** Half a minute of trouble: connections die young, nodes are killed, frozen and cut off one at a time, leaders move. */
async function trouble(seed: number): Promise<{ answered: number; trace: string; longestMs: number }> {
  const random = seededRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  let answered = 0
  let longestMs = 0
  let trace = ''
  await inWorld(
    { seed, network: { latencyMs: 1, jitterMs: 5, splitChance: 0.1, connectionLifeMs: [500, 1_500] } },
    async world => {
      const client = world.client({ requestTimeoutMs: 2_000 })
      const { clock } = world.sim
      const pause = (ms: number) => new Promise<void>(resolve => clock.setTimer(ms, resolve))
      let over = false
      const flow = async (ask: () => Promise<readonly number[]>) => {
        while (!over) {
          const start = clock.monotonic()
          const codes = await ask()
          expect(codes.filter(code => code !== 0)).toEqual([])
          longestMs = Math.max(longestMs, clock.monotonic() - start)
          answered++
          await pause(20)
        }
      }
      const flows = [
        flow(async () => {
          const topics = [{ name: 't', partitions: PARTITIONS.map(partitionIndex => ({ partitionIndex, timestamp: -1n })) }]
          const answer = await client.request(ListOffsets, { replicaId: -1, topics })
          return answer.topics.flatMap(topic => topic.partitions.map(partition => partition.errorCode))
        }),
        ...GROUPS.map(groupId =>
          flow(async () => {
            const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: null }]
            const answer = await client.request(OffsetCommit, { groupId, topics: [{ name: 't', partitions }] })
            return answer.topics.flatMap(topic => topic.partitions.map(partition => partition.errorCode))
          }),
        ),
        flow(async () => {
          const answer = await client.request(OffsetFetch, { groups: GROUPS.map(groupId => ({ groupId, topics: null })) })
          expect(answer.groups.map(group => group.groupId)).toEqual(GROUPS)
          return answer.groups.map(group => group.errorCode)
        }),
      ]
      while (clock.monotonic() < 30_000) {
        const nodeId = pick([1, 2, 3])
        const fault = pick(['kill', 'freeze', 'cut', 'move', 'reset'])
        if (fault === 'kill') {
          await world.broker.stopNode(nodeId)
          await pause(2_000 * random())
          await world.broker.startNode(nodeId)
        } else if (fault === 'freeze') {
          world.broker.freezeNode(nodeId)
          await pause(4_000 * random())
          world.broker.thawNode(nodeId)
        } else if (fault === 'cut') {
          world.sim.hosts.partition('client', world.listenerOf(nodeId))
          await pause(4_000 * random())
          world.sim.hosts.heal('client', world.listenerOf(nodeId))
        } else if (fault === 'move') {
          for (const partition of PARTITIONS) world.broker.moveLeader('t', partition, pick([1, 2, 3]))
          for (const group of GROUPS) world.broker.moveCoordinator(group, pick([1, 2, 3]))
        } else world.sim.hosts.reset()
        await pause(500 * random())
      }
      over = true
      await Promise.all(flows)
      trace = world.sim.trace.hash
    },
  )
  return { answered, trace, longestMs }
}

describe('trouble of all kinds', () => {
  test.each([1, 2, 3, 4])(
    'every request is answered in the end (seed %i)',
    async seed => {
      const { answered, longestMs } = await trouble(seed)
      expect(answered).toBeGreaterThan(500)
      expect(longestMs).toBeLessThan(20_000)
    },
    60_000,
  )

  test('the same seed gives the same history', async () => {
    expect(await trouble(7)).toEqual(await trouble(7))
  }, 60_000)
})
