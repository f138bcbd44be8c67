import { PartitionMap } from '../client/partition-map.ts'
import type { Fetch } from '../protocol/apis/01-fetch.ts'
import type { Decoded, Encodable } from '../protocol/schema.ts'
import { NO_UUID } from '../protocol/schema.ts'

/** What to ask of one partition. */
export interface WantedPartition {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly fetchOffset: bigint
  readonly leaderEpoch: number
  readonly maxBytes: number
}

type FetchTopics = NonNullable<Encodable<(typeof Fetch)['request']>['topics']>
type Forgotten = NonNullable<Encodable<(typeof Fetch)['request']>['forgottenTopicsData']>
export interface SessionPart {
  readonly sessionId: number
  readonly sessionEpoch: number
  readonly topics: FetchTopics
  readonly forgottenTopicsData: Forgotten
}

/** Neither opens a session nor belongs to one. */
export const NO_SESSION = { sessionId: 0, sessionEpoch: -1 } as const

/**
 * An incremental fetch session with one broker (KIP-227): after a first full request the broker remembers which
 * partitions are wanted and from where, so that later requests name only what changed.
 */
export class FetchSession {
  private id = 0
  /** 0 asks for a new session. */
  private epoch = 0
  private known = new PartitionMap<WantedPartition>()
  private withIds = false

  /** The next request for exactly these partitions. */
  next(wanted: readonly WantedPartition[]): SessionPart {
    const withIds = wanted.every(partition => partition.topicId !== NO_UUID)
    // A session knows its topics either by name or by id (error 106 otherwise).
    if (withIds !== this.withIds) this.reset()
    this.withIds = withIds
    const before = this.known
    this.known = new PartitionMap()
    for (const partition of wanted) this.known.set(partition, partition)
    if (this.epoch === 0) return { sessionId: this.id, sessionEpoch: 0, topics: byTopic(wanted), forgottenTopicsData: [] }

    const changed = wanted.filter(partition => {
      const old = before.get(partition)
      return (
        !old ||
        old.fetchOffset !== partition.fetchOffset ||
        old.leaderEpoch !== partition.leaderEpoch ||
        old.maxBytes !== partition.maxBytes ||
        old.topicId !== partition.topicId
      )
    })
    const gone: WantedPartition[] = []
    for (const old of before.values()) {
      const now = this.known.get(old)
      if (!now || now.topicId !== old.topicId) gone.push(old)
    }
    return {
      sessionId: this.id,
      sessionEpoch: this.epoch,
      topics: byTopic(changed),
      forgottenTopicsData: forgotten(gone),
    }
  }

  /** The broker answered without a session error. */
  answered({ sessionId }: Decoded<(typeof Fetch)['response']>): void {
    if (sessionId === 0) {
      this.id = 0
      this.epoch = 0
    } else {
      this.id = sessionId
      this.epoch = this.epoch === 0x7fffffff ? 1 : this.epoch + 1
    }
  }

  /** Whether the broker took the request is unknown, or it refused: start over, closing what may be left of the old session. */
  reset(): void {
    this.epoch = 0
  }
  /** The broker knows no such session any more. */
  forget(): void {
    this.id = 0
    this.epoch = 0
  }
}

export function byTopic(partitions: readonly WantedPartition[]): FetchTopics {
  type Topic = { topic: string; topicId: string; partitions: FetchTopics[number]['partitions'][number][] }
  const topics = new Map<string, Topic>()
  for (const { topic, topicId, partition, fetchOffset, leaderEpoch, maxBytes } of partitions) {
    let entry = topics.get(topic)
    if (!entry) topics.set(topic, (entry = { topic, topicId, partitions: [] }))
    entry.partitions.push({ partition, fetchOffset, currentLeaderEpoch: leaderEpoch, partitionMaxBytes: maxBytes })
  }
  return [...topics.values()]
}

function forgotten(partitions: readonly WantedPartition[]): Forgotten {
  const topics = new Map<string, { topic: string; topicId: string; partitions: number[] }>()
  for (const { topic, topicId, partition } of partitions) {
    const key = `${topicId} ${topic}`
    let entry = topics.get(key)
    if (!entry) topics.set(key, (entry = { topic, topicId, partitions: [] }))
    entry.partitions.push(partition)
  }
  return [...topics.values()]
}
