import { afterEach } from 'vitest'
import { type Broker, startBroker } from '../../src/broker/index.ts'
import { Fetch, Produce } from '../../src/protocol/apis/index.ts'
import { RawClient } from './raw-client.ts'

const closers: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** A broker with topic `t` of two partitions, and a client of its first node; both end with the test. */
export async function setUp(options: Parameters<typeof startBroker>[0] = {}) {
  const broker = await startBroker({ topics: { t: 2 }, ...options })
  closers.push(() => broker.close())
  return { broker, client: await connect(broker) }
}

export async function connect(broker: Broker, nodeId = 1): Promise<RawClient> {
  const client = await RawClient.open(broker.bootstrapServers.split(',')[nodeId - 1]!)
  closers.push(() => client.close())
  return client
}

/** Produces one batch and gives the partition's answer. */
export async function produce(
  client: RawClient,
  records: Uint8Array,
  { topic = 't', partition = 0, acks = -1, version = 9 } = {},
) {
  const { responses } = await client.request(Produce, version, {
    acks,
    timeoutMs: 1000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  })
  return responses[0]!.partitionResponses[0]!
}

export const fetchRequest = (fetchOffset: bigint, change: object = {}, partitionChange: object = {}) => ({
  maxWaitMs: 0,
  minBytes: 1,
  topics: [{ topic: 't', partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20, ...partitionChange }] }],
  ...change,
})

/** Fetches from partition 0 of `t` and gives its answer. */
export async function fetch(
  client: RawClient,
  offset: bigint,
  { version = 12, ...change }: { version?: number } & Record<string, unknown> = {},
  partitionChange: object = {},
) {
  const { responses } = await client.request(Fetch, version, fetchRequest(offset, change, partitionChange))
  return responses[0]!.partitions[0]!
}
