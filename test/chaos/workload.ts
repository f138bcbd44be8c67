// Records flow into a topic and out of it again through a group, over whatever network the runtime has; then everything that
// was promised is looked up.
import type { ClientOptionsInput } from '../../src/client/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { KafkaError } from '../../src/errors.ts'
import { Producer, type ProducerRecord } from '../../src/producer/index.ts'
import type { Runtime } from '../../src/runtime/runtime.ts'
import { string } from '../../src/serde/index.ts'

export const PARTITIONS = 6
const KEYS = 12
const GROUP = 'chaos'

export interface Stored {
  readonly partition: number
  readonly offset: bigint
  readonly key: string
  readonly value: string
}

export interface Outcome {
  /** Values by where their acknowledgement said they are; `?` for a batch whose offset the broker no longer knew. */
  readonly acknowledged: ReadonlyMap<string, { readonly partition: number; readonly offset: bigint }>
  readonly sent: number
  readonly rejected: readonly unknown[]
  readonly unsettled: number
  readonly crashes: readonly unknown[]
  readonly unhandled: readonly unknown[]
  /** How often each `partition@offset` was handed out. */
  readonly read: ReadonlyMap<string, { readonly value: string; times: number }>
  readonly outOfOrder: readonly string[]
  /** Commits that were acknowledged, and not there when asked for. */
  readonly lostCommits: readonly string[]
  readonly stored: readonly Stored[]
  readonly committed: ReadonlyMap<number, bigint | undefined>
  readonly ends: ReadonlyMap<number, bigint>
  readonly runMs: number
}

export interface WorkloadOptions {
  readonly bootstrapServers: string
  readonly topic: string
  /** Where every connection dies. */
  readonly runtime: Runtime
  /** Where none does: what was stored and committed is looked up there. */
  readonly calm: Runtime
  readonly runMs: number
}

/** A producer, a member that commits by itself, one that commits by hand, and one that joins half-way. */
export async function workload({ bootstrapServers, topic, runtime, calm, runMs }: WorkloadOptions): Promise<Outcome> {
  const { clock, random } = runtime
  const pass = (ms: number) => new Promise<void>(resolve => void clock.setTimer(ms, resolve))
  const began = clock.monotonic()
  const crashes: unknown[] = []
  const unhandled: unknown[] = []
  const noteUnhandled = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', noteUnhandled)

  const client = { bootstrapServers, reconnectBackoffMs: 20, enableMetricsPush: false } satisfies Partial<ClientOptionsInput>
  const acknowledged = new Map<string, { partition: number; offset: bigint }>()
  const rejected: unknown[] = []
  let sent = 0
  let unsettled = 0
  const producer = new Producer({ ...client, key: string, value: string, batchSize: 2_000 }, runtime)
  const send = async (records: ProducerRecord<string, string>[]) => {
    sent += records.length
    unsettled += records.length
    await Promise.all(
      records.map(async record => {
        try {
          const { partition, offset } = await producer.send(record)
          acknowledged.set(record.value, { partition, offset })
        } catch (error) {
          rejected.push(error)
        } finally {
          unsettled--
        }
      }),
    )
  }
  const producing = async () => {
    const outcomes: Promise<void>[] = []
    const next = new Array<number>(KEYS).fill(0)
    while (clock.monotonic() - began < runMs) {
      // Not waiting for the ones before: several batches of a partition are on their way when their connection dies.
      const records = Array.from({ length: 1 + Math.floor(random() * 8) }, () => {
        const key = Math.floor(random() * KEYS)
        return { topic, key: `k${key}`, value: `k${key}:${next[key]!++}` }
      })
      outcomes.push(send(records))
      await pass(random() * 30)
    }
    await producer.flush()
    await Promise.all(outcomes)
  }

  const read = new Map<string, { value: string; times: number }>()
  const reached = new Map<number, bigint>()
  const outOfOrder: string[] = []
  const lostCommits: string[] = []
  const handle = ({ partition, offset, value }: { partition: number; offset: bigint; value: string }) => {
    const place = `${partition}@${offset}`
    const before = read.get(place)
    if (before) before.times++
    else read.set(place, { value, times: 1 })
    const expected = reached.get(partition) ?? 0n
    if (offset > expected) outOfOrder.push(`${place} before ${partition}@${expected}`)
    if (offset === expected) reached.set(partition, offset + 1n)
  }
  const members = new Set<Consumer<Uint8Array | null, string>>()
  const member = (enableAutoCommit: boolean) => {
    const consumer = new Consumer(
      {
        ...client,
        groupId: GROUP,
        autoOffsetReset: 'earliest',
        value: string,
        enableAutoCommit,
        autoCommitIntervalMs: 200,
        sessionTimeoutMs: 10_000,
        heartbeatIntervalMs: 1_000,
        onError: error => crashes.push(error),
      },
      runtime,
    )
    consumer.subscribe(topic)
    members.add(consumer)
    return consumer
  }
  const readAlong = async () => {
    const consumer = member(true)
    try {
      for await (const record of consumer) handle(record)
    } catch (error) {
      crashes.push(error)
    }
  }
  let over = false
  const readAndCommit = async () => {
    const consumer = member(false)
    try {
      while (!over) {
        const records = await consumer.poll({ timeoutMs: 100, maxRecords: 50 })
        const positions = new Map<number, bigint>()
        for (const record of records) {
          handle(record)
          positions.set(record.partition, record.offset + 1n)
        }
        if (positions.size === 0) continue
        try {
          await consumer.commit()
        } catch (error) {
          // The group moved on meanwhile: whoever has the partition now reads again what was not committed.
          if (isRebalance(error)) continue
          throw error
        }
        const found = await consumer.committed([...positions.keys()].map(partition => ({ topic, partition })))
        for (const [partition, position] of positions) {
          const offset = found.get(topic, partition)?.offset ?? -1n
          if (offset < position) lostCommits.push(`${partition}: ${position} was committed, ${offset} is there`)
        }
      }
    } catch (error) {
      crashes.push(error)
    }
  }

  const flows = [readAlong()]
  const byHand = readAndCommit()
  const late = pass(runMs / 2).then(() => flows.push(readAlong()))
  await producing()
  await late
  await producer.close()
  for (let waited = 0; waited < 60_000 && read.size < acknowledged.size; waited += 50) await pass(50)
  over = true
  await byHand
  await Promise.all([...members].map(consumer => consumer.close().catch((error: unknown) => crashes.push(error))))
  await Promise.all(flows)

  const audit = await whatIsThere({ bootstrapServers, topic, calm })
  // Rejections are reported a turn after they were left alone.
  await new Promise(resolve => setImmediate(resolve))
  process.off('unhandledRejection', noteUnhandled)
  const runTime = clock.monotonic() - began
  return { acknowledged, sent, rejected, unsettled, crashes, unhandled, read, outOfOrder, lostCommits, ...audit, runMs: runTime }
}

const isRebalance = (error: unknown) =>
  error instanceof KafkaError && (error.code === 'ERR_COMMIT_FAILED' || error.code === 'ERR_REBALANCE_IN_PROGRESS')

/** The whole topic, and what the group has committed. */
async function whatIsThere({ bootstrapServers, topic, calm }: { bootstrapServers: string; topic: string; calm: Runtime }) {
  const reader = new Consumer({ bootstrapServers, groupId: GROUP, enableAutoCommit: false, key: string, value: string }, calm)
  try {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
    reader.assign(partitions)
    reader.seekToBeginning()
    const found = await reader.endOffsets(partitions)
    const ends = new Map(partitions.map(({ partition }) => [partition, found.get(topic, partition) ?? 0n]))
    const total = [...ends.values()].reduce((sum, end) => sum + end, 0n)
    const stored: Stored[] = []
    while (BigInt(stored.length) < total) {
      const records = await reader.poll({ timeoutMs: 5_000 })
      if (records.isEmpty) break
      for (const { partition, offset, key, value } of records) stored.push({ partition, offset, key, value })
    }
    const offsets = await reader.committed(partitions)
    const committed = new Map(partitions.map(({ partition }) => [partition, offsets.get(topic, partition)?.offset]))
    return { stored, ends, committed }
  } finally {
    await reader.close()
  }
}
