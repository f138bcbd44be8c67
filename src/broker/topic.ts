import { PartitionLog } from './log/partition-log.ts'

/** One partition: who leads it, and its log, which all replicas share. */
export class Partition {
  readonly topic: Topic
  readonly index: number
  readonly log = new PartitionLog()
  replicas: readonly number[]
  /** -1 while no replica is up. */
  leaderId: number
  leaderEpoch = 0

  constructor(topic: Topic, index: number, replicas: readonly number[]) {
    this.topic = topic
    this.index = index
    this.replicas = replicas
    this.leaderId = replicas[0] ?? -1
    this.log.epochs.assign(0, 0n)
  }

  /** Hands the partition to a node; each hand-over is a new epoch (KIP-320). */
  lead(nodeId: number): void {
    if (nodeId === this.leaderId) return
    this.leaderId = nodeId
    this.bumpEpoch()
  }

  bumpEpoch(): void {
    this.leaderEpoch++
    this.log.epochs.assign(this.leaderEpoch, this.log.endOffset)
    // Fetches that wait here have to learn of it.
    this.log.changed()
  }
}

export class Topic {
  readonly name: string
  /** KIP-516: a topic created again under the same name has another one. */
  readonly id: string
  readonly partitions: Partition[] = []
  readonly configs: Map<string, string>
  deleted = false

  constructor(name: string, id: string, configs: Iterable<readonly [string, string]>) {
    this.name = name
    this.id = id
    this.configs = new Map(configs)
  }

  get isInternal(): boolean {
    return this.name === '__consumer_offsets' || this.name === '__transaction_state'
  }
}

/** Kafka's rule: 1 to 249 of these characters, but neither `.` nor `..`. */
export const isTopicName = (name: string): boolean => /^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..'

/** A broken client must not make us allocate without bound; Kafka's controller refuses more at once as well. */
export const MOST_PARTITIONS = 10_000
