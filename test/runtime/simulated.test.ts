import { describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { Consumer } from '../../src/consumer/index.ts'
import { Producer } from '../../src/producer/index.ts'
import { Heartbeat } from '../../src/protocol/apis/index.ts'
import { SimulatedRuntime, type SimulationOptions } from '../../src/runtime/simulated/index.ts'
import { connectionTo, failureOf, simulated, sleep } from '../net/connecting.ts'
import { ScriptedBroker } from '../net/scripted-broker.ts'

const beat = { groupId: 'g', generationId: 1, memberId: 'm' }

describe('virtual time', () => {
  test('timers of one moment fire in the order in which they were set, promise reactions in between', async () => {
    const runtime = new SimulatedRuntime()
    const seen: string[] = []
    const note = (what: string) => () => {
      seen.push(`${what}@${runtime.clock.monotonic()}`)
      void Promise.resolve()
        .then(() => {})
        .then(() => {})
        .then(() => seen.push(`after ${what}`))
    }
    runtime.clock.setTimer(20, note('late'))
    runtime.clock.setTimer(10, note('first'))
    runtime.clock.setTimer(10, note('second'))
    runtime.clock.setTimer(5, note('cancelled')).cancel()
    runtime.clock.soon(note('soon'))
    await runtime.advance(15)
    expect(seen).toEqual(['soon@0', 'after soon', 'first@10', 'after first', 'second@10', 'after second'])
    expect(runtime.clock.monotonic()).toBe(15)
    await runtime.advance(5)
    expect(seen.at(-2)).toBe('late@20')
  })

  test('a promise reaction however deep runs before the next event', async () => {
    const runtime = new SimulatedRuntime()
    let depth = 0
    runtime.clock.setTimer(1, async () => {
      for (let i = 0; i < 5_000; i++) await null
      depth = 5_000
    })
    let seen = -1
    runtime.clock.setTimer(1, () => {
      seen = depth
    })
    await runtime.advance(1)
    expect(seen).toBe(5_000)
  })

  test('an hour takes no time', async () => {
    const runtime = new SimulatedRuntime()
    const began = runtime.clock.now()
    let beats = 0
    await runtime.run(async () => {
      for (; beats < 3_600; beats++) await sleep(runtime, 1_000)
    })
    expect(runtime.clock.now() - began).toBe(3_600_000)
  })

  test('the wall clock may jump, the monotonic one does not', async () => {
    const runtime = new SimulatedRuntime()
    const began = runtime.clock.now()
    runtime.clock.epochMs -= 3_600_000
    await runtime.advance(10)
    expect(runtime.clock.now()).toBe(began - 3_600_000 + 10)
    expect(runtime.clock.monotonic()).toBe(10)
  })

  test('a promise that nothing can settle any more is an error, not a hang', async () => {
    const runtime = new SimulatedRuntime()
    await expect(runtime.run(() => new Promise(() => {}))).rejects.toThrow(/came to rest/)
    const forever = () => void runtime.clock.setTimer(1_000, forever)
    forever()
    await expect(runtime.run(() => new Promise(() => {}), { limitMs: 60_000 })).rejects.toThrow(/still pending after 60000 ms/)
    await expect(runtime.run(() => Promise.reject(new Error('mine')))).rejects.toThrow('mine')
  })
})

/** A little of everything: latency, pieces, lost connections, a partition. */
async function story(options: SimulationOptions): Promise<SimulatedRuntime> {
  const runtime = new SimulatedRuntime(options)
  await runtime.run(async () => {
    const broker = await new ScriptedBroker(runtime.on('broker')).listen({ host: 'broker', port: 9_092 })
    const client = async () => {
      for (let i = 0; i < 20; i++) {
        const connection = connectionTo({ host: 'broker', port: 9_092 }, runtime)
        await Promise.allSettled([1, 2, 3].map(() => connection.request(Heartbeat, beat)))
        await connection.close()
        await sleep(runtime, 1 + runtime.random() * 20)
      }
    }
    const weather = async () => {
      await sleep(runtime, 50)
      runtime.hosts.partition('broker')
      await sleep(runtime, 200)
      runtime.hosts.heal()
      await sleep(runtime, 20)
      runtime.hosts.reset('broker')
    }
    await Promise.all([client(), client(), client(), weather()])
    expect(broker.faults).toEqual([])
  })
  return runtime
}
const rough = { latencyMs: 3, jitterMs: 8, splitChance: 0.3, bytesPerMs: 100, connectionLifeMs: [10, 400] as const }

test('one seed gives one trace, another seed another', async () => {
  const [first, again, other] = [
    await story({ seed: 5, network: rough }),
    await story({ seed: 5, network: rough }),
    await story({ seed: 6, network: rough }),
  ]
  expect(first.trace.count).toBeGreaterThan(500)
  expect(again.trace.entries).toEqual(first.trace.entries)
  expect(again.trace.hash).toBe(first.trace.hash)
  expect(other.trace.hash).not.toBe(first.trace.hash)
})

test('other bytes of the same length give another trace', async () => {
  const hashOf = async (memberId: string) => {
    const { trace } = await simulated(async ({ connect }) => void (await connect().request(Heartbeat, { ...beat, memberId })))
    return trace.hash
  }
  expect(await hashOf('m')).toBe(await hashOf('m'))
  expect(await hashOf('m')).not.toBe(await hashOf('n'))
})

describe('the network', () => {
  test('takes its time: latency both ways, and bytes at the given rate', async () => {
    await simulated(
      async ({ connect, runtime }) => {
        const connection = connect()
        await connection.connect()
        let from = runtime.clock.monotonic()
        await connection.request(Heartbeat, beat)
        expect(runtime.clock.monotonic() - from).toBeCloseTo(20, 3)
        runtime.hosts.conditions.bytesPerMs = 10
        from = runtime.clock.monotonic()
        await connection.request(Heartbeat, beat)
        expect(runtime.clock.monotonic() - from).toBeGreaterThan(22)
      },
      { network: { latencyMs: 10 } },
    )
  })

  test('holds what a partition stops, and delivers it afterwards', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      const connection = connect({ requestTimeoutMs: 60_000 })
      await connection.connect()
      runtime.hosts.partition('client', 'broker:9092')
      const answer = connection.request(Heartbeat, beat)
      await sleep(runtime, 5_000)
      expect(broker.received.length).toBe(1)
      runtime.hosts.heal('client', 'broker:9092')
      expect((await answer).errorCode).toBe(0)
      expect(runtime.clock.monotonic()).toBeLessThan(5_100)
    })
  })

  test('parts two hosts and leaves the others together', async () => {
    await simulated(async ({ runtime }) => {
      runtime.hosts.partition('client', 'broker')
      const target = { host: 'broker', port: 9_092 }
      await connectionTo(target, runtime.on('elsewhere')).connect()
      expect((await failureOf(connectionTo(target, runtime).connect())).message).toMatch(/did not finish within 1000 ms/)
    })
  })

  test('breaks connections: both ends see it', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      const connection = connect()
      await connection.connect()
      expect(runtime.hosts.reset('broker:9092')).toBe(1)
      expect((await connection.closed)!.message).toMatch(/was lost \(read ECONNRESET\)/)
      await sleep(runtime, 1)
      expect(broker.openConnections).toBe(0)
    })
  })

  test('refuses a port in use, and connections to one that is not', async () => {
    await simulated(async ({ runtime }) => {
      await expect(new ScriptedBroker(runtime).listen({ host: 'broker', port: 9_092 })).rejects.toThrow('EADDRINUSE')
      const other = await new ScriptedBroker(runtime).listen({ host: 'broker' })
      expect(other.port).toBeGreaterThan(0)
      await other[Symbol.asyncDispose]()
      await expect(connectionTo({ host: 'broker', port: other.port }, runtime).connect()).rejects.toThrow('ECONNREFUSED')
    })
  })

  test('ends every connection at an age within the given bounds', async () => {
    await simulated(
      async ({ connect, runtime }) => {
        const ages = await Promise.all(
          Array.from({ length: 50 }, async () => {
            const connection = connect()
            await connection.connect()
            await connection.closed
            return runtime.clock.monotonic()
          }),
        )
        expect(Math.min(...ages)).toBeGreaterThan(500)
        expect(Math.max(...ages)).toBeLessThan(1_510)
        expect(new Set(ages.map(Math.round)).size).toBeGreaterThan(30)
      },
      { network: { connectionLifeMs: [500, 1_500] } },
    )
  })
})

test('http is answered from a table', async () => {
  const runtime = new SimulatedRuntime()
  runtime.endpoints.set('https://login.example/token', ({ body }) => ({ status: 200, body: `got ${body}` }))
  const ask = (url: string) => runtime.run(() => runtime.http({ url, method: 'POST', body: 'x', timeoutMs: 1_000 }))
  expect(await ask('https://login.example/token?a=b')).toEqual({ status: 200, body: 'got x' })
  await expect(ask('https://elsewhere.example/')).rejects.toThrow('ECONNREFUSED')
})

describe('what has to be imported first', () => {
  test('is awaited while virtual time stands still, and however long it takes nothing happens in another order', async () => {
    const story = async (turns: number) => {
      const runtime = new SimulatedRuntime()
      const seen: string[] = []
      const note = (what: string) => () => void seen.push(`${what}@${runtime.clock.monotonic()}`)
      const arrives = async () => {
        for (let i = 0; i < turns; i++) await new Promise<void>(resolve => void setImmediate(resolve))
      }
      runtime.clock.soon(() => {
        void runtime.offload.loaded!(arrives()).then(note('loaded'))
        runtime.clock.soon(note('same moment'))
        runtime.clock.setTimer(1, note('later'))
      })
      await runtime.advance(5)
      return seen
    }
    expect(await story(50)).toEqual(['loaded@0', 'same moment@0', 'later@1'])
    expect(await story(0)).toEqual(await story(50))
  })

  test('what cannot be imported is told to whoever asked', async () => {
    const runtime = new SimulatedRuntime()
    const missing = runtime.run(() => runtime.offload.loaded!(Promise.reject(new Error('not installed'))))
    await expect(missing).rejects.toThrow('not installed')
    expect(await runtime.run(() => sleep(runtime, 1).then(() => 'goes on'))).toBe('goes on')
  })

  test.each([
    ['SASLprep', { sasl: { mechanism: 'SCRAM-SHA-256', username: 'u', password: 'pässwörd' } }],
    ['zstd', { compression: 'zstd' }],
  ] as const)('the first run with %s has the trace of the second', async (_, options) => {
    const story = async () => {
      const runtime = new SimulatedRuntime()
      await runtime.run(async () => {
        const secured = 'sasl' in options ? { sasl: { users: { u: 'pässwörd' } } } : {}
        const broker = await startBroker({ host: 'b', topics: { t: 1 }, runtime: runtime.on('b'), ...secured })
        const { bootstrapServers } = broker
        const producer = new Producer({ bootstrapServers, enableMetricsPush: false, ...options }, runtime)
        await producer.send({ topic: 't', value: Buffer.alloc(5_000, 'a') })
        await producer.close()
        const { compression: _, ...shared } = { compression: undefined, ...options }
        const consumer = new Consumer(
          { bootstrapServers, enableMetricsPush: false, autoOffsetReset: 'earliest', ...shared },
          runtime,
        )
        consumer.assign([{ topic: 't', partition: 0 }])
        const records = await consumer.poll({ timeoutMs: 5_000 })
        expect([...records].map(({ value }) => value?.length)).toEqual([5_000])
        await consumer.close()
        await broker.close()
      })
      return runtime.trace.entries
    }
    expect(await story()).toEqual(await story())
  })
})
