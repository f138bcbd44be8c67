import { Connection } from '../../src/net/connection.ts'
import { CreateTopics, Fetch, Metadata, Produce } from '../../src/protocol/apis/index.ts'
import { allApis } from '../../src/protocol/registry.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { silent } from '../../src/util/logger.ts'
import { uniqueName } from '../brokers/broker-under-test.ts'
import { harmlessRequests } from './harmless-requests.ts'

async function connected(bootstrapServers: string): Promise<Connection> {
  const [host, port] = bootstrapServers.split(',')[0]!.split(/:(?=\d+$)/)
  const connection = new Connection(
    {
      host: host!,
      port: Number(port),
      clientId: 'every-version',
      connectTimeoutMs: 10_000,
      requestTimeoutMs: 20_000,
      maxResponseBytes: 10_000_000,
      maxInFlight: 1,
      logger: silent,
    },
    nodeRuntime,
  )
  await connection.connect()
  return connection
}

async function topicOf(connection: Connection): Promise<{ topic: string; topicId: string; nodeId: number }> {
  const topic = uniqueName('every-version')
  await connection.request(CreateTopics, {
    topics: [{ name: topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 10_000,
  })
  for (;;) {
    const { topics, brokers } = await connection.request(Metadata, { topics: [{ name: topic }] })
    if (topics[0]?.partitions[0]?.leaderId !== undefined && topics[0].partitions[0].leaderId >= 0) {
      return { topic, topicId: topics[0].topicId, nodeId: brokers[0]!.nodeId }
    }
  }
}

/**
 * What a broker offers and does not serve. Produce 0 to 2: offered for the sake of old librdkafka, but Kafka 4 closes
 * the connection on them (KAFKA-18659).
 */
const goneSince4 = (api: Api, version: number): boolean => api === Produce && version < 3

export interface LiveAnswers {
  /** How many requests were answered, and the answers read to their last byte. */
  readonly answers: number
  /** Names of the APIs that were asked. */
  readonly asked: readonly string[]
  /** Those that are offered and declared here, and were not asked. */
  readonly unasked: readonly string[]
  /** What went wrong, in sentences. */
  readonly failures: readonly string[]
}

/** Sends a harmless request of every API at every version that the broker offers and that is declared here, unstable ones included. */
export async function askEverything(bootstrapServers: string): Promise<LiveAnswers> {
  const connection = await connected(bootstrapServers)
  try {
    const named = await topicOf(connection)
    const offered = new Map(connection.apiVersions)
    const isKafka4 = offered.get(Fetch.key)!.min >= 4
    const asked = new Set<string>()
    let answers = 0
    const failures: string[] = []
    for (const { api, request } of harmlessRequests(named.topic, named.topicId, named.nodeId)) {
      const range = offered.get(api.key)
      if (!range) continue
      asked.add(api.name)
      const [least, most] = api.request.versions
      for (let version = Math.max(least, range.min); version <= Math.min(most, range.max); version++) {
        if (isKafka4 && goneSince4(api, version)) continue
        // Each on a connection of its own: one that the broker closes must not take the next with it.
        const own = await connected(bootstrapServers)
        try {
          await own.request(api, request(version) as never, { version })
          answers++
        } catch (error) {
          failures.push(`${api.name} v${version}: ${(error as Error).message}`)
        }
        await own.close()
      }
    }
    const unasked = allApis.filter(api => offered.has(api.key) && !asked.has(api.name)).map(api => api.name)
    console.log(`${answers} answers of ${asked.size} APIs read to the last byte; the broker offers ${offered.size}`)
    return { answers, asked: [...asked], unasked, failures }
  } finally {
    await connection.close()
  }
}
