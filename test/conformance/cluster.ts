// What the files of the conformance suite share: the broker under test, a topic per test, clients closed at its end.
import { onTestFinished } from 'vitest'
import { Admin } from '../../src/admin/index.ts'
import { Consumer, type ConsumerOptionsInput } from '../../src/consumer/index.ts'
import { Producer, type ProducerOptionsInput } from '../../src/producer/index.ts'
import { brokerUnderTest, uniqueName } from '../brokers/broker-under-test.ts'

type Without<T> = T extends unknown ? Omit<T, 'bootstrapServers' | 'client'> : never

/** Clients of the broker under test; each is closed when its test is over. */
export async function cluster() {
  const { bootstrapServers } = await brokerUnderTest()
  return {
    bootstrapServers,
    admin(): Admin {
      return closing(new Admin({ bootstrapServers }))
    },
    producer<K = Uint8Array | null, V = Uint8Array | null>(
      options: Without<ProducerOptionsInput<K, V>> = {} as Without<ProducerOptionsInput<K, V>>,
    ): Producer<K, V> {
      return closing(new Producer<K, V>({ bootstrapServers, ...options } as ProducerOptionsInput<K, V>))
    },
    consumer<K = Uint8Array | null, V = Uint8Array | null>(
      options: Without<ConsumerOptionsInput<K, V>> = {} as Without<ConsumerOptionsInput<K, V>>,
    ): Consumer<K, V> {
      return closing(
        new Consumer<K, V>({ bootstrapServers, autoOffsetReset: 'earliest', ...options } as ConsumerOptionsInput<K, V>),
      )
    },
    /** A new topic with a name of its own. What was written in it stays, whatever timestamps it bears. */
    async topic(subject: string, partitions = 1, configs: Record<string, string> = {}): Promise<string> {
      const name = uniqueName(subject)
      await using admin = new Admin({ bootstrapServers })
      await admin.createTopics([{ name, partitions, replicationFactor: 1, configs: { 'retention.ms': '-1', ...configs } }])
      return name
    },
  }
}

function closing<T extends { close(): Promise<unknown> }>(client: T): T {
  onTestFinished(async () => {
    await client.close()
  })
  return client
}

/** Polls until `enough` says so; what came is in the order it was handed out. The test's own timeout is the bound. */
export async function pollUntil<K, V, R>(
  consumer: Consumer<K, V>,
  take: (record: import('../../src/consumer/index.ts').ConsumerRecord<K, V>) => R,
  enough: (taken: R[]) => boolean,
): Promise<R[]> {
  const taken: R[] = []
  while (!enough(taken)) for (const record of await consumer.poll({ timeoutMs: 1_000 })) taken.push(take(record))
  return taken
}
