import { createPrivateKey } from 'node:crypto'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { Client } from '../../src/client/index.ts'
import type { ConfigError, ConnectionError, KafkaError, TimeoutError } from '../../src/errors.ts'
import { DescribeGroups, Fetch, Heartbeat, Metadata, Produce } from '../../src/protocol/apis/index.ts'
import { nodeRuntime, tunnelled } from '../../src/runtime/node.ts'
import type { Runtime, TlsOptions } from '../../src/runtime/runtime.ts'
import { makeCertificate } from '../net/certificate.ts'
import { connectionTo, failureOf } from '../net/connecting.ts'
import { answerTo, ScriptedBroker } from '../net/scripted-broker.ts'

const beat = { groupId: 'g', generationId: 1, memberId: 'm' }
const { cert, key } = makeCertificate('localhost', '127.0.0.1')
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

async function broker(options?: Parameters<ScriptedBroker['listen']>[0]): Promise<ScriptedBroker> {
  const started = await new ScriptedBroker().listen(options)
  cleanUps.push(() => started[Symbol.asyncDispose]())
  return started
}

/** A plain server that does what the test says with each socket. */
async function server(accept: (socket: Socket) => void): Promise<{ host: string; port: number }> {
  const sockets = new Set<Socket>()
  const listening = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    accept(socket)
  })
  await new Promise<void>(resolve => listening.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => listening.close(resolve))
  })
  return { host: '127.0.0.1', port: (listening.address() as AddressInfo).port }
}

const overTunnel: Runtime = {
  ...nodeRuntime,
  network: tunnelled(
    ({ host, port }) =>
      new Promise((resolve, reject) => {
        // Not a socket: what a proxy library may return.
        const socket = connectTcp({ host, port }, () =>
          resolve(
            Duplex.from({
              readable: socket,
              writable: socket,
            }),
          ),
        )
        socket.on('error', reject)
      }),
  ),
}

describe.each([
  ['TCP', nodeRuntime, undefined],
  ['TLS', nodeRuntime, { ca: cert }],
  ['a tunnelled stream', overTunnel, undefined],
  ['TLS over a tunnelled stream', overTunnel, { ca: cert }],
])('over %s', (_, runtime, tls) => {
  const start = async () => {
    const started = await broker(tls ? { tls: { cert, key } } : {})
    return {
      started,
      connection: connectionTo({ host: 'localhost', port: started.port }, runtime, {
        tls,
        requestTimeoutMs: 10_000,
        maxInFlight: 50,
      }),
    }
  }

  test('requests and answers of every size pass', async () => {
    const { started, connection } = await start()
    started.script = received => {
      if (received.api !== Fetch) return 'default'
      const records = Buffer.alloc(received.request.maxBytes, received.request.minBytes)
      return answerTo(received, {
        responses: [{ topic: 't', partitions: [{ partitionIndex: 0, errorCode: 0, highWatermark: 0n, records }] }],
      })
    }
    const sizes = [0, 1, 100, 16_300, 16_384, 70_000, 1 << 20, 5 << 20, 3, 200_000]
    const answers = await Promise.all(
      sizes.map((maxBytes, minBytes) =>
        connection.request(
          Fetch,
          { replicaId: -1, maxWaitMs: 0, minBytes, maxBytes, topics: [], forgottenTopicsData: [] },
          { version: 12 },
        ),
      ),
    )
    answers.forEach(({ responses }, i) => {
      const records = Buffer.from(responses[0]!.partitions[0]!.records!)
      expect(records.length).toBe(sizes[i])
      expect(records.equals(Buffer.alloc(sizes[i]!, i))).toBe(true)
    })
    await connection.request(
      Produce,
      { acks: 1, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records: Buffer.alloc(3 << 20, 5) }] }] },
      { version: 9 },
    )
    const { records } = started.received.at(-1)!.request.topicData[0].partitionData[0]
    expect(Buffer.from(records).equals(Buffer.alloc(3 << 20, 5))).toBe(true)
    await connection.close()
    expect(await connection.closed).toBeUndefined()
  })

  test('a destroyed connection ends the broker’s as well', async () => {
    const { started, connection } = await start()
    await connection.connect()
    connection.destroy()
    await expect.poll(() => started.openConnections).toBe(0)
  })

  test('a broker that hangs up in mid-answer cuts the request off', async () => {
    const { started, connection } = await start()
    started.script = received => {
      if (received.api !== Heartbeat) return 'default'
      received.transport.write([answerTo(received, { errorCode: 0 }).subarray(0, 6)])
      received.transport.close()
      return 'silence'
    }
    const error = await failureOf<ConnectionError>(connection.request(Heartbeat, beat))
    expect(error.outcome).toBe('unknown')
    expect(error.message).toMatch(/was closed by the broker|was lost/)
  })
})

test('answers that arrive byte by byte, and all at once', async () => {
  const started = await broker()
  const connection = connectionTo(started, nodeRuntime, { maxInFlight: 10 })
  await connection.connect()
  const all: Buffer[] = []
  started.script = received => {
    const answer = answerTo(received, { errorCode: received.index })
    all.push(answer)
    if (received.index <= 3) for (const byte of answer) received.transport.write([Uint8Array.of(byte)])
    if (received.index === 8) received.transport.write(all.slice(3))
    return 'silence'
  }
  const answers = await Promise.all(Array.from({ length: 8 }, () => connection.request(Heartbeat, beat)))
  expect(answers.map(({ errorCode }) => errorCode)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  await connection.close()
})

test('IPv6 literals are dialled as they are', async () => {
  const started = await broker({ host: '::1' }).catch(() => undefined)
  // A machine without IPv6 has nothing to show here.
  if (!started) return
  const connection = connectionTo({ host: '::1', port: started.port }, nodeRuntime)
  await connection.request(Heartbeat, beat)
  await connection.close()
})

test('many queued answers do not keep the loop: it gets its turn between them', async () => {
  const started = await broker()
  // A clock on which each look takes a millisecond: what is bounded is the time spent, however fast the machine.
  let now = 0
  const clock = { ...nodeRuntime.clock, monotonic: () => ++now }
  const connection = connectionTo(started, { ...nodeRuntime, clock }, { maxInFlight: 400, requestTimeoutMs: 600_000 })
  await connection.connect()
  const brokers = Array.from({ length: 300 }, (_, nodeId) => ({ nodeId, host: `broker-${nodeId}.example`, port: 9_092 }))
  const all: Buffer[] = []
  started.script = received => {
    all.push(answerTo(received, { brokers, topics: [] }))
    if (all.length === 400) received.transport.write(all)
    return 'silence'
  }
  let turns = 0
  let done = false
  const count = () => {
    turns++
    if (!done) setImmediate(count)
  }
  let first = 0
  const answers = Array.from({ length: 400 }, () =>
    connection.request(Metadata, { topics: null }).then(() => {
      if (first++ === 0) count()
    }),
  )
  await Promise.all(answers)
  done = true
  expect(turns).toBeGreaterThan(30)
  await connection.close()
})

describe('a wrong port', () => {
  const plainError = async (target: { host: string; port: number }, changes = {}) =>
    failureOf<KafkaError>(connectionTo(target, nodeRuntime, { requestTimeoutMs: 3_000, ...changes }).connect())

  test('where nothing listens', async () => {
    const started = await broker()
    await started[Symbol.asyncDispose]()
    const error = (await plainError({ host: '127.0.0.1', port: started.port })) as ConnectionError
    expect(error.message).toMatch(/ECONNREFUSED.*: check that the broker runs/)
    expect(error.outcome).toBe('not-sent')
  })

  test('where TLS is spoken', async () => {
    const error = await plainError(await broker({ tls: { cert, key } }).then(({ port }) => ({ host: '127.0.0.1', port })))
    expect(error.message).toMatch(/speaks TLS: set the tls option|a TLS listener hangs up like this/)
  })

  test('where HTTP is spoken', async () => {
    const http = createHttpServer()
    await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
    cleanUps.push(() => http.close())
    const error = await plainError({ host: '127.0.0.1', port: (http.address() as AddressInfo).port })
    expect(error.message).toMatch(/an HTTP server answers there/)
  })

  test('where TLS is asked for and plain text is spoken', async () => {
    const error = await plainError(await server(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')), { tls: { ca: cert } })
    expect(error.message).toMatch(/the port does not speak TLS; leave out the tls option/)
    const hangUp = await plainError(await server(socket => socket.once('data', () => socket.destroy())), { tls: { ca: cert } })
    expect(hangUp.message).toMatch(/check that the port speaks TLS/)
  })

  test('where everybody is accepted and nobody answered', async () => {
    const target = await server(() => {})
    const error = (await plainError(target, { requestTimeoutMs: 150 })) as TimeoutError
    expect(error.message).toMatch(/ApiVersions request to 127.0.0.1:\d+ did not finish within 150 ms/)
    const tls = (await plainError(target, { tls: { ca: cert }, connectTimeoutMs: 150 })) as TimeoutError
    expect(tls.message).toMatch(/connecting to 127.0.0.1:\d+ did not finish within 150 ms: check the address.*speaks TLS/)
  })
})

describe('TLS', () => {
  test('an unknown authority is refused, for good, with what to do', async () => {
    const { port } = await broker({ tls: { cert, key } })
    const error = await failureOf<KafkaError>(connectionTo({ host: 'localhost', port }, nodeRuntime, { tls: {} }).connect())
    expect(error.message).toMatch(/pass the certificate authority of the broker as tls\.ca/)
    expect(error.retriable).toBe(false)
  })

  test('a certificate of another name is refused, unless that name is asked for', async () => {
    const other = makeCertificate('kafka.example')
    const { port } = await broker({ tls: { ...other } })
    const target = { host: 'localhost', port }
    const error = await failureOf<KafkaError>(connectionTo(target, nodeRuntime, { tls: { ca: other.cert } }).connect())
    expect(error.message).toMatch(/connect by a name of the certificate, or set tls\.servername/)
    const connection = connectionTo(target, nodeRuntime, { tls: { ca: other.cert, servername: 'kafka.example' } })
    await connection.connect()
    await connection.close()
  })

  test('a printed client shows no private key', async () => {
    const { port } = await broker({ tls: { cert, key } })
    const client = new Client({ bootstrapServers: `localhost:${port}`, tls: { ca: cert, cert, key }, enableMetricsPush: false })
    cleanUps.push(() => client.close())
    await client.connect().catch(() => {})
    const shown = inspect(client, { depth: 20, showHidden: true })
    expect(shown).toContain(`Connection to localhost:${port} (`)
    expect(shown).not.toContain('PRIVATE KEY')
  })

  const other = makeCertificate('client')
  const encrypted = createPrivateKey(other.key).export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-128-cbc',
    passphrase: 'open',
  })
  test.each<[string, TlsOptions | (() => unknown), string, RegExp]>([
    ['a key of another certificate', { cert, key: other.key }, 'tls.key', /does not belong to tls\.cert$/],
    ['a wrong passphrase', { cert: other.cert, key: encrypted, passphrase: 'x' }, 'tls.key', /what opens it as tls\.passphrase$/],
    ['no key at all', { cert, key: 'nope' }, 'tls.key', /give a private key as PEM/],
    ['no certificate at all', { cert: 'nope', key }, 'tls.cert', /give certificates and keys as PEM$/],
    ['ciphers that do not exist', { ciphers: 'nope' }, 'tls', /see node:tls/],
    ['no version in between', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }, 'tls.minVersion', /no version of TLS is left/],
    ['a function that misspells', () => ({ rejectUnauthorised: false }), 'rejectUnauthorised', /did you mean rejectUnauthorized/],
    ['a function that gives nothing', () => undefined, 'tls', /gave undefined, not options of node:tls$/],
  ])('%s is a mistake in the options, found before anything is sent, and not repeated', async (_, tls, path, message) => {
    const { port } = await broker({ tls: { cert, key } })
    const client = new Client({ bootstrapServers: `localhost:${port}`, tls: tls as TlsOptions, enableMetricsPush: false })
    cleanUps.push(() => client.close())
    const error = await failureOf<ConfigError>(client.connect())
    expect(error).toMatchObject({ name: 'ConfigError', code: 'ERR_CONFIG', retriable: false, issues: [{ path }] })
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('nope')
  })

  test.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('mine')
      },
      /tls\.checkServerIdentity refuses the certificate \(mine\): see what/,
    ],
    [
      'throws nothing',
      () => {
        throw undefined
      },
      /refuses the certificate \(it gave undefined, not undefined or an Error\)/,
    ],
    ['gives an Error', () => new Error('mine'), /refuses the certificate \(mine\)/],
    ['gives a promise', async () => {}, /refuses the certificate \(it gave a promise, and must decide at once/],
    ['gives a promise that fails', async () => Promise.reject(new Error('mine')), /refuses the certificate \(it gave a promise/],
  ])(
    'a check of one’s own that %s refuses the broker, for good, and ends nothing else',
    async (_, checkServerIdentity, message) => {
      const { port } = await broker({ tls: { cert, key } })
      const tls = { ca: cert, checkServerIdentity }
      const client = new Client({ bootstrapServers: `localhost:${port}`, tls: tls as never, enableMetricsPush: false })
      const error = await failureOf<KafkaError>(client.connect())
      expect(error).toMatchObject({ code: 'ERR_CONNECTION', retriable: false })
      expect(error.message).toMatch(message)
      await client.close()
    },
  )

  test.each<[string, () => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('vault sealed')
      },
      /tls\.pskCallback: it failed: vault sealed/,
    ],
    ['gives no key', () => ({ psk: 5, identity: 3 }), /tls\.pskCallback: it gave object: return \{ psk, identity \}/],
    ['gives nothing', () => undefined, /tls\.pskCallback: it gave undefined/],
    ['gives a promise that fails', () => Promise.reject(new Error('late')), /tls\.pskCallback: it gave a promise/],
  ])('a pskCallback that %s is an error at once', async (_, pskCallback, message) => {
    const { port } = await broker({
      tls: { ciphers: 'PSK', pskCallback: () => Buffer.alloc(16), pskIdentityHint: 'hint' } as never,
    })
    const tls = { ciphers: 'PSK', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2', pskCallback } as never
    const client = new Client({ bootstrapServers: `localhost:${port}`, tls, enableMetricsPush: false })
    cleanUps.push(() => client.close())
    const error = await failureOf<ConfigError>(client.connect())
    expect(error).toMatchObject({ code: 'ERR_CONFIG', retriable: false })
    expect(error.message).toMatch(message)
  })

  test.each(['garbage', ''])('a tls.ca that is none (%o) is not answered by the advice to give one', async ca => {
    const { port } = await broker({ tls: { cert, key } })
    const error = await failureOf<KafkaError>(connectionTo({ host: 'localhost', port }, nodeRuntime, { tls: { ca } }).connect())
    expect(error.retriable).toBe(false)
    expect(error.message).toMatch(/what was given as tls\.ca is not its certificate authority, or not PEM$/)
  })

  test('a certificate that is renewed before its key is no mistake for good: the operation waits for the pair', async () => {
    const own = makeCertificate('127.0.0.1')
    await using embedded = await startBroker({ tls: { ...own } })
    let asked = 0
    const tls = () => {
      asked++
      return { ca: own.cert, cert: own.cert, key: asked === 2 || asked === 3 ? other.key : own.key }
    }
    const client = new Client({ bootstrapServers: embedded.bootstrapServers, tls, retryBackoffMs: 1, reconnectBackoffMs: 1 })
    cleanUps.push(() => client.close())
    await client.connect()
    // On a connection of its own.
    const describe = () => client.request(DescribeGroups, { groups: ['g'] })
    expect(await describe()).toMatchObject({ groups: [{ groupId: 'g' }] })
    expect(asked).toBeGreaterThan(3)
  })

  test('a broker that demands a client certificate gets it, or the error says so', async () => {
    const client = makeCertificate('client')
    const { port } = await broker({ tls: { cert, key, ca: client.cert, requestCert: true, rejectUnauthorized: true } })
    const target = { host: 'localhost', port }
    const connection = connectionTo(target, nodeRuntime, { tls: { ca: cert, cert: client.cert, key: client.key } })
    await connection.connect()
    await connection.close()
    const error = await failureOf<KafkaError>(connectionTo(target, nodeRuntime, { tls: { ca: cert } }).connect())
    expect(error.message).toMatch(/check whether the broker asks for a client certificate/)
  })
})

test('sockets and listeners are gone after a thousand connections', async () => {
  const started = await broker()
  for (let i = 0; i < 40; i++) {
    await Promise.all(
      Array.from({ length: 25 }, async () => {
        const connection = connectionTo(started, nodeRuntime)
        await connection.request(Heartbeat, beat)
        await connection.close()
      }),
    )
  }
  await expect.poll(() => started.openConnections).toBe(0)
  const sockets = process.getActiveResourcesInfo().filter(name => name.startsWith('TCPSocket'))
  expect(sockets.length).toBeLessThan(3)
}, 30_000)

describe('a tunnel', () => {
  const failing = () =>
    new Duplex({
      read() {},
      write: (_chunk, _encoding, done) => done(),
      destroy: (_error, done) => done(new Error('ends badly')),
    })

  test('that is there only when nobody waits any more is destroyed, and may fail at that', async () => {
    const abort = new AbortController()
    const network = tunnelled(async () => {
      abort.abort(new Error('too late'))
      return failing()
    })
    const sink = { space: () => Buffer.alloc(1), filled() {}, ended() {} }
    const dialled = network.dial({ host: 'h', port: 1, address: 'h' } as never, sink as never, abort.signal)
    await expect(dialled).rejects.toThrow('too late')
    await new Promise(resolve => setImmediate(resolve))
  })

  test('that is none is a mistake of the caller', async () => {
    const runtime = { ...nodeRuntime, network: tunnelled(async () => undefined as never) }
    const client = new Client({ bootstrapServers: 'h:9092', enableMetricsPush: false }, runtime)
    cleanUps.push(() => client.close())
    const error = await failureOf<ConfigError>(client.connect())
    expect(error).toMatchObject({ code: 'ERR_CONFIG', retriable: false })
    expect(error.message).toMatch(/tunnelled\(connect\): it gave undefined: return a Duplex/)
  })
})
