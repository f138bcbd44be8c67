// Genuine Apache Kafka in a container, where a Docker engine answers.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers'
import { cleanUpAfterDeath } from './child.ts'
import { freePorts } from './ports.ts'
import { type Probe, untilReady } from './probe.ts'

const run = promisify(execFile)
/** What scripts/build-kafka-image.sh makes where no image hub is reachable. */
const LOCAL_IMAGE = 'kafkawire/kafka:4.4.0'
const OFFICIAL_IMAGE = 'apache/kafka:4.4.0'

/** The image to run: `KAFKAWIRE_KAFKA_IMAGE`, else the locally built one, else the official one. */
export async function kafkaImage(): Promise<string> {
  if (process.env.KAFKAWIRE_KAFKA_IMAGE) return process.env.KAFKAWIRE_KAFKA_IMAGE
  return (await hasImage(LOCAL_IMAGE)) ? LOCAL_IMAGE : OFFICIAL_IMAGE
}

/** Whether an engine answers and the image is there or can be pulled. */
export async function containersAvailable(): Promise<boolean> {
  try {
    await run('docker', ['info'], { timeout: 5_000 })
  } catch {
    return false
  }
  const image = await kafkaImage()
  if (await hasImage(image)) return true
  try {
    await run('docker', ['pull', '-q', image], { timeout: 180_000 })
    return true
  } catch {
    return false
  }
}

async function hasImage(image: string): Promise<boolean> {
  try {
    await run('docker', ['image', 'inspect', image], { timeout: 5_000 })
    return true
  } catch {
    return false
  }
}

export class KafkaContainer {
  static async start(): Promise<KafkaContainer> {
    const image = await kafkaImage()
    // The engine's own reaper is an image as well: without a hub it cannot be had, and we stop what we start.
    if (image !== OFFICIAL_IMAGE) process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true'
    // Clients are sent to the advertised address, so the port on the host has to be known before the start.
    const [port] = (await freePorts(1)) as [number]
    const clusterId = `k${randomBytes(16).toString('base64url').slice(1)}`
    const java = (main: string) => `java -Xmx512m -cp '/opt/kafka/libs/*' ${main}`
    const script = `${java('kafka.tools.StorageTool')} format -t ${clusterId} -c /tmp/server.properties && exec ${java('kafka.Kafka')} /tmp/server.properties`
    const container = await new GenericContainer(image)
      .withExposedPorts({ container: 9092, host: port })
      .withCopyContentToContainer([{ content: properties(port), target: '/tmp/server.properties' }])
      .withEntrypoint(['sh', '-c'])
      .withCommand([script])
      .withWaitStrategy(Wait.forListeningPorts())
      .withStartupTimeout(90_000)
      .start()
    const host = container.getHost() === 'localhost' ? '127.0.0.1' : container.getHost()
    try {
      return new KafkaContainer(
        container,
        image,
        `${host}:${port}`,
        await untilReady([{ host, port }], { nodes: 1, timeoutMs: 60_000 }),
      )
    } catch (error) {
      await container.stop()
      throw error
    }
  }

  readonly image: string
  readonly bootstrapServers: string
  readonly probe: Probe
  private readonly container: StartedTestContainer
  private readonly unwatch: () => void

  private constructor(container: StartedTestContainer, image: string, bootstrapServers: string, probe: Probe) {
    this.container = container
    this.unwatch = cleanUpAfterDeath('docker rm -f "$1"', [container.getId()])
    this.image = image
    this.bootstrapServers = bootstrapServers
    this.probe = probe
  }

  async close(): Promise<void> {
    await this.container.stop({ timeout: 0 })
    this.unwatch()
  }
}

const properties = (port: number) => `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
listeners=PLAINTEXT://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093,INTERNAL://127.0.0.1:9094
advertised.listeners=PLAINTEXT://127.0.0.1:${port},INTERNAL://127.0.0.1:9094
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT
controller.listener.names=CONTROLLER
# The node speaks to itself, too, when it ends transactions: the advertised port is one of the host, which it cannot reach.
inter.broker.listener.name=INTERNAL
log.dirs=/tmp/kafka-data
num.partitions=3
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=3
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.session.timeout.ms=6000
group.consumer.min.heartbeat.interval.ms=500
group.consumer.heartbeat.interval.ms=1000
message.max.bytes=16777216
`
