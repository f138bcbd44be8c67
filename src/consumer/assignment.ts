import { PartitionMap, type TopicPartition } from '../client/partition-map.ts'
import { KafkaError } from '../errors.ts'
import type { Segment } from './batch.ts'
import { FetchedData } from './fetched-data.ts'
import type { OffsetReset } from './options.ts'

/** An offset with the leader epoch of the record before it (-1 unknown), by which a truncated log is noticed (KIP-320). */
export interface Cursor {
  readonly offset: bigint
  readonly leaderEpoch: number
}

/** A batch that is being handed out record by record: the cursors follow from where it stands, at no cost per record. */
export interface Partial {
  readonly segments: readonly Segment[]
  segment: number
  /** Place of the next record within the segment, at least one behind its beginning. */
  index: number
  /** Whether the record before `index` is in the user's hands: it is not done yet. */
  inHand: boolean
  /** The offset after the whole batch. */
  readonly nextOffset: bigint
}

/**
 * One assigned partition. Cursors: `position` (next to hand out), `done` (below it everything is processed), `committed`;
 * and `fetchPosition`, how far reading ahead has got. A change of `version` makes everything fetched before it stale.
 */
export class PartitionState {
  readonly topic: string
  readonly partition: number
  /** Number of the assignment that brought it. */
  readonly epoch: number
  /** A topic that was deleted and made anew has another one, and its old offsets mean nothing (KIP-1319). */
  topicId: string | undefined
  /** False once it is no longer ours. */
  live = true
  version = 0
  paused = false
  /** `run` is at work on it: hand out nothing more for now. */
  busy = false
  /** Records that `run` has handed out and that are not finished. */
  unfinished = 0
  /** Set while the position has to be looked up: `committed` first asks the group. */
  lookup: 'committed' | OffsetReset | undefined
  committed: bigint | undefined
  highWatermark: bigint | undefined
  lastStableOffset: bigint | undefined
  logStartOffset: bigint | undefined
  fetchPosition = 0n
  queue: FetchedData[] = []
  /** Raised by the poll that finds nothing before it. */
  error: Error | undefined
  /** Version whose fetch is under way. */
  fetching = -1
  /** Version for which an extra fetch has found nothing: the regular one will wait for data. */
  triedAside = -1
  /** Epoch of the leader that the position was last checked against (KIP-320). */
  validatedEpoch = -1
  validating = false
  /** On the monotonic clock: no fetch and no lookup before. */
  retryAt = 0
  failures = 0
  /** How often in a row what is at the position could not be read. */
  refusals = 0
  /** Replica to read from instead of the leader (KIP-392). */
  preferred: { readonly nodeId: number; readonly until: number } | undefined
  partial: Partial | undefined
  private whole: Cursor | undefined
  private finished: Cursor | undefined

  constructor({ topic, partition }: TopicPartition, epoch: number, lookup: 'committed' | OffsetReset) {
    this.topic = topic
    this.partition = partition
    this.epoch = epoch
    this.lookup = lookup
  }

  get hasPosition(): boolean {
    return this.whole !== undefined && this.lookup === undefined
  }
  get position(): Cursor | undefined {
    if (!this.partial) return this.whole
    const { segments, segment, index, nextOffset } = this.partial
    const { records, to } = segments[segment]!
    const last = index === to && segment === segments.length - 1
    return { offset: last ? nextOffset : records.offsetAt(index - 1) + 1n, leaderEpoch: records.encoded.partitionLeaderEpoch }
  }
  get done(): Cursor | undefined {
    if (!this.partial) return this.finished
    const { segments, segment, index, inHand } = this.partial
    if (!inHand) return this.position
    const { records } = segments[segment]!
    return { offset: records.offsetAt(index - 1), leaderEpoch: records.encoded.partitionLeaderEpoch }
  }
  /** Whether a commit of what is done would say something new. */
  get isDirty(): boolean {
    const done = this.done
    return done !== undefined && done.offset !== this.committed
  }
  get queuedBytes(): number {
    let sum = 0
    for (const data of this.queue) sum += data.bytesLeft
    return sum
  }

  /** Handed out up to `cursor`. */
  advance(cursor: Cursor): void {
    this.whole = cursor
    this.refusals = 0
  }
  finish(cursor: Cursor): void {
    this.finished = cursor
  }
  /** The user committed `offset`: what was handed out below it is done, or an automatic commit would take the group back. */
  finishTo(offset: bigint): void {
    const { done, position } = this
    if (!done || !position || offset <= done.offset || offset > position.offset) return
    if (this.partial) this.partial.inHand = false
    else this.finish({ offset, leaderEpoch: position.leaderEpoch })
  }

  /** Reads on from here, whatever was fetched. */
  moveTo(cursor: Cursor): void {
    this.discard()
    this.lookup = undefined
    this.whole = this.finished = cursor
    this.validatedEpoch = -1
    this.fetchPosition = cursor.offset
    this.error = undefined
    this.retryAt = this.failures = this.refusals = 0
  }
  /** Reads on from what a lookup will find. */
  lookUp(lookup: 'committed' | OffsetReset): void {
    this.discard()
    this.lookup = lookup
    this.error = undefined
    this.retryAt = this.failures = 0
  }
  /** Forgets what was read ahead; it will be fetched again from the position. */
  refetch(): void {
    const position = this.position
    this.discard()
    if (!position) return
    this.whole = position
    this.fetchPosition = position.offset
  }
  /** Hands the rest of a batch back, to be taken again. Returns whether a record of it is still in the user's hands. */
  putBack(place: Partial, highWatermark: bigint): boolean {
    const { position, done } = this
    this.partial = undefined
    if (!position || !done) return false
    this.whole = position
    this.finished = done
    const rest = place.segments
      .slice(place.segment)
      .map((segment, i) => (i === 0 ? { ...segment, from: place.index } : segment))
      .filter(({ from, to }) => from < to)
    if (rest.length > 0) this.queue.unshift(FetchedData.again(rest, place.nextOffset, highWatermark))
    return place.inHand
  }
  dropped(): void {
    this.live = false
    this.discard()
  }

  private discard(): void {
    this.version++
    this.partial = undefined
    for (const data of this.queue) data.drop()
    this.queue = []
  }
}

/** The partitions that are read at present. */
export class Assignment {
  readonly states = new PartitionMap<PartitionState>()
  /** Goes up with every change. */
  epoch = 0
  private list: PartitionState[] | undefined

  all(): readonly PartitionState[] {
    return (this.list ??= [...this.states.values()])
  }
  partitions(): TopicPartition[] {
    return [...this.states.keys()]
  }
  paused(): TopicPartition[] {
    return this.all()
      .filter(state => state.paused)
      .map(({ topic, partition }) => ({ topic, partition }))
  }

  /** Becomes exactly `partitions`; those in both keep their state. Returns what came and what went. */
  replace(
    partitions: Iterable<TopicPartition>,
    lookup: 'committed' | OffsetReset,
  ): { readonly added: PartitionState[]; readonly removed: PartitionState[] } {
    this.epoch++
    const wanted = new PartitionMap<true>()
    for (const { topic, partition } of partitions) wanted.set(topic, partition, true)
    const removed = this.all().filter(state => !wanted.has(state))
    for (const state of removed) this.states.delete(state)
    const added: PartitionState[] = []
    for (const key of wanted.keys()) {
      if (this.states.has(key)) continue
      const state = new PartitionState(key, this.epoch, lookup)
      this.states.set(key, state)
      added.push(state)
    }
    this.list = undefined
    for (const state of removed) state.dropped()
    return { added, removed }
  }

  /** Throws ERR_ILLEGAL_STATE for a partition that is not assigned. */
  require({ topic, partition }: TopicPartition): PartitionState {
    const state = this.states.get(topic, partition)
    if (state) return state
    throw new KafkaError(
      'ERR_ILLEGAL_STATE',
      `${topic}-${partition} is not assigned to this consumer: assign it, or poll until the group has given it`,
    )
  }
}
