import { describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { ApiVersions, Fetch, Metadata, Produce } from '../../src/protocol/apis/index.ts'
import { ErrorCode } from '../../src/protocol/error-codes.ts'
import { batch } from './batches.ts'
import { connect, fetchRequest, produce, setUp } from './set-up.ts'

const allTopics = { topics: null, includeTopicAuthorizedOperations: false }

describe('interceptors', () => {
  test('answer in place of the broker, as often as told, the latest first', async () => {
    const { broker, client } = await setUp()
    const refuse = (errorCode: number) => () => ({
      responses: [{ name: 't', partitionResponses: [{ index: 0, errorCode, baseOffset: -1n }] }],
    })
    broker.intercept(Produce, refuse(1), { times: 1 })
    broker.intercept(Produce, refuse(2), { times: 1 })
    const codes = [await produce(client, batch(['x'])), await produce(client, batch(['x'])), await produce(client, batch(['x']))]
    expect(codes.map(({ errorCode }) => errorCode)).toEqual([2, 1, 0])
  })

  test('see the real answer and change it', async () => {
    const { broker, client } = await setUp()
    const remove = broker.intercept(Metadata, async (_, { next }) => {
      const answer = await next()
      return typeof answer === 'string' ? answer : { ...answer, controllerId: 99 }
    })
    expect((await client.request(Metadata, 12, allTopics)).controllerId).toBe(99)
    remove()
    expect((await client.request(Metadata, 12, allTopics)).controllerId).toBe(1)
  })

  test('lose an answer, write garbage, close', async () => {
    const { broker, client } = await setUp()
    broker.intercept(Metadata, () => 'drop', { times: 1 })
    client.send(Metadata, 12, allTopics)
    await client.request(Metadata, 12, allTopics)
    expect(client.answered).toEqual([2])
    broker.intercept(Metadata, () => Buffer.from([0, 0, 0, 5, 1, 2, 3, 4, 5]), { times: 1 })
    const garbage = client.nextFrame()
    client.send(Metadata, 12, allTopics)
    expect(await garbage).toEqual(Buffer.from([1, 2, 3, 4, 5]))
    broker.intercept(Metadata, () => 'close', { times: 1 })
    await expect(client.request(Metadata, 12, allTopics)).rejects.toThrow('closed')
  })

  test('that throw end the connection and nothing else', async () => {
    const { broker, client } = await setUp()
    broker.intercept(Metadata, () => Promise.reject(new Error('boom')), { times: 1 })
    await expect(client.request(Metadata, 12, allTopics)).rejects.toThrow('closed')
    await (await connect(broker)).request(Metadata, 12, allTopics)
  })
})

describe('nodes', () => {
  test('a stopped node hands over what it led, and comes back on its port', async () => {
    const { broker, client } = await setUp({ nodes: 3 })
    broker.moveLeader('t', 0, 2)
    const { leaderEpoch } = broker.partition('t', 0)
    const servers = broker.bootstrapServers
    const second = await connect(broker, 2)
    await broker.stopNode(2)
    await second.closed
    const { brokers, topics } = await client.request(Metadata, 12, {
      topics: [{ name: 't' }],
      includeTopicAuthorizedOperations: false,
    })
    expect(brokers.map(({ nodeId }) => nodeId)).toEqual([1, 3])
    expect(topics[0]!.partitions[0]).toMatchObject({ leaderEpoch: leaderEpoch + 1, offlineReplicas: [2] })
    expect(broker.partition('t', 0).leaderId).not.toBe(2)
    await broker.startNode(2)
    expect(broker.bootstrapServers).toBe(servers)
    await (await connect(broker, 2)).request(Metadata, 12, allTopics)
  })

  test('a partition whose only replica is down has no leader until it is back', async () => {
    const { broker, client } = await setUp({ nodes: 2, config: { 'default.replication.factor': '1' } })
    broker.moveLeader('t', 1, 2)
    await broker.stopNode(2)
    const ask = async () =>
      (await client.request(Metadata, 12, { topics: [{ name: 't' }], includeTopicAuthorizedOperations: false })).topics[0]!
        .partitions[1]!
    expect(await ask()).toMatchObject({ errorCode: ErrorCode.LEADER_NOT_AVAILABLE, leaderId: -1 })
    await broker.startNode(2)
    expect(await ask()).toMatchObject({ errorCode: 0, leaderId: 2 })
  })

  test('a frozen node answers nothing, and everything once it is thawed', async () => {
    const { broker, client } = await setUp()
    broker.freezeNode(1)
    const asked = client.request(Metadata, 12, allTopics)
    const late = await connect(broker)
    const lateAsked = late.request(Metadata, 12, allTopics)
    // A connection to another broker proves that the loop went on meanwhile.
    await (await setUp()).client.request(Metadata, 12, allTopics)
    expect([client.answered, late.answered]).toEqual([[], []])
    broker.thawNode(1)
    await Promise.all([asked, lateAsked])
    await late.request(Metadata, 12, allTopics)
  })
})

describe('versions', () => {
  test('a request for an unknown version of ApiVersions is answered in version 0 with error 35 and the list', async () => {
    const { client } = await setUp()
    const answer = client.nextFrame()
    client.write(Buffer.from('000000150012006300000007000372617700016101310000ff', 'hex'))
    const frame = await answer
    expect(frame.readInt32BE(0)).toBe(7)
    expect(frame.readInt16BE(4)).toBe(ErrorCode.UNSUPPORTED_VERSION)
    expect(frame.readInt32BE(6)).toBeGreaterThan(10)
  })

  test('an older release is emulated, and single APIs are limited', async () => {
    const { client } = await setUp({ asVersion: '2.8', maxVersions: { Fetch: 11 } })
    const { apiKeys } = await client.request(ApiVersions, 3, { clientSoftwareName: 'raw', clientSoftwareVersion: '1' })
    const maxOf = (key: number) => apiKeys.find(({ apiKey }) => apiKey === key)?.maxVersion
    expect([maxOf(0), maxOf(1), maxOf(3), maxOf(60)]).toEqual([9, 11, 11, 0])
    await expect(client.request(Metadata, 12, allTopics)).rejects.toThrow('closed')
  })

  test('a client that means another cluster or node is told so (KIP-1242)', async () => {
    const { broker, client } = await setUp()
    const software = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }
    const ask = async (change: object) => (await client.request(ApiVersions, 5, { ...software, ...change })).errorCode
    expect(await ask({ clusterId: broker.clusterId, nodeId: 1 })).toBe(0)
    expect(await ask({ clusterId: 'another' })).toBe(ErrorCode.REBOOTSTRAP_REQUIRED)
    expect(await ask({ nodeId: 2 })).toBe(ErrorCode.REBOOTSTRAP_REQUIRED)
    expect(
      (await client.request(ApiVersions, 3, { clientSoftwareName: 'no spaces', clientSoftwareVersion: '1' })).errorCode,
    ).toBe(ErrorCode.INVALID_REQUEST)
  })

  test('an option that cannot be meant is refused by name', async () => {
    await expect(startBroker({ maxVersions: { Fletch: 1 } })).rejects.toThrow('Fletch')
    await expect(startBroker({ topicz: {} } as object)).rejects.toThrow('did you mean topics')
    await expect(startBroker({ config: { 'message.max.bytes': 'many' } })).rejects.toThrow('message.max.bytes')
  })
})

describe('hostile clients', () => {
  test.each<[string, Buffer]>([
    ['a frame of 2 GB', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ['a frame of negative length', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a frame that is no request', Buffer.from([0, 0, 0, 2, 1, 2])],
    ['an unknown API', Buffer.from([0, 0, 0, 10, 3, 0xe7, 0, 0, 0, 0, 0, 1, 0xff, 0xff])],
    ['a body that ends early', Buffer.from([0, 0, 0, 11, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0])],
    ['an array longer than its frame', Buffer.from([0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff])],
  ])('%s ends its connection and no other', async (_, bytes) => {
    const { broker, client } = await setUp()
    const hostile = await connect(broker)
    hostile.write(bytes)
    await hostile.closed
    await client.request(Metadata, 12, allTopics)
  })

  test('one that asks and does not read is served no further than its socket takes', async () => {
    const { broker, client } = await setUp()
    await produce(client, batch(['x'.repeat(1_000_000)]))
    let served = 0
    broker.intercept(Fetch, () => {
      served++
      return 'pass'
    })
    const greedy = await connect(broker)
    greedy.ignoreAnswers()
    const asked = Array.from({ length: 60 }, () => greedy.request(Fetch, 12, fetchRequest(0n)))
    // At rest: others are served, this one is not.
    await expect
      .poll(async () => {
        const before = served
        for (let i = 0; i < 20; i++) await client.request(Metadata, 12, allTopics)
        return before > 0 && served === before
      })
      .toBe(true)
    expect(served).toBeLessThan(30)
    greedy.ignoreAnswers(false)
    await Promise.all(asked)
    expect(served).toBe(60)
  })

  test('acks 0 gets no answer, and a failure closes the connection', async () => {
    const { broker, client } = await setUp()
    const records = batch(['x'])
    client.send(Produce, 9, { acks: 0, timeoutMs: 1, topicData: [{ name: 't', partitionData: [{ index: 0, records }] }] })
    await client.request(Metadata, 12, allTopics)
    expect([client.answered, broker.partition('t', 0).endOffset]).toEqual([[2], 1n])
    client.send(Produce, 9, { acks: 0, timeoutMs: 1, topicData: [{ name: 'u', partitionData: [{ index: 0, records }] }] })
    await client.closed
  })
})
