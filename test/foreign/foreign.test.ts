// Clients of other makers against the embedded broker: what they need beyond our own client's habits shows here.
import { describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { type ClientName, clientFor, run } from './toolbox.ts'

const COUNT = 200
const expected = Array.from({ length: COUNT }, (_, i) => `v${i}`).sort()

const users = { alice: 'secret of alice' }

/** What every program answers. */
interface Seen {
  readonly values: readonly string[]
  readonly topics: readonly string[]
}

const programs: readonly Exclude<ClientName, 'kcat'>[] = ['java', 'kafka-python', 'kafkajs', 'franz-go']

describe.each(programs)('%s', name => {
  test('produces, consumes in a group, commits and lists topics', async context => {
    const client = await clientFor(name, context)
    await using broker = await startBroker({ topics: { other: 1 } })
    const task = { bootstrapServers: broker.bootstrapServers, topic: 'foreign', count: COUNT }
    const seen = JSON.parse(await run(client, [JSON.stringify(task)])) as Seen
    expect([...seen.values].sort()).toEqual(expected)
    expect(seen.topics).toEqual(expect.arrayContaining(['foreign', 'other']))
    const partitions = [0, 1, 2]
    const ends = partitions.map(partition => broker.partition('foreign', partition).endOffset)
    expect(ends.reduce((sum, end) => sum + end, 0n)).toBe(BigInt(COUNT))
    // A partition without records need not be committed.
    expect(partitions.map(partition => broker.committed('foreign', 'foreign', partition) ?? 0n)).toEqual(ends)
  })

  test('works with three brokers', async context => {
    const client = await clientFor(name, context)
    await using broker = await startBroker({ nodes: 3, config: { 'default.replication.factor': '1' } })
    const task = { bootstrapServers: broker.bootstrapServers, topic: 'foreign', count: COUNT }
    const seen = JSON.parse(await run(client, [JSON.stringify(task)])) as Seen
    expect([...seen.values].sort()).toEqual(expected)
  })

  test.for(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('authenticates by %s', async (mechanism, context) => {
    const client = await clientFor(name, context)
    await using broker = await startBroker({ sasl: { users } })
    const task = {
      bootstrapServers: broker.bootstrapServers,
      topic: 'foreign',
      count: 10,
      user: 'alice',
      password: users.alice,
      mechanism,
    }
    const seen = JSON.parse(await run(client, [JSON.stringify(task)])) as Seen
    expect(seen.values).toHaveLength(10)
  })
})

describe('kcat', () => {
  const records = expected.map(value => `k:${value}`).join('\n')

  test.for(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'produces with %s, consumes in a group and lists topics',
    async (codec, context) => {
      const client = await clientFor('kcat', context)
      await using broker = await startBroker({ topics: { foreign: 3 } })
      const at = ['-b', broker.bootstrapServers]
      const produced = ['-P', '-t', 'foreign', '-K:', '-z', codec, '-X', 'enable.idempotence=true']
      await run(client, [...at, ...produced], { input: `${records}\n` })
      const consumed = await run(client, [
        ...at,
        '-G',
        'foreign',
        '-c',
        String(COUNT),
        '-X',
        'auto.offset.reset=earliest',
        'foreign',
      ])
      expect(consumed.trim().split('\n').sort()).toEqual(expected)
      expect(await run(client, [...at, '-L'])).toContain('topic "foreign" with 3 partitions')
    },
  )

  test.for<[string, string[]]>([
    ['PLAIN', ['-X', 'sasl.username=alice', '-X', `sasl.password=${users.alice}`]],
    ['SCRAM-SHA-256', ['-X', 'sasl.username=alice', '-X', `sasl.password=${users.alice}`]],
    ['SCRAM-SHA-512', ['-X', 'sasl.username=alice', '-X', `sasl.password=${users.alice}`]],
    ['OAUTHBEARER', ['-X', 'enable.sasl.oauthbearer.unsecure.jwt=true', '-X', 'sasl.oauthbearer.config=principal=alice']],
  ])('authenticates by %s', async ([mechanism, credentials], context) => {
    const client = await clientFor('kcat', context)
    await using broker = await startBroker({
      topics: { foreign: 3 },
      sasl: { users, mechanisms: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] },
    })
    const secured = ['-X', 'security.protocol=SASL_PLAINTEXT', '-X', `sasl.mechanisms=${mechanism}`, ...credentials]
    expect(await run(client, ['-b', broker.bootstrapServers, ...secured, '-L'])).toContain('topic "foreign" with 3 partitions')
  })
})
