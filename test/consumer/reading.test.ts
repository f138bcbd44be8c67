import { expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { string } from '../../src/serde/index.ts'
import { numbered, write } from './written.ts'

const T0 = { topic: 't', partition: 0 }

test('assigned partitions are read from the beginning, in order, by poll', async () => {
  await using broker = await startBroker({ topics: { t: 2 } })
  await write(broker, 't', 0, numbered(100), { perBatch: 7 })
  await write(broker, 't', 1, numbered(50, 'w'), { perBatch: 7 })
  await using consumer = new Consumer({ bootstrapServers: broker.bootstrapServers, autoOffsetReset: 'earliest', value: string })
  consumer.assign([T0, { topic: 't', partition: 1 }])
  const seen: Record<number, string[]> = { 0: [], 1: [] }
  while (seen[0]!.length < 100 || seen[1]!.length < 50) {
    const records = await consumer.poll({ timeoutMs: 5_000, maxRecords: 30 })
    expect(records.length).toBeLessThanOrEqual(30)
    for (const record of records) seen[record.partition]!.push(record.value)
  }
  expect(seen[0]).toEqual(numbered(100))
  expect(seen[1]).toEqual(numbered(50, 'w'))
  expect(await consumer.position(T0)).toBe(100n)
  expect(consumer.highwater(T0)).toBe(100n)
})

test('batches() and for await deliver the same records', async () => {
  await using broker = await startBroker({ topics: { t: 1 } })
  await write(broker, 't', 0, numbered(1_000), { perBatch: 10 })
  const options = { bootstrapServers: broker.bootstrapServers, autoOffsetReset: 'earliest', value: string } as const
  await using one = new Consumer(options)
  one.assign([T0])
  const single: string[] = []
  for await (const record of one) {
    expect(await one.position(T0)).toBe(record.offset + 1n)
    if (single.push(record.value) === 1_000) break
  }
  expect(single).toEqual(numbered(1_000))
  await using many = new Consumer(options)
  many.assign([T0])
  const batched: string[] = []
  for await (const batch of many.batches()) {
    for (const record of batch) batched.push(record.value)
    if (batched.length === 1_000) break
  }
  expect(batched).toEqual(numbered(1_000))
})

test('two members split the partitions of a group, and hand over what they committed', async () => {
  await using broker = await startBroker({ topics: { t: 6 }, config: { 'group.initial.rebalance.delay.ms': '0' } })
  for (let p = 0; p < 6; p++) await write(broker, 't', p, numbered(10, `${p}-`))
  const options = {
    bootstrapServers: broker.bootstrapServers,
    groupId: 'g',
    autoOffsetReset: 'earliest',
    value: string,
    heartbeatIntervalMs: 50,
  } as const
  const one = new Consumer(options)
  one.subscribe('t')
  const seen: string[] = []
  while (seen.length < 60) for (const record of await one.poll({ timeoutMs: 5_000 })) seen.push(record.value)
  expect(one.assignment()).toHaveLength(6)
  await using two = new Consumer(options)
  two.subscribe('t')
  const other: string[] = []
  while (two.assignment().length !== 3 || one.assignment().length !== 3) {
    const [a, b] = await Promise.all([one.poll({ timeoutMs: 100 }), two.poll({ timeoutMs: 100 })])
    for (const record of [...a, ...b]) other.push(record.value)
  }
  await one.close()
  while (two.assignment().length !== 6) for (const record of await two.poll({ timeoutMs: 100 })) other.push(record.value)
  for (let p = 0; p < 6; p++) await write(broker, 't', p, ['more'])
  const rest: string[] = []
  while (rest.length < 6) for (const record of await two.poll({ timeoutMs: 1_000 })) rest.push(record.value)
  expect(other).toEqual([])
  expect(rest).toEqual(Array(6).fill('more'))
})

test('whoever takes 5 ms over a batch keeps no turn of the event loop for two of them', async () => {
  await using broker = await startBroker({ topics: { t: 6 } })
  const partitions = Array.from({ length: 6 }, (_, partition) => ({ topic: 't', partition }))
  for (const { partition } of partitions) await write(broker, 't', partition, numbered(10))
  let spentMs = 0
  const clock = Object.create(nodeRuntime.clock, {
    monotonic: { value: () => nodeRuntime.clock.monotonic() + spentMs },
  }) as typeof nodeRuntime.clock
  const options = { bootstrapServers: broker.bootstrapServers, autoOffsetReset: 'earliest' } as const
  await using consumer = new Consumer(options, { ...nodeRuntime, clock })
  consumer.assign(partitions)
  let turn = 0
  const turns: number[] = []
  let counter = setImmediate(function next() {
    turn++
    counter = setImmediate(next)
  })
  for await (const _ of consumer.batches()) {
    turns.push(turn)
    spentMs += 5
    if (turns.length === partitions.length) break
  }
  clearImmediate(counter)
  expect(new Set(turns).size).toBe(turns.length)
})
