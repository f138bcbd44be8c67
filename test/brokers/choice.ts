// Which broker a suite runs on, in this order: the one named by KAFKA_BOOTSTRAP_SERVERS, a JVM broker, a container, the embedded one.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { isKafkaRelease, type KafkaRelease, kafkaReleases } from '../java/jars.ts'
import { javaVersion } from '../java/java.ts'
import { probe } from './probe.ts'

export const brokerKinds = ['external', 'jvm', 'container', 'embedded'] as const
export type BrokerKind = (typeof brokerKinds)[number]

/** Which broker the tests of this process run on. */
export interface BrokerUnderTest {
  readonly kind: BrokerKind
  readonly bootstrapServers: string
  /** Kafka release: exact where we chose it (`4.4.0`), else as its ApiVersions tell (`4.4`). */
  readonly version: string
  /** One line for people: kind, version, address. */
  readonly description: string
}

export interface StartedBroker extends BrokerUnderTest {
  close(options?: { failed?: boolean }): Promise<void>
}

/** Java 17 and Maven: all a JVM broker needs. */
export async function jvmAvailable(): Promise<boolean> {
  if (((await javaVersion()) ?? 0) < 17) return false
  try {
    await promisify(execFile)('mvn', ['-v'], { timeout: 30_000 })
    return true
  } catch {
    return false
  }
}

/** The kinds that can be had on this machine, best first. `embedded` is always the last. */
export async function availableKinds(): Promise<BrokerKind[]> {
  const kinds: BrokerKind[] = []
  if (process.env.KAFKA_BOOTSTRAP_SERVERS) kinds.push('external')
  if (await jvmAvailable()) kinds.push('jvm')
  // Loaded when needed only: it brings a Docker client along.
  const { containersAvailable } = await import('./container.ts')
  if (await containersAvailable()) kinds.push('container')
  kinds.push('embedded')
  return kinds
}

/** Kafka release asked for by KAFKAWIRE_TEST_KAFKA_VERSION. Default 4.4.0. */
export function wantedRelease(): KafkaRelease {
  const wanted = process.env.KAFKAWIRE_TEST_KAFKA_VERSION ?? '4.4.0'
  if (!isKafkaRelease(wanted))
    throw new Error(`KAFKAWIRE_TEST_KAFKA_VERSION=${wanted} is not one of ${Object.keys(kafkaReleases).join(', ')}`)
  return wanted
}

/** Starts the broker that KAFKAWIRE_TEST_BROKER names, else the best one available. */
export async function startChosen(): Promise<StartedBroker> {
  const wanted = process.env.KAFKAWIRE_TEST_BROKER
  if (wanted !== undefined && !(brokerKinds as readonly string[]).includes(wanted))
    throw new Error(`KAFKAWIRE_TEST_BROKER=${wanted} is not one of ${brokerKinds.join(', ')}`)
  return startKind((wanted as BrokerKind | undefined) ?? (await availableKinds())[0]!)
}

export async function startKind(kind: BrokerKind): Promise<StartedBroker> {
  switch (kind) {
    case 'external': {
      const bootstrapServers = process.env.KAFKA_BOOTSTRAP_SERVERS
      if (!bootstrapServers)
        throw new Error('KAFKA_BOOTSTRAP_SERVERS is not set: name a broker there, or choose another KAFKAWIRE_TEST_BROKER')
      const [host, port] = bootstrapServers.split(',')[0]!.split(':') as [string, string]
      return started(kind, bootstrapServers, (await probe(host, Number(port), 10_000)).release, async () => {})
    }
    case 'jvm': {
      const { JvmCluster } = await import('./jvm.ts')
      const cluster = await JvmCluster.start({ version: wantedRelease() })
      return started(kind, cluster.bootstrapServers, cluster.version, async ({ failed = false } = {}) => {
        await cluster.close({ keepLogs: failed })
        if (failed) console.error(`Kafka's logs of the failed run: ${cluster.directory}`)
      })
    }
    case 'container': {
      const { KafkaContainer } = await import('./container.ts')
      const container = await KafkaContainer.start()
      return started(kind, container.bootstrapServers, container.image.split(':').at(-1) ?? container.probe.release, () =>
        container.close(),
      )
    }
    case 'embedded': {
      const { EmbeddedProcess } = await import('./embedded.ts')
      const broker = await EmbeddedProcess.start()
      return started(kind, broker.bootstrapServers, broker.probe.release, () => broker.close())
    }
  }
}

function started(kind: BrokerKind, bootstrapServers: string, version: string, close: StartedBroker['close']): StartedBroker {
  const name = {
    external: 'external Kafka',
    jvm: 'Apache Kafka on the JVM',
    container: 'Apache Kafka in a container',
    embedded: 'embedded broker',
  }[kind]
  const protocol = kind === 'embedded' || kind === 'external' ? `protocol of ${version}` : version
  return { kind, bootstrapServers, version, description: `${name} ${protocol} at ${bootstrapServers}`, close }
}
