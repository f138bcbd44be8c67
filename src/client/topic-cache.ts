import { ErrorCode } from '../protocol/error-codes.ts'
import { NO_UUID } from '../protocol/schema.ts'

export interface PartitionMetadata {
  readonly partition: number
  /** -1 while there is no leader. */
  readonly leaderId: number
  /** -1 where the broker is too old to tell one that can be relied on (before 2.4: KAFKA-9212). */
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
  readonly errorCode: number
}

export interface TopicMetadata {
  readonly name: string
  /** All zero ('AAAAAAAAAAAAAAAAAAAAAA') where the broker is too old to tell (before 2.8). */
  readonly topicId: string
  readonly isInternal: boolean
  readonly errorCode: number
  /** Index = partition. */
  readonly partitions: readonly PartitionMetadata[]
}

export interface Leader {
  readonly leaderId: number
  readonly leaderEpoch: number
}

interface AnsweredTopic {
  readonly errorCode: number
  readonly name: string | null
  readonly topicId: string
  readonly isInternal: boolean
  readonly partitions: readonly {
    readonly errorCode: number
    readonly partitionIndex: number
    readonly leaderId: number
    readonly leaderEpoch: number
    readonly replicaNodes: readonly number[]
    readonly isrNodes: readonly number[]
    readonly offlineReplicas: readonly number[]
  }[]
}

interface Entry {
  topic: TopicMetadata
  lastUsed: number
  /** Answers in a row that did not know it: one of a broker that lags behind does not make a topic vanish. */
  unknownAnswers: number
  /** Answers in a row that could be those of a broker that lags behind, or of a topic that was deleted and created again. */
  outdatedAnswers: number
}

const FORGET_AFTER_UNKNOWN_ANSWERS = 3
const RECREATED_AFTER_OUTDATED_ANSWERS = 3
const MAX_ASKED = 100_000
/** Partitions that an answer may leave out below those it names. */
const MAX_LEFT_OUT = 16

/** The topics of the metadata: answers are merged in, and an older answer never replaces a newer one. */
export class TopicCache {
  private readonly topics = new Map<string, Entry>()
  private readonly names = new Map<string, string>()
  private readonly everAsked = new Set<string>()

  topic(name: string, now: number): TopicMetadata | undefined {
    const entry = this.topics.get(name)
    if (entry) entry.lastUsed = now
    return entry?.topic
  }

  topicById(id: string, now: number): TopicMetadata | undefined {
    const name = this.names.get(id)
    return name === undefined ? undefined : this.topic(name, now)
  }

  all(): TopicMetadata[] {
    return Array.from(this.topics.values(), entry => entry.topic)
  }

  wasAsked(name: string): boolean {
    return this.everAsked.has(name)
  }

  asked(name: string): void {
    // Names that do not exist are in no other list: an endless supply of them must not fill the memory.
    if (this.everAsked.size >= MAX_ASKED) this.everAsked.clear()
    this.everAsked.add(name)
  }

  /** Names used since `since`; the others are forgotten. */
  wanted(since: number): string[] {
    for (const [name, entry] of this.topics) if (entry.lastUsed < since) this.forget(name)
    return [...this.topics.keys()]
  }

  clear(): void {
    this.topics.clear()
    this.names.clear()
  }

  private forget(name: string): void {
    const entry = this.topics.get(name)
    if (!entry) return
    this.topics.delete(name)
    this.everAsked.delete(name)
    if (this.names.get(entry.topic.topicId) === name) this.names.delete(entry.topic.topicId)
  }

  /** Takes in an answer; returns the error code of each topic that was asked for. With `everything`, what it lacks is gone. */
  merge(answer: readonly AnsweredTopic[], asked: ReadonlySet<string>, everything: boolean, now: number): Map<string, number> {
    const codes = new Map<string, number>()
    for (const topic of answer) {
      if (topic.topicId !== NO_UUID) codes.set(topic.topicId, topic.errorCode)
      if (topic.name === null) continue
      codes.set(topic.name, topic.errorCode)
      if (topic.errorCode === ErrorCode.NONE) this.put(topic, topic.name, now)
      else if (topic.errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) this.unknown(topic.name)
    }
    for (const name of asked) if (!codes.has(name)) codes.set(name, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    if (everything) for (const name of this.topics.keys()) if (!codes.has(name)) this.unknown(name)
    return codes
  }

  private unknown(name: string): void {
    const entry = this.topics.get(name)
    if (entry && ++entry.unknownAnswers >= FORGET_AFTER_UNKNOWN_ANSWERS) this.forget(name)
  }

  private put(answer: AnsweredTopic, name: string, now: number): void {
    const before = this.topics.get(name)
    const outdatedAnswers = before && isOutdated(answer, before.topic) ? before.outdatedAnswers + 1 : 0
    const hasOtherId = before !== undefined && before.topic.topicId !== answer.topicId && answer.topicId !== NO_UUID
    const recreated = hasOtherId || outdatedAnswers >= RECREATED_AFTER_OUTDATED_ANSWERS
    const known = recreated ? undefined : before?.topic
    const partitions: PartitionMetadata[] = known ? [...known.partitions] : []
    // Partitions are numbered from 0 on, without gaps: an index far beyond those known or named would only size the array.
    const limit = partitions.length + answer.partitions.length + MAX_LEFT_OUT
    for (const partition of answer.partitions) {
      if (partition.partitionIndex < 0 || partition.partitionIndex >= limit) continue
      const old = known?.partitions[partition.partitionIndex]
      // KIP-320: a broker that lags behind must not bring back a deposed leader.
      if (old && partition.leaderEpoch >= 0 && partition.leaderEpoch < old.leaderEpoch) continue
      partitions[partition.partitionIndex] = {
        partition: partition.partitionIndex,
        leaderId: partition.leaderId,
        leaderEpoch: partition.leaderEpoch,
        replicas: partition.replicaNodes,
        isr: partition.isrNodes,
        offlineReplicas: partition.offlineReplicas,
        errorCode: partition.errorCode,
      }
    }
    // An answer may leave partitions out that it should have named; the array has no holes all the same.
    for (let index = 0; index < partitions.length; index++) partitions[index] ??= absent(index)
    if (recreated && before && this.names.get(before.topic.topicId) === name) this.names.delete(before.topic.topicId)
    const topicId = answer.topicId === NO_UUID ? (known?.topicId ?? NO_UUID) : answer.topicId
    const topic: TopicMetadata = { name, topicId, isInternal: answer.isInternal, errorCode: answer.errorCode, partitions }
    const lastUsed = before?.lastUsed ?? now
    this.topics.set(name, { topic, lastUsed, unknownAnswers: 0, outdatedAnswers: recreated ? 0 : outdatedAnswers })
    if (topicId !== NO_UUID) this.names.set(topicId, name)
  }

  /** Whether a leader of this epoch would be news about the partition. */
  isNews(name: string, partition: number, { leaderEpoch }: Leader): boolean {
    const known = this.topics.get(name)?.topic.partitions[partition]
    return known !== undefined && leaderEpoch > known.leaderEpoch
  }

  /** Takes in the leader of a partition, if that is news. */
  hint(name: string, partition: number, leader: Leader): void {
    const entry = this.topics.get(name)
    const known = entry?.topic.partitions[partition]
    if (!entry || !known || !this.isNews(name, partition, leader)) return
    const partitions = [...entry.topic.partitions]
    partitions[partition] = { ...known, ...leader, errorCode: ErrorCode.NONE }
    entry.topic = { ...entry.topic, partitions }
    entry.outdatedAnswers = 0
  }
}

/** Whether it tells of fewer partitions or of earlier leaders than are known. Topic ids, where there are any, tell topics apart. */
function isOutdated(answer: AnsweredTopic, known: TopicMetadata): boolean {
  if (known.topicId !== NO_UUID || answer.topicId !== NO_UUID) return false
  if (answer.partitions.length < known.partitions.length) return true
  return answer.partitions.some(({ partitionIndex, leaderEpoch }) => {
    const old = known.partitions[partitionIndex]
    return old !== undefined && leaderEpoch >= 0 && leaderEpoch < old.leaderEpoch
  })
}

const absent = (partition: number): PartitionMetadata => ({
  partition,
  leaderId: -1,
  leaderEpoch: -1,
  replicas: [],
  isr: [],
  offlineReplicas: [],
  errorCode: ErrorCode.LEADER_NOT_AVAILABLE,
})
