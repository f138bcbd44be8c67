import { KafkaError } from '../errors.ts'
import { type Api, NO_UUID } from '../protocol/schema.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Logger } from '../util/logger.ts'
import { Groups } from './groups/groups.ts'
import { Interceptors } from './intercept.ts'
import type { BrokerNode } from './node.ts'
import type { BrokerOptions } from './options.ts'
import { Settings } from './settings.ts'
import { isTopicName, Partition, Topic } from './topic.ts'
import { Transactions } from './transactions/transactions.ts'

export type CoordinatorKind = 'group' | 'transaction' | 'share'

/** All that the nodes of one cluster share: topics and their logs, who leads what, producer ids. */
export class Cluster {
  readonly clusterId: string
  readonly options: BrokerOptions
  readonly settings: Settings
  readonly runtime: Runtime
  readonly logger: Logger
  readonly nodes = new Map<number, BrokerNode>()
  readonly interceptors = new Interceptors()
  readonly groups: Groups
  readonly transactions: Transactions
  private readonly throttles = new Map<number, number>()
  private readonly topicsByName = new Map<string, Topic>()
  private readonly topicsById = new Map<string, Topic>()
  private readonly coordinators = new Map<string, number>()
  private readonly listeners = new Set<(topic: Topic) => void>()
  private nextProducerId = 0n
  private nextReplica = 0

  constructor(options: BrokerOptions, runtime: Runtime, logger: Logger) {
    this.options = options
    this.runtime = runtime
    this.logger = logger
    this.groups = new Groups(this)
    this.transactions = new Transactions(this)
    this.clusterId = options.clusterId ?? this.newUuid()
    this.settings = new Settings(options.config, {
      'auto.create.topics.enable': String(options.autoCreateTopics),
      'connections.max.reauth.ms': String(options.sasl?.maxReauthMs ?? 0),
      'default.replication.factor': String(Math.min(3, options.nodes)),
      'num.partitions': String(options.defaultPartitions),
    })
  }

  // ---- nodes

  /** Nodes that are up, by ascending id. */
  liveNodes(): BrokerNode[] {
    return [...this.nodes.values()].filter(node => node.state === 'up' || node.state === 'frozen')
  }

  isLive(nodeId: number): boolean {
    const state = this.nodes.get(nodeId)?.state
    return state === 'up' || state === 'frozen'
  }

  /** The node that clients are told is the controller: the first that is up. */
  get controllerId(): number {
    return this.liveNodes()[0]?.id ?? -1
  }

  /** Hands over what a node led, because it went down, or what nobody led, because one came up. */
  electLeaders(): void {
    for (const topic of this.topics()) {
      for (const partition of topic.partitions) {
        if (this.isLive(partition.leaderId)) continue
        partition.lead(partition.replicas.find(replica => this.isLive(replica)) ?? -1)
      }
    }
  }

  inSyncReplicas(partition: Partition): number[] {
    return partition.replicas.filter(replica => this.isLive(replica))
  }

  /** The live node that coordinates a group, transactional id or share partition; undefined when none is up. */
  coordinatorOf(kind: CoordinatorKind, key: string): BrokerNode | undefined {
    const live = this.liveNodes()
    const moved = live.find(node => node.id === this.coordinators.get(`${kind}:${key}`))
    return moved ?? live[javaHash(key) % live.length]
  }

  moveCoordinator(kind: CoordinatorKind, key: string, nodeId: number): void {
    if (kind === 'group') this.groups.detach(({ id }) => id === key)
    this.coordinators.set(`${kind}:${key}`, nodeId)
  }

  // ---- faults

  /** Makes the answers of an API carry a throttle time, during which its connection is not read. 0 ends it. */
  throttle(api: Api, ms: number): void {
    if (ms > 0) this.throttles.set(api.key, ms)
    else this.throttles.delete(api.key)
  }

  throttleMs(api: Api): number {
    return this.throttles.get(api.key) ?? 0
  }

  // ---- topics

  topics(): Topic[] {
    return [...this.topicsByName.values()]
  }
  topic(name: string): Topic | undefined {
    return this.topicsByName.get(name)
  }
  topicById(id: string): Topic | undefined {
    return this.topicsById.get(id)
  }

  /** By id where the request has one (KIP-516), by name otherwise. */
  topicOf({ name, topicId }: { readonly name: string; readonly topicId: string }): Topic | undefined {
    return topicId === NO_UUID ? this.topic(name) : this.topicById(topicId)
  }

  partition(topic: string, index: number): Partition | undefined {
    return this.topic(topic)?.partitions[index]
  }

  /** Creates a topic whose name is valid and free. `assignments` gives the replicas of each partition, leader first. */
  createTopic(
    name: string,
    {
      partitions = this.settings.number('num.partitions'),
      replicationFactor = this.settings.number('default.replication.factor'),
      configs = [],
      assignments,
    }: {
      readonly partitions?: number | undefined
      readonly replicationFactor?: number | undefined
      readonly configs?: Iterable<readonly [string, string]> | undefined
      readonly assignments?: readonly (readonly number[])[] | undefined
    } = {},
  ): Topic {
    if (!isTopicName(name))
      throw new KafkaError('ERR_INVALID_ARGUMENT', `${JSON.stringify(name)} is no topic name: use 1 to 249 of a-z A-Z 0-9 . _ -`)
    if (this.topicsByName.has(name))
      throw new KafkaError('ERR_INVALID_ARGUMENT', `topic ${name} exists already: choose another name or delete it first`)
    const topic = new Topic(name, this.newUuid(), configs)
    this.addPartitions(topic, assignments ?? this.assign(partitions, replicationFactor))
    this.topicsByName.set(name, topic)
    this.topicsById.set(topic.id, topic)
    return topic
  }

  addPartitions(topic: Topic, assignments: readonly (readonly number[])[]): void {
    for (const replicas of assignments) {
      const partition = new Partition(topic, topic.partitions.length, replicas)
      partition.leaderId = replicas.find(replica => this.isLive(replica)) ?? -1
      topic.partitions.push(partition)
    }
  }

  /** Replicas for new partitions, spread round robin over the nodes. */
  assign(partitions: number, replicationFactor: number): number[][] {
    const ids = [...this.nodes.keys()]
    return Array.from({ length: partitions }, () => {
      const first = this.nextReplica++
      return Array.from({ length: Math.min(replicationFactor, ids.length) }, (_, i) => ids[(first + i) % ids.length]!)
    })
  }

  deleteTopic(topic: Topic): void {
    this.topicsByName.delete(topic.name)
    this.topicsById.delete(topic.id)
    topic.deleted = true
    for (const listener of this.listeners) listener(topic)
    for (const partition of topic.partitions) partition.log.changed()
  }

  onTopicDeleted(listener: (topic: Topic) => void): void {
    this.listeners.add(listener)
  }

  // ---- identities

  newProducerId(): bigint {
    return this.nextProducerId++
  }

  /** A random Uuid in Kafka's text form; like Kafka's own, none begins with a dash, which command lines dislike. */
  newUuid(): string {
    for (;;) {
      const bytes = Buffer.from(this.runtime.secureRandom(16))
      bytes[6] = (bytes[6]! & 0x0f) | 0x40
      bytes[8] = (bytes[8]! & 0x3f) | 0x80
      const id = bytes.toString('base64url')
      if (!id.startsWith('-')) return id
    }
  }

  /** A random UUID as Java prints it: member ids end with one. */
  newJavaUuid(): string {
    const hex = Buffer.from(this.newUuid(), 'base64url').toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }
}

/** Java's String.hashCode, made non-negative. */
function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0
  return hash & 0x7fffffff
}
