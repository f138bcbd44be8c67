// A producer and an embedded cluster in one simulated world: virtual time, faults from one seed.
import { expect } from 'vitest'
import { type Broker, type BrokerOptions, startBroker } from '../../src/broker/index.ts'
import { Client, type ClientOptionsInput } from '../../src/client/index.ts'
import { Producer, type ProducerOwnOptions } from '../../src/producer/index.ts'
import { Fetch } from '../../src/protocol/apis/01-fetch.ts'
import { encodedBatches } from '../../src/protocol/records/index.ts'
import { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'
import { string } from '../../src/serde/index.ts'
import type { Logger } from '../../src/util/logger.ts'

export interface Stored {
  readonly offset: bigint
  readonly key: string | null
  readonly value: string | null
}

export class World {
  readonly runtime: SimulatedRuntime
  readonly broker: Broker
  readonly warnings: string[] = []
  private readonly closers: (() => Promise<unknown>)[] = []

  private constructor(runtime: SimulatedRuntime, broker: Broker) {
    this.runtime = runtime
    this.broker = broker
  }

  /** Runs the test in virtual time; whatever it made is closed at its end. */
  static async run(options: BrokerOptions & { seed?: number }, body: (world: World) => Promise<void>): Promise<void> {
    const { seed = 1, ...brokerOptions } = options
    const runtime = new SimulatedRuntime({ seed })
    await runtime.run(async () => {
      const broker = await startBroker({ topics: { t: 1 }, ...brokerOptions, runtime: runtime.on('127.0.0.1') })
      const world = new World(runtime, broker)
      try {
        await body(world)
      } finally {
        for (const close of world.closers.reverse()) await close()
        await broker.close()
      }
    })
  }

  /** Lets virtual time pass. */
  pass(ms: number): Promise<void> {
    return new Promise(resolve => this.runtime.clock.setTimer(ms, resolve))
  }

  private get logger(): Logger {
    const nothing = () => {}
    const logger: Logger = {
      debug: nothing,
      info: nothing,
      warn: (_, message) => void this.warnings.push(message),
      error: (_, message) => void this.warnings.push(message),
      child: () => logger,
    }
    return logger
  }

  producer(
    options: Partial<ProducerOwnOptions<string, string> & Omit<ClientOptionsInput, 'bootstrapServers'>> = {},
  ): Producer<string, string> {
    const { bootstrapServers } = this.broker
    const producer = new Producer({ bootstrapServers, logger: this.logger, key: string, value: string, ...options }, this.runtime)
    this.closers.push(() => producer.close({ timeoutMs: 1 }))
    return producer
  }

  /** All records of a partition, in the order of the log. */
  async stored(topic = 't', partition = 0): Promise<Stored[]> {
    const client = new Client({ bootstrapServers: this.broker.bootstrapServers }, this.runtime)
    try {
      await client.metadata.ensure([topic])
      const records: Stored[] = []
      const end = this.broker.partition(topic, partition).endOffset
      for (let next = 0n; next < end; ) {
        const answer = await client.request(Fetch, {
          maxWaitMs: 0,
          minBytes: 0,
          maxBytes: 0x7fffffff,
          topics: [
            {
              topic,
              topicId: client.metadata.topic(topic)!.topicId,
              partitions: [{ partition, fetchOffset: next, partitionMaxBytes: 0x7fffffff }],
            },
          ],
        })
        const [found] = answer.responses[0]!.partitions
        expect(found!.errorCode).toBe(0)
        for (const batch of encodedBatches(Buffer.from(found!.records ?? []))) {
          const opened = await batch.open({ checkCrcs: true, maxBytes: 1 << 30 })
          for (let i = 0; i < opened.length; i++)
            records.push({
              offset: opened.offsetAt(i),
              key: opened.keyAt(i)?.toString() ?? null,
              value: opened.valueAt(i)?.toString() ?? null,
            })
          next = batch.lastOffset + 1n
        }
      }
      return records
    } finally {
      await client.close()
    }
  }
}

/** `count` records with the values 0, 1, 2 …, for one partition unless told otherwise. */
export const numbered = (count: number, more: { topic?: string; partition?: number | undefined } = {}) =>
  Array.from({ length: count }, (_, i) => ({ topic: 't', partition: 0, value: String(i), ...more }))

export const values = (records: readonly { value: string | null }[]): string[] => records.map(({ value }) => String(value))
export const upTo = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))
