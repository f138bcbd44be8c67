import { expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { Connection } from '../../src/net/connection.ts'
import { Fetch, Heartbeat, JoinGroup, Produce, SyncGroup } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { silent } from '../../src/util/logger.ts'
import { batch, readBack } from './batches.ts'

const connectTo = (bootstrapServers: string, runtime: SimulatedRuntime) => {
  const [host, port] = bootstrapServers.split(':')
  return new Connection(
    {
      host: host!,
      port: Number(port),
      clientId: 'sim',
      connectTimeoutMs: 1000,
      requestTimeoutMs: 30_000,
      maxResponseBytes: 1 << 24,
      maxInFlight: 5,
      logger: silent,
    },
    runtime,
  )
}

/** A minute of producing and consuming, one record every 100 ms, on a network that splits what it carries. */
async function minute(seed: number) {
  const runtime = new SimulatedRuntime({ seed, network: { jitterMs: 5, splitChance: 0.2 } })
  const read = await runtime.run(async () => {
    await using broker = await startBroker({ runtime: runtime.on('broker'), host: 'broker', topics: { t: 1 } })
    const producer = connectTo(broker.bootstrapServers, runtime)
    const consumer = connectTo(broker.bootstrapServers, runtime)
    await Promise.all([producer.connect(), consumer.connect()])
    const read: string[] = []
    const consuming = (async () => {
      while (read.length < 600) {
        const { responses } = await consumer.request(
          Fetch,
          {
            maxWaitMs: 500,
            minBytes: 1,
            topics: [
              { topic: 't', partitions: [{ partition: 0, fetchOffset: BigInt(read.length), partitionMaxBytes: 1 << 20 }] },
            ],
          },
          { maxVersion: 12 },
        )
        read.push(...readBack(responses[0]!.partitions[0]!.records))
      }
    })()
    for (let i = 0; i < 600; i++) {
      await producer.request(
        Produce,
        { acks: -1, timeoutMs: 1000, topicData: [{ name: 't', partitionData: [{ index: 0, records: batch([`v${i}`]) }] }] },
        { maxVersion: 12 },
      )
      await new Promise<void>(resolve => runtime.clock.setTimer(100, resolve))
    }
    await consuming
    await Promise.all([producer.close(), consumer.close()])
    return read
  })
  return { read, hash: runtime.trace.hash, virtualMs: runtime.clock.monotonic() }
}

// The clock that passes is a virtual one: a busy machine only makes it slow.
test('a simulated minute is the same for the same seed, and another for another', { timeout: 120_000 }, async () => {
  const first = await minute(1)
  expect(first.read).toEqual(Array.from({ length: 600 }, (_, i) => `${i}:v${i}`))
  expect(first.virtualMs).toBeGreaterThan(60_000)
  expect((await minute(1)).hash).toBe(first.hash)
  // By processor time, which others on the machine do not lengthen as they do the clock's.
  const before = process.cpuUsage()
  expect((await minute(2)).hash).not.toBe(first.hash)
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1_000).toBeLessThan(1_000)
})

test('a member that falls silent loses its session, and one that does not sync loses its place, on the virtual clock', async () => {
  const runtime = new SimulatedRuntime()
  await runtime.run(async () => {
    await using broker = await startBroker({ runtime: runtime.on('broker'), host: 'broker' })
    const connection = connectTo(broker.bootstrapServers, runtime)
    await connection.connect()
    const pass = (ms: number) => new Promise<void>(resolve => runtime.clock.setTimer(ms, resolve))
    const join = (memberId: string, groupId: string) =>
      connection.request(JoinGroup, {
        groupId,
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 20_000,
        memberId,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
      })
    const { memberId } = await join('', 'g')
    await join(memberId, 'g')
    await connection.request(SyncGroup, {
      groupId: 'g',
      generationId: 1,
      memberId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [],
    })
    await pass(9_000)
    const beat = async () => (await connection.request(Heartbeat, { groupId: 'g', generationId: 1, memberId })).errorCode
    expect(await beat()).toBe(0)
    await pass(9_900)
    expect(broker.group('g')?.members).toHaveLength(1)
    await pass(200)
    expect(broker.group('g')).toMatchObject({ state: 'Empty', members: [] })
    expect(await beat()).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    // The newcomer who is told its id and never comes back is forgotten as well.
    const late = await join('', 'h')
    await pass(10_100)
    expect((await join(late.memberId, 'h')).errorCode).toBe(ErrorCode.UNKNOWN_MEMBER_ID)
    await connection.close()
  })
})

test('closing ends every timer', async () => {
  const runtime = new SimulatedRuntime()
  await runtime.run(async () => {
    const broker = await startBroker({ runtime: runtime.on('broker'), host: 'broker', topics: { t: 1 } })
    const connection = connectTo(broker.bootstrapServers, runtime)
    await connection.connect()
    const waiting = connection.request(Fetch, {
      maxWaitMs: 25_000,
      minBytes: 1,
      topics: [
        { topicId: broker.partition('t', 0).topicId, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 }] },
      ],
    })
    const first = connection.request(JoinGroup, {
      groupId: 'g',
      sessionTimeoutMs: 10_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
    })
    const outcomes = Promise.allSettled([waiting, first])
    await new Promise<void>(resolve => runtime.clock.setTimer(100, resolve))
    await broker.close()
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await connection.close()
  })
  expect(runtime.clock.pending).toBe(0)
})
