import type { Client } from '../client/client.ts'
import type { TopicPartition } from '../client/partition-map.ts'
import { FencedError } from '../errors.ts'
import { NO_UUID } from '../protocol/schema.ts'
import type { Assignment, PartitionState } from './assignment.ts'
import type { Commits } from './commits.ts'
import { assignedPartitions, type Membership } from './group/membership.ts'
import type { ConsumerOptions } from './options.ts'
import type { Subscription } from './subscription.ts'

/**
 * Takes changes of the assignment over, inside the user's poll: what is done is committed and the listener told before
 * anything goes, and the listener is told before anything new is read.
 */
export class Rebalance {
  private readonly client: Client
  private readonly options: ConsumerOptions
  private readonly subscription: Subscription
  private readonly assignment: Assignment
  private readonly membership: Membership | undefined
  private readonly commits: Commits | undefined
  private readonly report: (error: Error) => void
  private raised: Error | undefined
  /** Called before partitions go: `run` aborts and awaits its handlers. */
  beforeRevoke: ((states: readonly PartitionState[]) => Promise<void>) | undefined

  constructor(
    client: Client,
    options: ConsumerOptions,
    subscription: Subscription,
    assignment: Assignment,
    membership: Membership | undefined,
    commits: Commits | undefined,
    report: (error: Error) => void,
  ) {
    this.client = client
    this.options = options
    this.subscription = subscription
    this.assignment = assignment
    this.membership = membership
    this.commits = commits
    this.report = report
  }

  /** Undefined, without a promise, when there is nothing to do. Rejects with the listener's error, or the group's. */
  step(): Promise<void> | undefined {
    const { subscription } = this
    if (subscription.kind === 'none' || subscription.kind === 'manual') return undefined
    if (!this.membership) {
      this.readAll()
      return undefined
    }
    const { member } = this.membership
    member.polled(this.client.runtime.clock.monotonic())
    switch (member.state) {
      case 'joining':
      case 'assigning':
      case 'syncing':
        return undefined
      case 'stable':
        return member.rejoinReason === undefined && !member.assignment ? undefined : this.inGroup(this.membership)
      default:
        return this.outsideGroup(this.membership)
    }
  }

  private async inGroup(membership: Membership): Promise<void> {
    const { member } = membership
    if (member.wantsRejoin) {
      // An assignment that was not taken over yet is out of date already.
      member.takeAssignment()
      try {
        await this.revoke()
      } finally {
        // The listener may have taken too long, and the group may be lost by now.
        if (member.state === 'stable') member.rejoin()
        membership.pump()
      }
      return
    }
    const bytes = member.takeAssignment()
    if (!bytes) return
    const wanted = this.subscription.topics() ?? []
    const partitions = assignedPartitions(bytes).filter(({ topic }) => wanted.includes(topic))
    const { added } = this.assignment.replace(partitions, 'committed')
    this.rememberTopics(added)
    this.client.logger.info({ partitions: partitions.length, generation: member.generationId }, 'partitions assigned')
    await this.subscription.listener.onAssigned?.(partitions)
  }

  private async outsideGroup(membership: Membership): Promise<void> {
    const { member } = membership
    if (member.state === 'lost') await this.lose()
    if (member.state === 'failed' && member.failure) {
      await this.lose()
      // Once fenced, always fenced: somebody else runs under our name. Anything else is tried again by the next poll.
      if (this.raised !== member.failure || member.failure instanceof FencedError) {
        this.raised = member.failure
        throw member.failure
      }
    }
    if (this.subscription.pattern && (this.subscription.topics() ?? []).length === 0 && !this.client.metadata.clusterId) return
    member.rejoin()
    membership.pump()
  }

  /** Gives everything up while it is still ours. */
  async revoke(): Promise<void> {
    const states = this.assignment.all()
    if (states.length === 0) return
    await this.beforeRevoke?.(states)
    if (this.options.enableAutoCommit && this.commits) {
      const timeoutMs = Math.min(this.client.options.defaultApiTimeoutMs, this.options.maxPollIntervalMs)
      await this.commits.commitDone(undefined, timeoutMs).catch(error => this.report(error as Error))
    }
    try {
      await this.subscription.listener.onRevoked?.(this.assignment.partitions())
    } finally {
      this.assignment.replace([], 'committed')
    }
  }

  /** Everything is gone already. */
  async lose(): Promise<void> {
    const partitions = this.assignment.partitions()
    if (partitions.length === 0) return
    const states = this.assignment.all()
    this.assignment.replace([], 'committed')
    await this.beforeRevoke?.(states)
    const { listener } = this.subscription
    await (listener.onLost ? listener.onLost(partitions) : listener.onRevoked?.(partitions))
  }

  /** Without a group: all partitions of the topics. */
  private readAll(): void {
    const { metadata } = this.client
    const partitions: TopicPartition[] = []
    let changed = false
    for (const topic of this.subscription.topics() ?? []) {
      const count = metadata.topic(topic)?.partitions.length ?? 0
      for (let partition = 0; partition < count; partition++) {
        partitions.push({ topic, partition })
        if (!this.assignment.states.has(topic, partition)) changed = true
      }
    }
    // A topic that is unknown for a moment keeps its partitions.
    const unknown = this.assignment
      .partitions()
      .filter(({ topic }) => !metadata.topic(topic) && (this.subscription.topics() ?? []).includes(topic))
    if (!changed && partitions.length + unknown.length === this.assignment.states.size) return
    this.rememberTopics(this.assignment.replace([...partitions, ...unknown], this.options.autoOffsetReset).added)
  }

  rememberTopics(states: readonly PartitionState[]): void {
    for (const state of states) {
      const id = this.client.metadata.topic(state.topic)?.topicId
      if (id && id !== NO_UUID) state.topicId = id
    }
  }
}
