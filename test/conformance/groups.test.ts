import { describe, expect, test } from 'vitest'
import type { Consumer } from '../../src/consumer/index.ts'
import { uniqueName } from '../brokers/broker-under-test.ts'
import { cluster, pollUntil } from './cluster.ts'

const PARTITIONS = 6

/** A member of a group that polls until it is stopped, and commits after each poll that brought something. */
class Member {
  readonly read: { partition: number; offset: bigint; value: string }[] = []
  readonly consumer: Consumer
  private readonly loop: Promise<void>
  private stopping = false
  private failure: unknown

  constructor(consumer: Consumer, topic: string, onCommit: (partition: number, next: bigint) => void) {
    this.consumer = consumer
    consumer.subscribe([topic])
    this.loop = this.run(onCommit)
    this.loop.catch(error => {
      this.failure = error
    })
  }

  private async run(onCommit: (partition: number, next: bigint) => void): Promise<void> {
    while (!this.stopping) {
      const records = await this.consumer.poll({ timeoutMs: 200, maxRecords: 50 })
      for (const { partition, offset, value } of records) this.read.push({ partition, offset, value: String(value) })
      if (records.length === 0) continue
      const next = new Map<number, bigint>()
      for (const { partition, offset } of records) next.set(partition, offset + 1n)
      try {
        await this.consumer.commit()
      } catch (error) {
        // The group moved on meanwhile: what was not committed is delivered again, to whoever owns it now.
        if (['ERR_COMMIT_FAILED', 'ERR_REBALANCE_IN_PROGRESS'].includes((error as { code?: string }).code ?? '')) continue
        throw error
      }
      for (const [partition, offset] of next) onCommit(partition, offset)
    }
  }

  get partitions(): number[] {
    if (this.failure) throw this.failure
    return this.consumer
      .assignment()
      .map(({ partition }) => partition)
      .sort((a, b) => a - b)
  }

  async stop(): Promise<void> {
    this.stopping = true
    await this.loop
    await this.consumer.close()
  }
}

describe('a consumer group', () => {
  test('two members split six partitions and hand them over: nothing lost, nothing before a commit delivered again', async () => {
    const { topic: create, producer: produce, consumer: consume } = await cluster()
    const topic = await create('handover', PARTITIONS)
    const groupId = uniqueName('handover-group')
    const producer = produce()
    const committed = new Map<number, bigint>()
    const onCommit = (partition: number, next: bigint) =>
      committed.set(partition, next > (committed.get(partition) ?? 0n) ? next : committed.get(partition)!)
    let sent = 0
    const produceSome = async (count: number) => {
      await producer.send(
        Array.from({ length: count }, (_, i) => ({
          topic,
          partition: (sent + i) % PARTITIONS,
          value: Buffer.from(String(sent + i)),
        })),
      )
      sent += count
    }
    const options = { groupId, enableAutoCommit: false, sessionTimeoutMs: 10_000, heartbeatIntervalMs: 300 } as const
    const everything = () => new Set([...first.read, ...(second?.read ?? [])].map(({ value }) => value)).size
    let second: Member | undefined

    const first = new Member(consume(options), topic, onCommit)
    await produceSome(600)
    await expect.poll(() => first.partitions, { timeout: 30_000 }).toEqual([0, 1, 2, 3, 4, 5])
    await expect.poll(everything, { timeout: 30_000 }).toBe(600)

    second = new Member(consume(options), topic, onCommit)
    await expect.poll(() => [first.partitions.length, second!.partitions.length], { timeout: 30_000 }).toEqual([3, 3])
    expect([...first.partitions, ...second.partitions].sort()).toEqual([0, 1, 2, 3, 4, 5])
    // What the newcomer reads begins where its predecessor committed.
    const committedBefore = new Map(committed)
    await produceSome(600)
    await expect.poll(everything, { timeout: 30_000 }).toBe(1_200)
    for (const { partition, offset } of second.read)
      expect(offset, `partition ${partition}`).toBeGreaterThanOrEqual(committedBefore.get(partition) ?? 0n)

    await first.stop()
    await expect.poll(() => second!.partitions, { timeout: 30_000 }).toEqual([0, 1, 2, 3, 4, 5])
    const readBefore = second.read.length
    await produceSome(600)
    await expect.poll(everything, { timeout: 30_000 }).toBe(1_800)
    const perPartition = new Map<number, bigint>()
    for (const { partition, offset } of second.read.slice(readBefore)) {
      expect(offset, `order in partition ${partition}`).toBeGreaterThan(perPartition.get(partition) ?? -1n)
      perPartition.set(partition, offset)
    }
    await second.stop()

    // Every member left after committing what it had read: each record was delivered exactly once.
    expect(first.read.length + second.read.length).toBe(1_800)
    for (let partition = 0; partition < PARTITIONS; partition++) expect(committed.get(partition)).toBe(300n)
  })

  test('a member that comes back goes on at its commit', async () => {
    const { topic: create, producer, consumer: consume } = await cluster()
    const topic = await create('resume', 2)
    const groupId = uniqueName('resume-group')
    await producer().send(Array.from({ length: 20 }, (_, i) => ({ topic, partition: i % 2, value: Buffer.from(String(i)) })))
    const readSome = async (count: number): Promise<string[]> => {
      const consumer = consume({ groupId, enableAutoCommit: false })
      consumer.subscribe([topic])
      const read: string[] = []
      while (read.length < count)
        for (const record of await consumer.poll({ timeoutMs: 500, maxRecords: count - read.length }))
          read.push(String(record.value))
      await consumer.commit()
      await consumer.close()
      return read
    }
    const [early, late] = [await readSome(8), await readSome(12)]
    expect([...early, ...late].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  test('auto-commit on close covers what was handed out and asked past', async () => {
    const { topic: create, producer, consumer: consume } = await cluster()
    const topic = await create('auto-commit')
    const groupId = uniqueName('auto-commit-group')
    await producer().send(Array.from({ length: 10 }, (_, i) => ({ topic, value: Buffer.from(String(i)) })))
    const consumer = consume({ groupId })
    consumer.subscribe([topic])
    let count = 0
    // Leaves the loop inside the fifth record: four are done.
    for await (const _ of consumer) if (++count === 5) break
    await consumer.close()
    const next = consume({ groupId })
    const at = { topic, partition: 0 }
    const committed = (await next.committed([at])).get(at)
    expect(Number(committed!.offset)).toBeGreaterThanOrEqual(4)
    expect(Number(committed!.offset)).toBeLessThanOrEqual(5)
  })

  test('a listener may commit for the last time when the consumer closes', async () => {
    const { topic: create, producer, consumer: consume } = await cluster()
    const topic = await create('last-commit')
    const groupId = uniqueName('last-commit-group')
    await producer().send(Array.from({ length: 3 }, (_, i) => ({ topic, value: Buffer.from(String(i)) })))
    const consumer = consume({ groupId, enableAutoCommit: false })
    consumer.subscribe([topic], { listener: { onRevoked: () => consumer.commit() } })
    await pollUntil(
      consumer,
      ({ offset }) => offset,
      taken => taken.length >= 3,
    )
    await consumer.close()
    const at = { topic, partition: 0 }
    expect((await consume({ groupId }).committed([at])).get(at)).toMatchObject({ offset: 3n })
  })

  test('commits carry metadata, and are null where nothing was committed', async () => {
    const { topic: create, consumer: consume } = await cluster()
    const topic = await create('metadata', 2)
    const consumer = consume({ groupId: uniqueName('metadata-group'), enableAutoCommit: false })
    const [zero, one] = [0, 1].map(partition => ({ topic, partition })) as [
      { topic: string; partition: number },
      { topic: string; partition: number },
    ]
    consumer.assign([zero, one])
    await consumer.commit([[zero, { offset: 0n, metadata: 'by hand' }]])
    const committed = await consumer.committed([zero, one])
    expect(committed.get(zero)).toMatchObject({ offset: 0n, metadata: 'by hand' })
    expect(committed.get(one)).toBeNull()
  })
})
