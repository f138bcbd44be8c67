// Many faults at once, from one seed each. What must hold whatever happens: every promise settles, what is acknowledged is in
// the log at its offset, nothing is there twice, and each partition is in the order of the sends.
import { describe, expect, test } from 'vitest'
import { Produce } from '../../src/protocol/apis/00-produce.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { seededRandom } from '../../src/runtime/simulated/index.ts'
import { World } from './fixture.ts'

const PARTITIONS = 3
const RECORDS = 400
const PASSING = [
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.NETWORK_EXCEPTION,
]

describe('faults from a seed', () => {
  test.each(Array.from({ length: 25 }, (_, i) => i + 1))('seed %i', seed =>
    World.run({ seed, topics: { t: PARTITIONS }, nodes: 3 }, async world => {
      const random = seededRandom(seed * 7919)
      const { broker, runtime } = world
      runtime.hosts.conditions.latencyMs = 1
      runtime.hosts.conditions.jitterMs = 3
      runtime.hosts.conditions.splitChance = 0.1
      if (seed % 3 === 0) runtime.hosts.conditions.connectionLifeMs = [20, 400]
      let calm = false
      broker.intercept(Produce, async ({ topicData }, context) => {
        const chance = calm ? 1 : random()
        if (chance < 0.08) return 'close' as const
        if (chance < 0.2) {
          // Stored, and then the answer is lost.
          await context.next()
          return chance < 0.17 ? ('close' as const) : ('drop' as const)
        }
        if (chance < 0.35) {
          const errorCode = PASSING[Math.floor(random() * PASSING.length)]!
          return {
            responses: topicData.map(({ name, topicId, partitionData }) => ({
              name,
              topicId,
              partitionResponses: partitionData.map(({ index }) => ({ index, errorCode, baseOffset: -1n, recordErrors: [] })),
            })),
            throttleTimeMs: 0,
          }
        }
        if (chance < 0.4) await world.pass(random() * 30)
        return 'pass' as const
      })
      const producer = world.producer({
        batchSize: 300,
        lingerMs: 1,
        retryBackoffMs: 5,
        retryBackoffMaxMs: 40,
        requestTimeoutMs: 300,
        reconnectBackoffMs: 5,
      })
      const outcomes: Promise<void>[] = []
      const acknowledged: { partition: number; offset: bigint; value: string }[] = []
      for (let i = 0; i < RECORDS; i++) {
        const value = String(i)
        outcomes.push(
          producer.send({ topic: 't', partition: i % PARTITIONS, value }).then(({ partition, offset }) => {
            acknowledged.push({ partition, offset, value })
          }),
        )
        if (random() < 0.2) await world.pass(random() * 8)
        if (random() < 0.05) broker.moveLeader('t', Math.floor(random() * PARTITIONS), 1 + Math.floor(random() * 3))
        if (random() < 0.01) {
          const node = 1 + Math.floor(random() * 3)
          await broker.stopNode(node)
          await world.pass(random() * 60)
          await broker.startNode(node)
        }
      }
      await world.pass(500)
      calm = true
      await Promise.all(outcomes)
      expect(producer.bufferedBytes).toBe(0)
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const stored = await world.stored('t', partition)
        const expected = Array.from({ length: RECORDS }, (_, i) => i)
          .filter(i => i % PARTITIONS === partition)
          .map(String)
        expect(stored.map(({ value }) => value)).toEqual(expected)
        for (const { offset, value } of acknowledged.filter(each => each.partition === partition && each.offset >= 0n))
          expect(stored[Number(offset)]?.value).toBe(value)
      }
      expect(acknowledged).toHaveLength(RECORDS)
    }),
  )
})
