import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { startBroker } from '../../src/broker/index.ts'
import { type Admin, type Client, type Consumer, json, Kafka, PartitionMap, type Producer, string } from '../../src/index.ts'
import { Metadata } from '../../src/protocol/apis/index.ts'
import { afterwards, brokerWith } from './fixture.ts'

const Order = z.object({ id: z.string(), amount: z.number() })
type Order = z.output<typeof Order>

describe('Kafka', () => {
  test('what it makes has the types that its options say, and works together', async () => {
    const broker = await brokerWith({ topics: { orders: 2 } })
    const kafka = new Kafka({ bootstrapServers: broker.bootstrapServers, clientId: 'shop' })
    const producer: Producer<string, Order> = kafka.producer({ key: string, value: json(Order) })
    afterwards(() => producer.close())
    await producer.send({ topic: 'orders', key: 'o-1', value: { id: 'o-1', amount: 5 } })

    const consumer: Consumer<string, Order> = kafka.consumer({
      key: string,
      value: json(Order),
      autoOffsetReset: 'earliest',
      groupId: 'billing',
    })
    afterwards(() => consumer.close())
    consumer.subscribe(['orders'])
    for await (const record of consumer) {
      const { id, amount }: Order = record.value
      expect([record.key, id, amount]).toEqual(['o-1', 'o-1', 5])
      break
    }
    const ends: PartitionMap<bigint> = await consumer.endOffsets([0, 1].map(partition => ({ topic: 'orders', partition })))
    expect(ends).toBeInstanceOf(PartitionMap)
    expect([...ends.values()].reduce((sum, end) => sum + end)).toBe(1n)

    const raw: Consumer = kafka.consumer()
    afterwards(() => raw.close())
    const client: Client = kafka.client()
    afterwards(() => client.close())
    const reply = await client.request(Metadata, { topics: null })
    expect(reply.topics.map(topic => topic.name)).toContain('orders')
  })

  test('the calls of the first page run as they are typed there', async () => {
    await using broker = await startBroker({ topics: { orders: 2, clicks: 1 } })
    const kafka = new Kafka({ bootstrapServers: broker.bootstrapServers, clientId: 'shop' })
    const orders = Array.from({ length: 20 }, (_, i): Order => ({ id: `o-${i}`, amount: i }))

    await using producer = kafka.producer({ key: string, value: json(Order) })
    const { partition, offset } = await producer.send({ topic: 'clicks', key: 'o', value: { id: 'o', amount: 5 } })
    expect([partition, offset]).toEqual([0, 0n])
    const all = await producer.send(orders.map(value => ({ topic: 'orders', key: value.id, value })))
    expect(all.length).toBe(20)
    if (!producer.enqueue({ topic: 'clicks', key: null, value: { id: 'click', amount: 0 } })) await producer.drained()
    await producer.flush()

    await using consumer = kafka.consumer({ groupId: 'billing', key: string, value: json(Order), autoOffsetReset: 'earliest' })
    consumer.subscribe(['orders'])
    let sum = 0
    for await (const batch of consumer.batches()) {
      for (const record of batch) sum += record.value.amount
      if (sum === 190) break
    }
    await consumer.commit()

    await using reader = kafka.consumer({ key: string, value: json(Order) })
    const at = { topic: 'clicks', partition: 0 }
    reader.assign([at])
    reader.seek(at, 0n)
    const records = await reader.poll({ timeoutMs: 5_000, maxRecords: 500 })
    expect([...records].map(({ value }) => value.id)).toEqual(['o', 'click'])
    expect([...records.of(at)].length).toBe(2)
    expect([...records.partitions()]).toEqual([at])
    const ends = await reader.endOffsets([at])
    expect(ends.get('clicks', 0)).toBe(2n)
    for (const [{ topic, partition: index }, end] of ends) expect([topic, index, end]).toEqual(['clicks', 0, 2n])

    await using admin = kafka.admin()
    await admin.createTopics([{ name: 'more', partitions: 6, configs: { 'retention.ms': '60000' } }])
    await using client = kafka.client()
    const reply = await client.request(Metadata, { topics: null })
    expect(reply.topics.find(({ name }) => name === 'more')?.partitions.length).toBe(6)
  })

  test('a client that is shared serves all, and outlives them', async () => {
    const broker = await brokerWith({ topics: { orders: 1 } })
    let connects = 0
    const kafka = new Kafka({ bootstrapServers: broker.bootstrapServers, hooks: { onConnect: () => connects++ } })
    const client = kafka.client()
    afterwards(() => client.close())
    const producer = kafka.producer({ client })
    const admin: Admin = kafka.admin({ client })
    await producer.send({ topic: 'orders', value: Buffer.from('x') })
    await admin.listTopics()
    await producer.close()
    await admin.close()
    expect(client.closed).toBe(false)
    expect((await client.request(Metadata, { topics: [] })).brokers.length).toBe(1)
    // One to the bootstrap server, one for each lane.
    expect(connects).toBe(3)
  })

  test('options of one client overrule those of the profile', () => {
    const kafka = new Kafka({ bootstrapServers: 'a:1', clientId: 'profile', requestTimeoutMs: 7 })
    const { options } = kafka.client({ clientId: 'own' })
    expect([options.clientId, options.requestTimeoutMs]).toEqual(['own', 7])
    expect(() => kafka.client({ requestTimeoutMs: 0 })).toThrow(/requestTimeoutMs/)
    expect(() => new Kafka({ bootstrapServers: [] })).toThrow(/bootstrapServers/)
  })
})
