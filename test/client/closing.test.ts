import { expect, test } from 'vitest'
import { Consumer } from '../../src/consumer/index.ts'
import { ListOffsets } from '../../src/protocol/apis/index.ts'
import { inWorld, type World } from './simulation.ts'

const elapsed = async (world: World, work: () => Promise<unknown>): Promise<number> => {
  const start = world.sim.clock.monotonic()
  await work()
  return world.sim.clock.monotonic() - start
}
const endOf = (topic: string) => ({
  replicaId: -1,
  topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
})

test('a shared client does not wait for the fetches of its consumers when it closes', () =>
  inWorld({ nodes: 1, topics: { t: 1 } }, async world => {
    const client = world.client({ requestTimeoutMs: 60_000 })
    const consumers = [1, 2].map(() => new Consumer({ client, fetchMaxWaitMs: 20_000 }))
    const polls = consumers.map(consumer => {
      consumer.assign([{ topic: 't', partition: 0 }])
      return consumer.poll({ timeoutMs: 30_000 }).catch((error: unknown) => error)
    })
    await client.delay(1_000)
    expect(await elapsed(world, () => client.close())).toBeLessThan(100)
    for (const failure of await Promise.all(polls)) expect(failure).toMatchObject({ code: 'ERR_CLOSED' })
    for (const consumer of consumers) await consumer.close()
  }))

test('a connection that was given up before, and still has a request in flight, does not outlast the budget of close()', () =>
  inWorld({ nodes: 1, topics: { t: 1 } }, async world => {
    const client = world.client()
    await client.connect()
    world.broker.intercept(ListOffsets, () => 'drop')
    const lost = client.sendTo(1, ListOffsets, endOf('t'), { lane: 'other' }).catch((error: unknown) => error)
    await client.delay(50)
    // The broker moved: its connection is drained.
    client.metadata.hint('t', 0, { leaderId: 1, leaderEpoch: 99 }, [{ nodeId: 1, host: 'elsewhere', port: 9_092, rack: null }])
    await client.delay(50)
    expect(await elapsed(world, () => client.close({ timeoutMs: 1_000 }))).toBeLessThan(1_100)
    expect(await lost).toMatchObject({ outcome: 'unknown' })
  }))
