// Genuine Apache Kafka on loopback, one node or several, from jars that Maven resolves.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { javaClasspath, type KafkaRelease, kafkaReleases } from '../java/jars.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { Child } from './child.ts'
import { freePorts } from './ports.ts'
import { type Probe, untilReady } from './probe.ts'
import {
  type ClusterPlan,
  kraftProperties,
  log4jProperties,
  type NodePlan,
  saslUsers,
  zookeeperBrokerProperties,
  zookeeperProperties,
} from './properties.ts'

export interface JvmOptions {
  /** Release to run. Default 4.4.0. */
  readonly version?: KafkaRelease
  /** Number of nodes. Default 1; with 3, topics have three replicas and min.insync.replicas 2. */
  readonly nodes?: number
  /** Also listen with SASL_PLAINTEXT, SSL and SASL_SSL, with throw-away certificates and the users of `saslUsers` (KRaft only). */
  readonly security?: boolean
  /** Properties that replace or extend the harness's own. */
  readonly config?: Readonly<Record<string, string>>
  /** Java system properties of the nodes, such as `org.apache.kafka.sasl.oauthbearer.allowed.urls`. */
  readonly systemProperties?: Readonly<Record<string, string>>
  /** Folders and jars besides Kafka's own, such as that of a metrics reporter. */
  readonly classpath?: readonly string[]
  readonly startTimeoutMs?: number
}

/** `host:port` lists by listener; those besides `plaintext` exist with `security` only. */
export interface Listeners {
  readonly plaintext: string
  readonly sasl: string
  readonly tls: string
  readonly saslTls: string
}

/** A running cluster of Kafka nodes. Always `close()` it; when the runner dies first, the nodes die with it. */
export class JvmCluster {
  static async start(options: JvmOptions = {}): Promise<JvmCluster> {
    const cluster = new JvmCluster(options)
    try {
      await cluster.launch()
      return cluster
    } catch (error) {
      await cluster.close({ keepLogs: true, graceMs: 0 })
      throw new Error(`${(error as Error).message}\n${cluster.logTail()}\nlogs: ${cluster.directory}`, { cause: error })
    }
  }

  readonly version: KafkaRelease
  readonly directory: string
  readonly config: Readonly<Record<string, string>>
  private readonly systemProperties: Readonly<Record<string, string>>
  private readonly classpath: readonly string[]
  private readonly count: number
  private readonly wantsSecurity: boolean
  private readonly startTimeoutMs: number
  private readonly running = new Map<number, Child>()
  private zookeeper: Child | undefined
  private plan: ClusterPlan | undefined
  private facts: Probe | undefined

  private constructor({
    version = '4.4.0',
    nodes = 1,
    security = false,
    config = {},
    systemProperties = {},
    classpath = [],
    startTimeoutMs = 90_000,
  }: JvmOptions) {
    this.version = version
    this.count = nodes
    this.wantsSecurity = security
    this.config = config
    this.systemProperties = systemProperties
    this.classpath = classpath
    this.startTimeoutMs = startTimeoutMs
    this.directory = mkdtempSync(join(tmpdir(), `kafkawire-kafka-${version}-`))
  }

  get bootstrapServers(): string {
    return this.listeners.plaintext
  }

  get listeners(): Listeners {
    const list = (name: keyof NodePlan['ports'], host: string) =>
      this.nodes.map(({ ports }) => `${host}:${ports[name]}`).join(',')
    return {
      plaintext: list('plaintext', '127.0.0.1'),
      sasl: list('sasl', '127.0.0.1'),
      tls: list('tls', 'localhost'),
      saslTls: list('saslTls', 'localhost'),
    }
  }

  /** Keys of the TLS listeners; throws unless started with `security`. */
  get certificates(): Certificates {
    if (!this.plan?.security) throw new Error('this cluster has no TLS: start it with { security: true }')
    return this.plan.security
  }

  get nodes(): readonly NodePlan[] {
    return this.plan?.nodes ?? []
  }

  /** What the cluster said of itself when it became ready. */
  get probe(): Probe {
    if (!this.facts) throw new Error('the cluster is not ready')
    return this.facts
  }

  /** Ends one node: `SIGTERM` hands its partitions over first, `SIGKILL` is a crash. Resolves when the process is gone. */
  async stopNode(nodeId: number, signal: 'SIGTERM' | 'SIGKILL' = 'SIGKILL'): Promise<void> {
    await this.child(nodeId).end(signal === 'SIGKILL' ? 0 : 30_000)
    this.running.delete(nodeId)
  }

  /** Freezes a node: its sockets stay open and nothing answers. */
  pauseNode(nodeId: number): void {
    this.child(nodeId).signal('SIGSTOP')
  }

  resumeNode(nodeId: number): void {
    this.child(nodeId).signal('SIGCONT')
  }

  /** Starts a stopped node again, with its data and port. Resolves when it answers. */
  async startNode(nodeId: number): Promise<void> {
    const node = this.nodes.find(candidate => candidate.nodeId === nodeId)
    if (!node) throw new Error(`there is no node ${nodeId}`)
    const child = await this.spawnNode(node)
    await untilReady([{ host: '127.0.0.1', port: node.ports.plaintext }], {
      nodes: 1,
      timeoutMs: this.startTimeoutMs,
      dead: child.exited,
    })
  }

  /** Kills every node by its pid. Data and logs go, unless `keepLogs`: then the folder stays, and its name is `directory`. */
  async close({ keepLogs = false, graceMs = 0 }: { keepLogs?: boolean; graceMs?: number } = {}): Promise<void> {
    for (const child of this.running.values()) child.signal('SIGCONT')
    await Promise.all([...this.running.values()].map(child => child.end(graceMs)))
    await this.zookeeper?.end(0)
    this.running.clear()
    this.zookeeper = undefined
    if (!keepLogs) rmSync(this.directory, { recursive: true, force: true })
    else for (const { nodeId } of this.nodes) rmSync(this.dataDirectory(nodeId), { recursive: true, force: true })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The last lines of every node's log. */
  logTail(lines = 25): string {
    return this.nodes
      .map(({ nodeId }) => `--- node ${nodeId}\n${tail(this.logFile(nodeId), lines)}`)
      .concat(this.isZookeeper ? [`--- zookeeper\n${tail(join(this.directory, 'zookeeper.log'), lines)}`] : [])
      .join('\n')
  }

  private get isZookeeper(): boolean {
    return kafkaReleases[this.version].mode === 'zookeeper'
  }

  private get major(): number {
    return Number(this.version.split('.')[0])
  }

  private child(nodeId: number): Child {
    const child = this.running.get(nodeId)
    if (!child) throw new Error(`node ${nodeId} does not run`)
    return child
  }

  private dataDirectory(nodeId: number): string {
    return join(this.directory, `data-${nodeId}`)
  }

  private logFile(nodeId: number): string {
    return join(this.directory, `node-${nodeId}.log`)
  }

  private propertiesFile(nodeId: number): string {
    return join(this.directory, `node-${nodeId}.properties`)
  }

  private async launch(): Promise<void> {
    if (this.wantsSecurity && this.isZookeeper) throw new Error('the harness sets up SASL and TLS on KRaft releases only')
    const [security, ports] = await Promise.all([
      this.wantsSecurity ? makeCertificates(join(this.directory, 'tls')) : undefined,
      freePorts(5 * this.count + 1),
    ])
    const nodes = Array.from({ length: this.count }, (_, i): NodePlan => {
      const [plaintext, controller, sasl, tls, saslTls] = ports.slice(5 * i, 5 * i + 5) as [
        number,
        number,
        number,
        number,
        number,
      ]
      return { nodeId: i + 1, ports: { plaintext, controller, sasl, tls, saslTls } }
    })
    const plan: ClusterPlan = { nodes, security, config: this.config }
    this.plan = plan
    writeFileSync(join(this.directory, 'log4j.properties'), log4jProperties)
    if (this.isZookeeper) await this.prepareZookeeper(plan, ports.at(-1)!)
    else await this.prepareKraft(plan)
    const children = await Promise.all(nodes.map(node => this.spawnNode(node)))
    this.facts = await untilReady(
      nodes.map(({ ports: { plaintext } }) => ({ host: '127.0.0.1', port: plaintext })),
      { nodes: nodes.length, timeoutMs: this.startTimeoutMs, dead: Promise.race(children.map(child => child.exited)) },
    )
  }

  private async prepareKraft(plan: ClusterPlan): Promise<void> {
    // Kafka refuses a cluster id that starts with a dash, which base64url may.
    const clusterId = `k${randomBytes(16).toString('base64url').slice(1)}`
    await Promise.all(
      plan.nodes.map(async node => {
        const file = this.propertiesFile(node.nodeId)
        writeFileSync(file, kraftProperties(plan, node, this.dataDirectory(node.nodeId), this.major))
        const scram = Object.entries(saslUsers).flatMap(([name, password]) =>
          ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
            '--add-scram',
            `${mechanism}=[name=${name},password=${password}]`,
          ]),
        )
        const args = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file, ...(plan.security ? scram : [])]
        await promisify(execFile)('java', [...(await this.jvmFlags('warn')), ...args])
      }),
    )
  }

  private async prepareZookeeper(plan: ClusterPlan, port: number): Promise<void> {
    const data = join(this.directory, 'zookeeper')
    mkdirSync(data)
    const file = join(this.directory, 'zookeeper.properties')
    writeFileSync(file, zookeeperProperties(data, port))
    for (const node of plan.nodes)
      writeFileSync(
        this.propertiesFile(node.nodeId),
        zookeeperBrokerProperties(plan, node, this.dataDirectory(node.nodeId), port),
      )
    this.zookeeper = new Child({
      command: 'java',
      // ZooKeeper's log4j beans do not register with reload4j's classes: it would end at start.
      args: [
        ...(await this.jvmFlags('info')),
        '-Dzookeeper.jmx.log4j.disable=true',
        'org.apache.zookeeper.server.quorum.QuorumPeerMain',
        file,
      ],
      logFile: join(this.directory, 'zookeeper.log'),
      directory: this.directory,
    })
  }

  private async spawnNode(node: NodePlan): Promise<Child> {
    const child = new Child({
      command: 'java',
      args: [...(await this.jvmFlags('info')), 'kafka.Kafka', this.propertiesFile(node.nodeId)],
      logFile: this.logFile(node.nodeId),
      directory: this.directory,
    })
    this.running.set(node.nodeId, child)
    return child
  }

  private async jvmFlags(logLevel: 'info' | 'warn'): Promise<string[]> {
    return [
      '-Xms256m',
      '-Xmx512m',
      '-XX:ActiveProcessorCount=2',
      '-XX:+UseG1GC',
      '-Djava.awt.headless=true',
      `-Dorg.slf4j.simpleLogger.defaultLogLevel=${logLevel}`,
      '-Dorg.slf4j.simpleLogger.showDateTime=true',
      `-Dlog4j.configuration=file:${join(this.directory, 'log4j.properties')}`,
      '-Dzookeeper.sasl.client=false',
      ...Object.entries(this.systemProperties).map(([name, value]) => `-D${name}=${value}`),
      '-cp',
      [await javaClasspath(this.version), ...this.classpath].join(delimiter),
    ]
  }
}

function tail(file: string, lines: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return '(no log)'
  }
}
