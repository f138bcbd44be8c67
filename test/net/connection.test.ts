import { describe, expect, test } from 'vitest'
import { ClosedError, ConnectionError, type KafkaError, TimeoutError, UnsupportedVersionError } from '../../src/errors.ts'
import { Fetch, Heartbeat, InitProducerId, Metadata, Produce } from '../../src/protocol/apis/index.ts'
import { failureOf, simulated, sleep } from './connecting.ts'
import { answerTo, type Reaction } from './scripted-broker.ts'

const beat = { groupId: 'g', generationId: 1, memberId: 'm' }

describe('requests are pipelined', () => {
  test('answers reach their requests in order, and no more than the limit are in flight', async () => {
    await simulated(async ({ broker, connect }) => {
      const connection = connect({ maxInFlight: 3 })
      let most = 0
      broker.script = received => {
        most = Math.max(most, connection.inFlight)
        return received.api === Heartbeat ? answerTo(received, { errorCode: received.request.generationId }) : 'default'
      }
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) => connection.request(Heartbeat, { ...beat, generationId: i })),
      )
      expect(answers.map(({ errorCode }) => errorCode)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      expect(most).toBe(3)
      expect(connection.inFlight).toBe(0)
    })
  })

  test('requests of one turn leave in one write', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      const connection = connect({ maxInFlight: 100 })
      await connection.connect()
      const before = runtime.trace.entries.length
      await Promise.all(Array.from({ length: 50 }, () => connection.request(Heartbeat, beat)))
      const reads = runtime.trace.entries.slice(before).filter(entry => / #1> received/.test(entry))
      expect(reads.length).toBe(1)
      expect(broker.received.length).toBe(51)
    })
  })

  test('a peer that does not read holds the writing back', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      const connection = connect({ maxInFlight: 1_000, requestTimeoutMs: 60_000 })
      await connection.connect()
      broker.transports[0]!.pause()
      const records = new Uint8Array(200_000)
      const request = { acks: 1, timeoutMs: 1_000, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] }
      const sent: Promise<unknown>[] = []
      for (let i = 0; i < 20; i++) {
        sent.push(connection.request(Produce, request, { version: 9 }))
        await sleep(runtime, 5)
      }
      expect(connection.queued).toBeGreaterThan(10)
      broker.transports[0]!.resume()
      await Promise.all(sent)
      expect(connection.queued).toBe(0)
    })
  })

  test('a request without an answer takes no place among the answers', async () => {
    await simulated(async ({ broker, connect }) => {
      const connection = connect()
      await connection.connect()
      broker.script = ({ api }) => (api === Produce ? 'silence' : 'default')
      connection.send(Produce, { acks: 0, timeoutMs: 1_000, topicData: [] }, { version: 9 })
      await connection.request(Heartbeat, beat)
      expect(broker.received.map(({ api }) => api.name)).toEqual(['ApiVersions', 'Produce', 'Heartbeat'])
      await connection.close()
      expect(() => connection.send(Produce, { acks: 0, timeoutMs: 1, topicData: [] })).toThrow(ClosedError)
    })
  })

  test('the frame of an answer is handed out', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.script = received =>
        received.api === Fetch
          ? answerTo(received, {
              responses: [
                {
                  topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
                  topic: 't',
                  partitions: [{ partitionIndex: 0, errorCode: 0, highWatermark: 0n, records: Buffer.alloc(40_000, 7) }],
                },
              ],
            })
          : 'default'
      const connection = connect()
      let memory: ArrayBufferLike | undefined
      const request = { replicaId: -1, maxWaitMs: 1, minBytes: 1, topics: [], forgottenTopicsData: [] }
      const { responses } = await connection.request(Fetch, request, {
        version: 12,
        frame: frame => {
          memory = frame.buffer.buffer
        },
      })
      expect(responses[0]!.partitions[0]!.records!.buffer).toBe(memory)
    })
  })
})

describe('versions', () => {
  test('are the highest that both sides and the caller accept', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.apiKeys = broker.apiKeys.map(range =>
        range.apiKey === Metadata.key ? { ...range, minVersion: 4, maxVersion: 9 } : range,
      )
      const connection = connect()
      await connection.connect()
      expect(connection.versionOf(Metadata)).toBe(9)
      expect(connection.versionOf(Metadata, { maxVersion: 7 })).toBe(7)
      expect(() => connection.versionOf(Metadata, { maxVersion: 3 })).toThrow(
        /broker:9092 has v4 to v9, kafkawire has v0 to v\d+, v0 to v3 was asked for/,
      )
      const error = await failureOf(connection.request(Metadata, { topics: null }, { minVersion: 12 }))
      expect(error).toBeInstanceOf(UnsupportedVersionError)
      expect(error.message).toMatch(/use a newer broker/)
    })
  })

  test('an API that the broker does not serve is named', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.apiKeys = broker.apiKeys.filter(({ apiKey }) => apiKey !== InitProducerId.key)
      const error = await failureOf(connect().request(InitProducerId, { transactionalId: null, transactionTimeoutMs: 0 }))
      expect(error.message).toMatch(/broker:9092 does not serve InitProducerId/)
    })
  })
})

describe('time', () => {
  test('a request without answer ends the connection, and all others say that their outcome is unknown', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.script = ({ api }) => (api === Heartbeat || api === Metadata ? 'silence' : 'default')
      const connection = connect({ maxInFlight: 2 })
      await connection.connect()
      const slow = failureOf<TimeoutError>(connection.request(Heartbeat, beat))
      const behind = failureOf<ConnectionError>(connection.request(Metadata, { topics: null }, { timeoutMs: 60_000 }))
      const queued = failureOf<ConnectionError>(connection.request(Metadata, { topics: null }, { timeoutMs: 60_000 }))
      expect(await slow).toBeInstanceOf(TimeoutError)
      expect((await slow).message).toMatch(/Heartbeat request to broker:9092 did not finish within 2000 ms: the broker hangs/)
      expect((await slow).outcome).toBe('unknown')
      expect((await behind).outcome).toBe('unknown')
      expect((await behind).message).toMatch(/may or may not have acted/)
      expect((await queued).outcome).toBe('not-sent')
      expect(await connection.closed).toBeInstanceOf(TimeoutError)
      expect(broker.openConnections).toBe(1)
    })
  })

  test('a request that could not be sent in time says so, and leaves the connection alone', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      broker.script = async ({ api }): Promise<Reaction> => {
        if (api === Heartbeat) await sleep(runtime, 1_000)
        return 'default'
      }
      const connection = connect({ maxInFlight: 1 })
      await connection.connect()
      const slow = connection.request(Heartbeat, beat)
      const error = await failureOf<TimeoutError>(connection.request(Metadata, { topics: null }, { timeoutMs: 100 }))
      expect(error.outcome).toBe('not-sent')
      expect(error.message).toMatch(/the requests before it are not answered yet/)
      expect((await slow).errorCode).toBe(0)
      expect(connection.state).toBe('ready')
    })
  })

  test('a request in a hurry ends alone; an answer that is missing for longer than others may take ends the connection', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      broker.script = ({ api }) => (api === Heartbeat || api === Metadata ? 'silence' : 'default')
      const connection = connect()
      await connection.connect()
      const from = runtime.clock.monotonic()
      const hurried = await failureOf<TimeoutError>(connection.request(Heartbeat, beat, { timeoutMs: 99.6 }))
      expect(hurried.message).toMatch(/within 100 ms: the broker hangs or cannot be reached, or the timeout is too short/)
      expect(hurried).toMatchObject({ outcome: 'unknown', afterMs: 100 })
      expect(connection.state).toBe('ready')
      const behind = failureOf<ConnectionError>(connection.request(Metadata, { topics: null }, { timeoutMs: 60_000 }))
      expect((await behind).message).toMatch(/Heartbeat request .* within 2000 ms: .*; the connection is dropped/)
      expect(runtime.clock.monotonic() - from).toBeLessThan(2_010)
      expect(await connection.closed).toBeInstanceOf(TimeoutError)
      await sleep(runtime, 100)
      expect(runtime.clock.pending).toBe(0)
    })
  })

  test.each([1, 500, 100_000])('after a throttle time of %i ms the queue goes on', async throttleTimeMs => {
    await simulated(async ({ broker, connect, runtime }) => {
      broker.script = received => (received.api === Heartbeat ? answerTo(received, { throttleTimeMs, errorCode: 0 }) : 'default')
      const throttles: number[] = []
      const connection = connect({
        requestTimeoutMs: 1_000_000,
        hooks: { throttled: ({ throttleMs }) => throttles.push(throttleMs) },
      })
      await connection.request(Heartbeat, beat)
      const from = runtime.clock.monotonic()
      expect(connection.throttledUntil).toBeCloseTo(from + throttleTimeMs, 0)
      await Promise.all([connection.request(Metadata, { topics: null }), connection.request(Metadata, { topics: null })])
      expect(runtime.clock.monotonic() - from).toBeGreaterThanOrEqual(throttleTimeMs)
      expect(runtime.clock.monotonic() - from).toBeLessThan(throttleTimeMs + 5)
      expect(throttles).toEqual([throttleTimeMs])
    })
  })

  test('a throttle time counts, too, when nobody waits for its answer any more', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      broker.script = async received => {
        if (received.api !== Heartbeat) return 'default'
        await sleep(runtime, 300)
        return answerTo(received, { throttleTimeMs: 10_000, errorCode: 0 })
      }
      const frames: number[] = []
      const throttles: number[] = []
      const connection = connect({
        requestTimeoutMs: 1_000_000,
        hooks: { throttled: ({ throttleMs }) => throttles.push(throttleMs) },
      })
      await connection.connect()
      const frame = ({ buffer }: { buffer: Buffer }) => frames.push(buffer.length)
      const late = connection.request(Heartbeat, beat, { timeoutMs: 100, frame })
      expect((await failureOf<TimeoutError>(late)).code).toBe('ERR_TIMEOUT')
      await sleep(runtime, 300)
      expect({ throttles, frames }).toEqual({ throttles: [10_000], frames: [] })
      const from = runtime.clock.monotonic()
      await connection.request(Metadata, { topics: null })
      expect(runtime.clock.monotonic() - from).toBeGreaterThan(9_000)
    })
  })

  test('versions whose broker did the waiting itself do not make the client wait as well', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      broker.script = received =>
        received.api === Heartbeat ? answerTo(received, { throttleTimeMs: 5_000, errorCode: 0 }) : 'default'
      const connection = connect()
      await connection.request(Heartbeat, beat, { version: 1 })
      const from = runtime.clock.monotonic()
      await connection.request(Metadata, { topics: null })
      expect(runtime.clock.monotonic() - from).toBeLessThan(5)
    })
  })

  test('a throttled request times out as not sent, and says why', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.script = received =>
        received.api === Heartbeat ? answerTo(received, { throttleTimeMs: 0x7fffffff, errorCode: 0 }) : 'default'
      const connection = connect()
      await connection.request(Heartbeat, beat)
      const error = await failureOf<TimeoutError>(connection.request(Metadata, { topics: null }))
      expect(error.outcome).toBe('not-sent')
      expect(error.message).toMatch(/throttles this client/)
    })
  })

  test('nothing is left on the clock when the connection is idle or closed', async () => {
    await simulated(async ({ connect, runtime }) => {
      const idle = connect()
      await idle.request(Heartbeat, beat)
      await sleep(runtime, 10_000)
      expect(runtime.clock.pending).toBe(0)
      const closed = connect()
      await closed.request(Heartbeat, beat)
      await closed.close()
      await sleep(runtime, 1)
      expect(runtime.clock.pending).toBe(0)
    })
  })
})

describe('giving up', () => {
  test('an aborted request that waits is never sent; one in flight leaves the others alone', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      broker.script = async ({ api }): Promise<Reaction> => {
        if (api === Heartbeat) await sleep(runtime, 500)
        return 'default'
      }
      const connection = connect({ maxInFlight: 2 })
      await connection.connect()
      const first = new AbortController()
      const second = new AbortController()
      const inFlight = failureOf<KafkaError>(connection.request(Heartbeat, beat, { signal: first.signal }))
      const other = connection.request(Metadata, { topics: null })
      const waiting = failureOf<KafkaError>(
        connection.request(InitProducerId, { transactionalId: null, transactionTimeoutMs: 0 }, { signal: second.signal }),
      )
      await sleep(runtime, 100)
      first.abort('enough')
      second.abort()
      expect((await inFlight).code).toBe('ERR_ABORTED')
      expect((await inFlight).cause).toBe('enough')
      expect((await inFlight).message).toMatch(/after it was sent: the broker may have acted on it/)
      expect((await waiting).message).toMatch(/before it was sent/)
      await other
      await connection.request(Metadata, { topics: null })
      expect(broker.received.map(({ api }) => api.name)).toEqual(['ApiVersions', 'Heartbeat', 'Metadata', 'Metadata'])
      expect((await failureOf<KafkaError>(connection.request(Heartbeat, beat, { signal: first.signal }))).code).toBe(
        'ERR_ABORTED',
      )
    })
  })

  test('an error never says that a request was not sent which leaves at the end of the same turn', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      const connection = connect()
      await connection.connect()
      const caller = new AbortController()
      const aborted = failureOf(connection.request(Heartbeat, beat, { signal: caller.signal }))
      caller.abort()
      expect((await aborted).message).toMatch(/aborted by its caller after it was sent: the broker may have acted on it/)
      await sleep(runtime, 10)
      expect(broker.received.filter(({ api }) => api === Heartbeat)).toHaveLength(1)
    })
  })

  test('close finishes what was accepted, then refuses', async () => {
    await simulated(async ({ broker, connect }) => {
      const connection = connect({ maxInFlight: 1 })
      await connection.connect()
      const answers = Promise.all([1, 2, 3].map(() => connection.request(Heartbeat, beat)))
      const closing = connection.close()
      expect(connection.state).toBe('draining')
      expect(await failureOf(connection.request(Heartbeat, beat))).toBeInstanceOf(ClosedError)
      expect((await answers).length).toBe(3)
      await closing
      expect(connection.state).toBe('closed')
      expect(await connection.closed).toBeUndefined()
      expect(broker.received.length).toBe(4)
    })
  })

  test('destroy rejects what is in flight as unknown and what waits as not sent', async () => {
    await simulated(async ({ broker, connect, runtime }) => {
      broker.script = ({ api }) => (api === Heartbeat ? 'silence' : 'default')
      const connection = connect({ maxInFlight: 1 })
      await connection.connect()
      const inFlight = failureOf<ConnectionError>(connection.request(Heartbeat, beat))
      const waiting = failureOf(connection.request(Heartbeat, beat))
      await sleep(runtime, 10)
      const fresh = failureOf(connection.request(Heartbeat, beat))
      connection.destroy()
      expect(await inFlight).toBeInstanceOf(ConnectionError)
      expect((await inFlight).outcome).toBe('unknown')
      expect(await waiting).toBeInstanceOf(ClosedError)
      expect(await fresh).toBeInstanceOf(ClosedError)
      await sleep(runtime, 10)
      expect(broker.openConnections).toBe(0)
    })
  })

  test('what was encoded in the turn of the end has not been sent', async () => {
    await simulated(async ({ connect }) => {
      const connection = connect()
      await connection.connect()
      const error = failureOf<ConnectionError>(connection.request(Heartbeat, beat))
      connection.destroy(new Error('the test says so'))
      expect((await error).outcome).toBe('not-sent')
      expect((await error).message).toMatch(/was not sent: the test says so/)
    })
  })

  test.each(['idle', 'connecting', 'negotiating', 'ready'] as const)(
    'close and destroy end a connection that is %s',
    async state => {
      for (const end of ['close', 'destroy'] as const) {
        await simulated(async ({ broker, connect, runtime }) => {
          if (state === 'connecting') runtime.hosts.partition('broker')
          if (state === 'negotiating') broker.script = () => 'silence'
          const connection = connect()
          const opening = state === 'idle' ? Promise.resolve() : connection.connect().catch(error => error)
          await sleep(runtime, 50)
          expect(connection.state).toBe(state)
          await connection[end]()
          await opening
          expect(connection.state).toBe('closed')
          expect(
            await failureOf(connection.connect().then(() => Promise.reject(state === 'ready' ? new ClosedError('x') : 0))),
          ).toBeInstanceOf(ClosedError)
          runtime.hosts.heal()
          await sleep(runtime, 500)
          expect(broker.openConnections).toBe(0)
          expect(runtime.clock.pending).toBe(0)
        })
      }
    },
  )
})

test('an error tells where its request was made, not where the failure came up', async () => {
  await simulated(async ({ broker, connect }) => {
    broker.script = ({ api }) => (api === Heartbeat ? 'close' : 'default')
    const connection = connect()
    const theCaller = async () => {
      await connection.request(Heartbeat, beat)
    }
    const error = await failureOf<ConnectionError>(theCaller())
    expect(error.stack).toMatch(/at (async )?theCaller/)
    expect(error.outcome).toBe('unknown')
    expect(error.message).toMatch(
      /Heartbeat request to broker:9092 got no answer: the connection to broker:9092 was closed by the broker/,
    )
  })
})

test('hooks see states, writes and reads; without them nothing is built for them', async () => {
  await simulated(async ({ connect }) => {
    const seen: string[] = []
    const connection = connect({
      hooks: {
        stateChanged: (from, to) => seen.push(`${from}>${to}`),
        written: ({ api, version, bytes }) => seen.push(`w ${api} v${version} ${bytes > 0}`),
        read: ({ api, version, durationMs }) => seen.push(`r ${api} v${version} ${durationMs > 0}`),
      },
    })
    await connection.request(Heartbeat, beat)
    await connection.close()
    expect(seen).toEqual([
      'idle>connecting',
      'connecting>negotiating',
      'w ApiVersions v5 true',
      'r ApiVersions v5 true',
      'negotiating>ready',
      'w Heartbeat v4 true',
      'r Heartbeat v4 true',
      'ready>draining',
      'draining>closed',
    ])
  })
})
