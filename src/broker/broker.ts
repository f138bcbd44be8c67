import { KafkaError } from '../errors.ts'
import type { Api } from '../protocol/schema.ts'
import { nodeRuntime } from '../runtime/node.ts'
import { addressText } from '../util/address.ts'
import { type Logger, silent } from '../util/logger.ts'
import { parseOptions } from '../util/options.ts'
import { appendVerbatim } from './append.ts'
import { Cluster } from './cluster.ts'
import type { GroupState } from './groups/state.ts'
import type { InterceptOptions, Interceptor } from './intercept.ts'
import { type CompactOptions, compact } from './log/compaction.ts'
import { type BrokerRecord, storedRecords } from './log/stored-records.ts'
import { BrokerNode } from './node.ts'
import { type BrokerOptionsInput, brokerOptions } from './options.ts'
import type { Partition, Topic } from './topic.ts'

/**
 * Starts a Kafka cluster inside this process: in memory, for tests and local work. Every node listens on its own port once the
 * promise resolves. See `brokerOptions` for the options.
 * @throws ConfigError; what the network says when a port is taken.
 */
export async function startBroker(options: BrokerOptionsInput = {}): Promise<Broker> {
  const parsed = parseOptions(brokerOptions, options)
  const logger: Logger = parsed.logger ?? silent
  const cluster = new Cluster(parsed, parsed.runtime ?? nodeRuntime, logger)
  for (let id = 1; id <= parsed.nodes; id++) {
    cluster.nodes.set(id, new BrokerNode(cluster, id, parsed.port === 0 ? 0 : parsed.port + id - 1))
  }
  const broker = new Broker(cluster)
  try {
    for (const node of cluster.nodes.values()) await node.start()
    for (const [name, partitions] of Object.entries(parsed.topics)) cluster.createTopic(name, { partitions })
  } catch (error) {
    await broker.close()
    throw error
  }
  return broker
}

/** A running cluster, and what a test does to it. */
export class Broker implements AsyncDisposable {
  /** For whoever extends the broker; not covered by any promise of stability. */
  readonly cluster: Cluster

  /** Use `startBroker`. */
  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  /** `host:port` of each node, comma separated. */
  get bootstrapServers(): string {
    return [...this.cluster.nodes.values()].map(({ endpoint }) => addressText(endpoint)).join(',')
  }

  get clusterId(): string {
    return this.cluster.clusterId
  }

  /** Ids of all nodes, up or down. */
  get nodeIds(): number[] {
    return [...this.cluster.nodes.keys()]
  }

  /** Stops all nodes and cuts all connections. */
  async close(): Promise<void> {
    this.cluster.groups.close()
    this.cluster.transactions.close()
    await Promise.all([...this.cluster.nodes.values()].map(node => node.stop()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  // ---- topics

  /** Creates a topic. Throws KafkaError ERR_INVALID_ARGUMENT when the name is taken or invalid. */
  createTopic(name: string, partitions?: number, configs: Readonly<Record<string, string>> = {}): void {
    this.cluster.createTopic(name, { partitions, configs: Object.entries(configs) })
  }

  /** Deletes a topic, its records and what groups committed for it. Created again, it has another id. */
  deleteTopic(name: string): void {
    this.cluster.deleteTopic(this.topic(name))
  }

  /** Adds `count` partitions to those that a topic has. */
  addPartitions(name: string, count: number): void {
    const topic = this.topic(name)
    this.cluster.addPartitions(topic, this.cluster.assign(count, topic.partitions[0]?.replicas.length ?? 1))
  }

  /** Where a partition stands. */
  partition(topic: string, partition: number): PartitionState {
    const { leaderId, leaderEpoch, replicas, log, topic: owner } = this.partitionOf(topic, partition)
    const { logStartOffset, highWatermark, lastStableOffset, endOffset, sizeBytes } = log
    return {
      topicId: owner.id,
      leaderId,
      leaderEpoch,
      replicas,
      logStartOffset,
      highWatermark,
      lastStableOffset,
      endOffset,
      sizeBytes,
    }
  }

  /**
   * Appends bytes to a partition as they are: damaged batches, control batches, gaps. Batches that can be read get the next
   * offsets, or keep their own with `keepOffsets` where those are ahead of the log; unreadable bytes take one offset.
   */
  async appendRaw(
    topic: string,
    partition: number,
    bytes: Uint8Array,
    options: { readonly keepOffsets?: boolean } = {},
  ): Promise<void> {
    const copy = Buffer.from(bytes)
    await appendVerbatim(this.partitionOf(topic, partition), copy, options.keepOffsets ?? false)
  }

  /** All records of a partition that can be read, oldest first: for asserts. Control records are left out. */
  records(topic: string, partition: number): Promise<BrokerRecord[]> {
    return storedRecords(this.partitionOf(topic, partition).log)
  }

  /** Keeps the last record of each key only, leaving gaps and perhaps empty batches. */
  compact(topic: string, partition: number, options: CompactOptions = {}): Promise<void> {
    return compact(this.partitionOf(topic, partition).log, options)
  }

  /** Drops the records below an offset, as retention does. */
  deleteRecords(topic: string, partition: number, beforeOffset: bigint): void {
    const { log } = this.partitionOf(topic, partition)
    log.deleteBefore(beforeOffset)
    log.changed()
  }

  /** Drops the batches that end at or after an offset, as an unclean leader election does. The leader epoch rises. */
  truncate(topic: string, partition: number, offset: bigint): void {
    const target = this.partitionOf(topic, partition)
    target.log.truncateTo(offset)
    target.bumpEpoch()
  }

  /** Lets an empty partition begin at an offset, however large. */
  startAt(topic: string, partition: number, offset: bigint): void {
    const { log } = this.partitionOf(topic, partition)
    if (log.sizeBytes > 0) throw new KafkaError('ERR_ILLEGAL_STATE', `${topic}-${partition} holds records: use a new topic`)
    log.startAt(offset)
  }

  /** Keeps records from `offset` on unreadable, as replicas that lag behind do; undefined lets go. */
  holdHighWatermark(topic: string, partition: number, offset: bigint | undefined): void {
    this.partitionOf(topic, partition).log.holdHighWatermark(offset)
  }

  // ---- faults

  /**
   * Sees the requests of one API before the broker does, and may answer them itself; see `Interception`. The interceptor that
   * was registered last is asked first. Returns how to remove it.
   */
  intercept<A extends Api>(api: A, interceptor: Interceptor<A>, options?: InterceptOptions): () => void {
    return this.cluster.interceptors.add(api, interceptor, options)
  }

  /** Makes the answers of an API carry a throttle time, during which their connection is not read (KIP-219). 0 ends it. */
  throttle(api: Api, ms: number): void {
    this.cluster.throttle(api, ms)
  }

  /** Makes a node the leader; it becomes a replica if it was none. The leader epoch rises. */
  moveLeader(topic: string, partition: number, nodeId: number): void {
    this.node(nodeId)
    const target = this.partitionOf(topic, partition)
    if (!target.replicas.includes(nodeId)) target.replicas = [nodeId, ...target.replicas.slice(1)]
    target.lead(nodeId)
  }

  /** Makes a node the coordinator of a group (or of a transactional id); the old one answers NOT_COORDINATOR from now on. */
  moveCoordinator(key: string, nodeId: number, kind: 'group' | 'transaction' = 'group'): void {
    this.node(nodeId)
    this.cluster.moveCoordinator(kind, key, nodeId)
  }

  /** Id of the node that coordinates a group (or a transactional id); undefined while no node is up. */
  coordinatorOf(key: string, kind: 'group' | 'transaction' = 'group'): number | undefined {
    return this.cluster.coordinatorOf(kind, key)?.id
  }

  /** Kills a node: connections are cut, its partitions get other leaders among their replicas, its groups other coordinators. */
  async stopNode(nodeId: number): Promise<void> {
    const node = this.node(nodeId)
    this.cluster.groups.detach(({ id }) => this.cluster.coordinatorOf('group', id) === node)
    const stopped = node.stop()
    this.cluster.electLeaders()
    await stopped
  }

  /** Starts a stopped node again, on the same port. */
  async startNode(nodeId: number): Promise<void> {
    await this.node(nodeId).start()
    this.cluster.electLeaders()
  }

  /** Stops a node as SIGSTOP would: connections stay open, new ones are accepted, nothing is answered until `thawNode`. */
  freezeNode(nodeId: number): void {
    this.node(nodeId).freeze()
  }

  /** Lets a frozen node go on, with all that has piled up. */
  thawNode(nodeId: number): void {
    this.node(nodeId).thaw()
  }

  /** Cuts all connections to a node, or to all nodes. */
  dropConnections(nodeId?: number): void {
    for (const node of nodeId === undefined ? this.cluster.nodes.values() : [this.node(nodeId)]) node.dropConnections()
  }

  /** Where a group stands, or undefined if the coordinator has never heard of it. */
  group(groupId: string): GroupInfo | undefined {
    const group = this.cluster.groups.get(groupId)
    return (
      group && {
        state: group.state,
        generationId: group.generationId,
        protocolName: group.protocolName,
        leader: group.leader,
        members: group.list().map(({ id, instanceId, clientId }) => ({ id, instanceId, clientId })),
      }
    )
  }

  /** What a group has committed for a partition. */
  committed(groupId: string, topic: string, partition: number): bigint | undefined {
    return this.cluster.groups.get(groupId)?.offsets.get(topic, partition)?.offset
  }

  private node(id: number): BrokerNode {
    const node = this.cluster.nodes.get(id)
    if (!node) throw new KafkaError('ERR_INVALID_ARGUMENT', `there is no node ${id}: use one of ${this.nodeIds.join(', ')}`)
    return node
  }

  private topic(name: string): Topic {
    const topic = this.cluster.topic(name)
    if (!topic) throw new KafkaError('ERR_INVALID_ARGUMENT', `there is no topic ${name}: create it first`)
    return topic
  }

  private partitionOf(topic: string, index: number): Partition {
    const partition = this.topic(topic).partitions[index]
    if (!partition) throw new KafkaError('ERR_INVALID_ARGUMENT', `topic ${topic} has no partition ${index}`)
    return partition
  }
}

export interface PartitionState {
  readonly topicId: string
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly logStartOffset: bigint
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly endOffset: bigint
  readonly sizeBytes: number
}

export interface GroupInfo {
  readonly state: GroupState
  readonly generationId: number
  readonly protocolName: string | null
  readonly leader: string | null
  readonly members: readonly { readonly id: string; readonly instanceId: string | null; readonly clientId: string }[]
}
