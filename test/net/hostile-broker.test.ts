import { describe, expect, test } from 'vitest'
import {
  BrokerError,
  ConnectionError,
  type KafkaError,
  ProtocolError,
  TimeoutError,
  UnsupportedVersionError,
} from '../../src/errors.ts'
import type { SaslSession } from '../../src/net/sasl/index.ts'
import { ApiVersions, Heartbeat, Metadata, SaslHandshake } from '../../src/protocol/apis/index.ts'
import { connectionTo, failureOf, RecordingLogger, simulated, sleep } from './connecting.ts'
import { answerTo, type Reaction, ScriptedBroker } from './scripted-broker.ts'

const beat = { groupId: 'g', generationId: 1, memberId: 'm' }
const bytes = (hex: string) => Buffer.from(hex, 'hex')

/** During the handshake, and after it. */
describe.each([
  ['ApiVersions', ApiVersions],
  ['a later request', Heartbeat],
])('a broker that, at %s,', (_, at) => {
  const cases: [string, Reaction, new (...args: never[]) => KafkaError, RegExp][] = [
    ['hangs up', 'close', ConnectionError, /the connection to broker:9092 was closed by the broker/],
    ['announces 2 GB', bytes('7fffffff'), ProtocolError, /broker:9092 .* a frame of about 2048 MiB, more than the \d+ bytes/],
    ['announces a negative length', bytes('80000000'), ProtocolError, /a frame of negative length/],
    [
      'answers in HTTP',
      Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      ProtocolError,
      /broker:9092 .* an HTTP server answers there/,
    ],
    ['answers in TLS', bytes('15030300020246'), ProtocolError, /the peer speaks TLS/],
    [
      'answers another correlation id',
      bytes('0000000a7f00000000000000ffff'),
      ProtocolError,
      /another request than the one that was due \((ApiVersions|Heartbeat), correlation id \d\)/,
    ],
    ['answers three bytes', bytes('00000003010203'), ProtocolError, /3 bytes has no correlation id/],
    ['never answers', 'silence', TimeoutError, /request to broker:9092 did not finish within 2000 ms/],
  ]
  test.each(cases)('%s: one clear error in time, and nothing left over', async (_, reaction, kind, message) => {
    await simulated(async ({ broker, connect, runtime }) => {
      broker.script = ({ api }) => (api === at ? reaction : 'default')
      const connection = connect()
      const request = failureOf<ConnectionError>(connection.request(Heartbeat, beat))
      const ended = await connection.closed
      expect(ended).toBeInstanceOf(kind)
      expect(ended!.message).toMatch(message)
      const error = await request
      expect(error.message).toMatch(message)
      expect(error.outcome).toBe(at === Heartbeat ? 'unknown' : 'not-sent')
      if (at === ApiVersions) expect(await failureOf(connection.connect())).toBe(ended)
      expect(runtime.clock.monotonic()).toBeLessThan(2_100)
      await sleep(runtime, 10)
      expect(broker.openConnections).toBe(0)
      expect(runtime.clock.pending).toBe(0)
    })
  })
})

test('an answer cut short is refused with its place', async () => {
  await simulated(async ({ broker, connect }) => {
    broker.script = received => {
      if (received.api !== Metadata) return 'default'
      const whole = answerTo(received, { brokers: [{ nodeId: 1, host: 'broker', port: 9_092 }], topics: [] })
      const cut = Buffer.from(whole.subarray(0, whole.length - 6))
      cut.writeInt32BE(cut.length - 4)
      return cut
    }
    const connection = connect()
    const error = await failureOf<ConnectionError>(connection.request(Metadata, { topics: null }))
    expect(error.outcome).toBe('unknown')
    expect(error.retriable).toBe(false)
    expect(error.message).toMatch(/MetadataResponse v\d+ cannot be read at byte \d+/)
    expect(await connection.closed).toBeInstanceOf(ProtocolError)
  })
})

test('an answer that cannot be read is no fault of the other requests: they may be sent again', async () => {
  await simulated(async ({ broker, connect }) => {
    broker.script = ({ api }) => (api === ApiVersions ? 'default' : api === Metadata ? bytes('000000050000000200') : 'silence')
    const connection = connect({ maxInFlight: 2 })
    await connection.connect()
    const requests = [
      connection.request(Metadata, { topics: null }),
      connection.request(Heartbeat, beat),
      connection.request(Heartbeat, beat),
    ]
    const errors = await Promise.all(requests.map(request => failureOf<ConnectionError>(request)))
    expect(errors.map(({ retriable, outcome }) => ({ retriable, outcome }))).toEqual([
      { retriable: false, outcome: 'unknown' },
      { retriable: true, outcome: 'unknown' },
      { retriable: true, outcome: 'not-sent' },
    ])
    for (const error of errors) expect(error.message).toMatch(/MetadataResponse v\d+ cannot be read/)
  })
})

test('an answer that nothing asked for ends the connection', async () => {
  await simulated(async ({ broker, connect }) => {
    const connection = connect()
    await connection.connect()
    broker.transports[0]!.write([bytes('0000000400000001')])
    expect((await connection.closed)!.message).toMatch(/sent 4 bytes that nothing asked for/)
  })
})

test('a late answer to a request that timed out is never taken for that of another', async () => {
  await simulated(async ({ broker, connect, runtime }) => {
    broker.script = async ({ api }): Promise<Reaction> => {
      if (api === Heartbeat) await sleep(runtime, 5_000)
      return 'default'
    }
    const connection = connect()
    await failureOf(connection.request(Heartbeat, beat))
    const second = await failureOf<KafkaError>(connection.request(Metadata, { topics: null }))
    expect(second.code).toBe('ERR_CLOSED')
    await sleep(runtime, 10_000)
  })
})

test('a half-open connection is noticed by the request that gets no answer', async () => {
  await simulated(async ({ connect, runtime }) => {
    const connection = connect()
    await connection.connect()
    expect(runtime.hosts.halfOpen('broker')).toBe(1)
    const error = await failureOf<TimeoutError>(connection.request(Heartbeat, beat))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(error.outcome).toBe('unknown')
    expect(connection.state).toBe('closed')
  })
})

describe('ApiVersions', () => {
  test('an old broker names the version it has, and is asked with that', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.script = received =>
        received.api === ApiVersions && received.envelope.apiVersion > 2
          ? answerTo(received, { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 2 }] }, { version: 0 })
          : 'default'
      const connection = connect()
      await connection.connect()
      expect(broker.received.map(({ envelope }) => envelope.apiVersion)).toEqual([5, 2])
      expect(broker.connections).toBe(1)
    })
  })

  test('a broker before 2.4 names none, and is asked with v0', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.script = received =>
        received.envelope.apiVersion > 0 && received.api === ApiVersions
          ? answerTo(received, { errorCode: 35 }, { version: 0 })
          : 'default'
      await connect().connect()
      expect(broker.received.map(({ envelope }) => envelope.apiVersion)).toEqual([5, 0])
    })
  })

  test('ApiVersionsDowngradeLoopTerminates: a broker that refuses every version is asked a bounded number of times', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.script = received =>
        answerTo(received, { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 5 }] }, { version: 0 })
      const error = await failureOf(connect().connect())
      expect(error).toBeInstanceOf(UnsupportedVersionError)
      expect(error.message).toMatch(/refuses every version of ApiVersions/)
      expect(broker.received.map(({ envelope }) => envelope.apiVersion)).toEqual([5, 4, 3, 2, 1, 0])
    })
  })

  test('an answer that cannot be read is asked for again in v0', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.script = received =>
        received.envelope.apiVersion > 0 && received.api === ApiVersions
          ? answerTo(received, { errorCode: 0, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }] }, { version: 0 })
          : 'default'
      await connect().connect()
      expect(broker.received.map(({ envelope }) => envelope.apiVersion)).toEqual([5, 0])
    })
  })

  test('a broker that hangs up at a version it does not know is dialled once more with v0', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.script = ({ api, envelope }) => (api === ApiVersions && envelope.apiVersion > 0 ? 'close' : 'default')
      const connection = connect()
      expect((await connection.request(Heartbeat, beat)).errorCode).toBe(0)
      expect(broker.connections).toBe(2)
      expect(connection.state).toBe('ready')
    })
  })

  test('carries who we are, and whom we expect when both parts are known', async () => {
    await simulated(async ({ broker, connect }) => {
      await connect({ expected: { clusterId: 'abc', nodeId: 3 } }).connect()
      await connect({ expected: { clusterId: 'abc' } }).connect()
      const [both, half] = broker.received.map(({ request }) => request)
      expect(both).toMatchObject({ clientSoftwareName: 'kafkawire', clusterId: 'abc', nodeId: 3 })
      expect(both.clientSoftwareVersion).toMatch(/^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/)
      expect(half).toMatchObject({ clusterId: null, nodeId: -1 })
    })
  })

  test('another broker at that address says REBOOTSTRAP_REQUIRED', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.script = received => answerTo(received, { errorCode: 129 })
      const error = await failureOf<BrokerError>(connect({ expected: { clusterId: 'abc', nodeId: 3 } }).connect())
      expect(error).toBeInstanceOf(BrokerError)
      expect(error.error).toBe('REBOOTSTRAP_REQUIRED')
    })
  })

  test('features are kept', async () => {
    await simulated(async ({ broker, connect }) => {
      broker.script = received =>
        broker.apiVersions(received, {
          supportedFeatures: [{ name: 'group.version', minVersion: 0, maxVersion: 1 }],
          finalizedFeatures: [{ name: 'group.version', maxVersionLevel: 1, minVersionLevel: 1 }],
          finalizedFeaturesEpoch: 9n,
        })
      const connection = connect()
      await connection.connect()
      expect(connection.features.finalized.get('group.version')).toEqual({ min: 1, max: 1 })
      expect(connection.features.supported.get('group.version')).toEqual({ min: 0, max: 1 })
      expect(connection.features.finalizedEpoch).toBe(9n)
    })
  })
})

describe('addresses', () => {
  test('are all tried, in order, and those that do not answer leave time for the others', async () => {
    await simulated(async ({ broker, runtime }) => {
      runtime.hosts.names.set('kafka.example', ['10.0.0.1', '10.0.0.2', 'broker'])
      // The first is not there, the second swallows packets.
      runtime.hosts.partition('client', '10.0.0.2')
      const connection = connectionTo({ host: 'kafka.example', port: 9_092 }, runtime)
      await connection.connect()
      expect(broker.connections).toBe(1)
      expect(runtime.clock.monotonic()).toBeLessThan(1_000)
    })
  })

  test('when none answers, the error names each', async () => {
    await simulated(async ({ runtime }) => {
      runtime.hosts.names.set('kafka.example', ['10.0.0.1', '10.0.0.2'])
      runtime.hosts.partition('client', '10.0.0.2')
      const error = await failureOf<ConnectionError>(connectionTo({ host: 'kafka.example', port: 9_092 }, runtime).connect())
      expect(error.outcome).toBe('not-sent')
      expect(error.message).toMatch(
        /10\.0\.0\.1: connect ECONNREFUSED 10\.0\.0\.1:9092; 10\.0\.0\.2: connecting to kafka.example:9092 did not finish/,
      )
      expect(runtime.clock.monotonic()).toBeLessThan(1_100)
    })
  })

  test('a name that does not exist is said to be so', async () => {
    await simulated(async ({ runtime }) => {
      const error = await failureOf<ConnectionError>(connectionTo({ host: 'nowhere', port: 9_092 }, runtime).connect())
      expect(error.message).toMatch(/ENOTFOUND nowhere: check the spelling of the host/)
      expect(error.retriable).toBe(true)
    })
  })

  test('an IPv6 address stands in brackets in every error about it', async () => {
    await simulated(async ({ runtime }) => {
      const host = '::1'
      const connect = (port = 9_092, changes = {}) => connectionTo({ host, port }, runtime, changes)
      const authenticate = (start: () => Promise<SaslSession>) =>
        connect(9_092, { authenticator: { mechanism: 'X', start } }).connect()
      const texts: string[] = []
      const note = async (promise: Promise<unknown>) => texts.push((await failureOf(promise)).message)

      await note(connect(1).connect())
      const broker = await new ScriptedBroker(runtime.on(host)).listen({ host, port: 9_092 })
      broker.script = received => {
        if (received.api === SaslHandshake) return answerTo(received, { errorCode: 33, mechanisms: [] })
        return received.api === Heartbeat ? 'silence' : 'default'
      }
      await note(authenticate(() => new Promise(() => {})))
      await note(authenticate(() => Promise.reject(new Error('none'))))
      await note(authenticate(async () => ({ first: Buffer.alloc(0), next: () => undefined, secrets: [] })))
      await note(connect().request(Heartbeat, beat))
      await note(connect().request(Heartbeat, beat, { signal: AbortSignal.abort() }))
      const connection = connect()
      const lost = note(connection.request(Heartbeat, beat))
      await connection.connect()
      connection.destroy(new Error('enough'))
      await lost
      await note(connection.request(Heartbeat, beat))
      runtime.hosts.partition(host)
      await note(connect().connect())
      expect(texts.length).toBe(9)
      for (const text of texts) {
        expect(text).toMatch(/\[::1\]:(1|9092)/)
        expect(text.replaceAll('[::1]', '')).not.toContain('::1')
      }
    })
  })

  test('a host that swallows packets ends in a timeout that says not sent', async () => {
    await simulated(async ({ connect, runtime }) => {
      runtime.hosts.partition('broker')
      const error = await failureOf<TimeoutError>(connect().connect())
      expect(error).toBeInstanceOf(TimeoutError)
      expect(error.outcome).toBe('not-sent')
      expect(error.message).toMatch(/connecting to broker:9092 did not finish within 1000 ms: check the address/)
    })
  })
})

test('whatever bytes a broker sends, every request settles and nothing is left', async () => {
  for (let seed = 1; seed <= 150; seed++) {
    await simulated(
      async ({ broker, connect, runtime }) => {
        const handshakeToo = runtime.random() < 0.3
        broker.script = received => {
          if (received.api === ApiVersions && !handshakeToo) return 'default'
          if (runtime.random() < 0.3) return 'default'
          const size = Math.floor(runtime.random() * 60)
          const garbage = Buffer.from(runtime.secureRandom(size + 4))
          // Mostly a believable length and correlation id, so that the body gets its turn.
          if (runtime.random() < 0.8) {
            garbage.writeInt32BE(size)
            if (size >= 4 && runtime.random() < 0.9) garbage.writeInt32BE(received.envelope.correlationId, 4)
          }
          return garbage
        }
        const logger = new RecordingLogger()
        const connection = connect({ logger })
        const results = await Promise.allSettled([
          connection.request(Heartbeat, beat),
          connection.request(Metadata, { topics: null }),
          connection.request(Heartbeat, beat),
        ])
        for (const result of results) {
          if (result.status === 'rejected')
            expect(result.reason.code).toMatch(/^ERR_(CONNECTION|TIMEOUT|CLOSED|UNSUPPORTED_VERSION)$/)
        }
        await connection.close()
        await sleep(runtime, 10)
        expect(broker.openConnections).toBe(0)
        expect(runtime.clock.pending).toBe(0)
      },
      { seed, network: { splitChance: 0.3, jitterMs: 2 } },
    )
  }
})
