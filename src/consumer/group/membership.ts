import type { Client } from '../../client/client.ts'
import type { Lane } from '../../client/index.ts'
import type { TopicPartition } from '../../client/partition-map.ts'
import { KafkaError } from '../../errors.ts'
import { JoinGroup } from '../../protocol/apis/11-join-group.ts'
import { Heartbeat } from '../../protocol/apis/12-heartbeat.ts'
import { LeaveGroup } from '../../protocol/apis/13-leave-group.ts'
import { SyncGroup } from '../../protocol/apis/14-sync-group.ts'
import { ErrorCode, errorRow } from '../../protocol/error-codes.ts'
import { decodeAssignment, decodeSubscription, encodeAssignment, encodeSubscription } from '../../protocol/group/index.ts'
import type { Decoded } from '../../protocol/schema.ts'
import type { Timer } from '../../runtime/runtime.ts'
import { Deadline } from '../../util/deadline.ts'
import type { GroupMetadata } from '../offsets.ts'
import type { ConsumerOptions } from '../options.ts'
import type { Assignor, GroupMember } from './assignor.ts'
import { ClassicMember, type Command } from './classic-member.ts'
import { rangeAssignor } from './range-assignor.ts'

const PROTOCOL_TYPE = 'consumer'
const assignors: ReadonlyMap<string, Assignor> = new Map([[rangeAssignor.name, rangeAssignor]])

/** Carries out what a ClassicMember decides: requests to the coordinator, timers, and the leader's work. */
export class Membership {
  readonly member: ClassicMember
  rebalances = 0
  private readonly client: Client
  private readonly lane: Lane
  private readonly options: ConsumerOptions
  private readonly groupId: string
  private readonly topics: () => readonly string[]
  /** The member's state changed: the user's poll may have something to do. */
  private readonly changed: () => void
  private readonly aborter = new AbortController()
  private timer: Timer | undefined
  private pumping = false
  private running = 0
  private idle: (() => void) | undefined
  /** What this leader gave out: topics of all members with their partition counts (-1 for none). */
  private assignedCounts: ReadonlyMap<string, number> | undefined
  private untrack: (() => void) | undefined

  constructor(
    client: Client,
    options: ConsumerOptions,
    groupId: string,
    lane: Lane,
    topics: () => readonly string[],
    changed: () => void,
  ) {
    this.client = client
    this.lane = lane
    this.options = options
    this.groupId = groupId
    this.topics = topics
    this.changed = changed
    this.member = new ClassicMember(
      {
        heartbeatIntervalMs: options.heartbeatIntervalMs,
        maxPollIntervalMs: options.maxPollIntervalMs,
        backoffMs: attempts => client.retryBackoffMs(attempts),
      },
      options.groupInstanceId !== undefined,
      (from, to) => {
        client.logger.debug({ groupId, from, to }, `group member: ${from} -> ${to}`)
        if (to === 'joining') this.rebalances++
      },
    )
  }

  get metadata(): GroupMetadata {
    const { member } = this
    const inGroup = member.state === 'stable'
    return {
      groupId: this.groupId,
      generationId: inGroup ? member.generationId : -1,
      memberId: inGroup ? member.memberId : '',
      groupInstanceId: this.options.groupInstanceId ?? null,
    }
  }

  /** Runs whatever the member wants to do now, and arms the timer for what it wants later. */
  pump(): void {
    if (this.pumping) return
    this.pumping = true
    this.timer?.cancel()
    this.timer = undefined
    const { clock } = this.client.runtime
    for (;;) {
      const now = clock.monotonic()
      const { send, wakeAt } = this.member.poll(now)
      if (send) {
        this.running++
        void this.perform(send).finally(() => {
          this.running--
          if (this.running === 0) this.idle?.()
          this.changed()
          this.pump()
        })
      } else if (wakeAt > now) {
        if (Number.isFinite(wakeAt)) this.timer = clock.setTimer(Math.ceil(wakeAt - now), () => this.pump())
        break
      } else this.changed()
    }
    this.pumping = false
  }

  /** Ends membership and waits until the coordinator was told, at most `timeoutMs`. */
  async leave(reason: string, timeoutMs: number): Promise<void> {
    // A join that the coordinator is holding back would only be answered once the others have joined.
    const joining = this.member.state === 'joining'
    this.member.leave(reason)
    this.untrack?.()
    this.untrack = undefined
    this.assignedCounts = undefined
    this.pump()
    if (this.running === 0 || joining) return
    const deadline = new AbortController()
    await Promise.race([
      new Promise<void>(resolve => {
        this.idle = resolve
      }),
      this.client.delay(timeoutMs, deadline.signal).catch(() => {}),
    ])
    deadline.abort()
    this.idle = undefined
  }

  close(): void {
    this.aborter.abort()
    this.timer?.cancel()
    this.untrack?.()
  }

  /** Partitions came or went: a leader whose assignment no longer covers them asks for a new one (R11). */
  metadataChanged(): void {
    if (!this.assignedCounts || !this.member.isLeader || this.member.state !== 'stable') return
    for (const [topic, count] of this.assignedCounts) {
      const known = this.client.metadata.topic(topic)
      // A topic that the cache has forgotten for now is no change.
      if (known && known.errorCode === ErrorCode.NONE && known.partitions.length !== count) {
        this.member.requestRejoin(`${topic} has ${known.partitions.length} partitions now`)
        this.changed()
        return
      }
    }
  }

  /** Never rejects: whatever happens is told to the member. */
  private async perform(command: Command): Promise<void> {
    const { member, client } = this
    const now = () => client.runtime.clock.monotonic()
    try {
      switch (command.kind) {
        case 'join': {
          const response = await this.join(command)
          this.checkCoordinator(response.errorCode)
          return member.joined(response, now())
        }
        case 'assign':
          return member.assigned(await this.assign(command.join))
        case 'sync': {
          const response = await this.sync(command)
          this.checkCoordinator(response.errorCode)
          return member.synced(response, now())
        }
        case 'heartbeat': {
          const { generationId, memberId } = command
          const response = await client.sendTo(
            await this.coordinator(),
            Heartbeat,
            { groupId: this.groupId, generationId, memberId, groupInstanceId: this.options.groupInstanceId ?? null },
            { lane: this.lane, timeoutMs: this.options.sessionTimeoutMs, signal: this.aborter.signal },
          )
          this.checkCoordinator(response.errorCode)
          return member.beat(response.errorCode, command, now())
        }
        case 'leave':
          await this.tellLeaving(command)
          return member.left()
        default:
          command satisfies never
      }
    } catch (error) {
      if (this.aborter.signal.aborted) return member.interrupted(command.kind, now())
      const passing = KafkaError.is(error) && error.retriable
      if (passing || command.kind === 'leave' || command.kind === 'heartbeat') {
        client.logger.debug({ err: error, groupId: this.groupId }, `${command.kind} was interrupted`)
        if (KafkaError.is(error) && error.code !== 'ERR_BROKER') client.forgetCoordinator('group', this.groupId)
        member.interrupted(command.kind, now())
      } else member.fail(error as Error)
    }
  }

  private coordinator(timeoutMs = this.client.options.defaultApiTimeoutMs): Promise<number> {
    return this.client.coordinator('group', this.groupId, new Deadline(this.client.runtime.clock, timeoutMs), this.aborter.signal)
  }
  private checkCoordinator(errorCode: number): void {
    const { action, name } = errorRow(errorCode)
    if (action === 'find-coordinator' || name === 'COORDINATOR_NOT_AVAILABLE')
      this.client.forgetCoordinator('group', this.groupId)
  }

  private async join({ memberId, reason }: Extract<Command, { kind: 'join' }>): Promise<Decoded<(typeof JoinGroup)['response']>> {
    const { client, options } = this
    const topics = [...this.topics()].sort()
    return client.sendTo(
      await this.coordinator(),
      JoinGroup,
      {
        groupId: this.groupId,
        sessionTimeoutMs: options.sessionTimeoutMs,
        rebalanceTimeoutMs: options.maxPollIntervalMs,
        memberId,
        groupInstanceId: options.groupInstanceId ?? null,
        protocolType: PROTOCOL_TYPE,
        protocols: options.assignors.map(name => ({
          name,
          metadata: encodeSubscription({ topics, ownedPartitions: [], rackId: client.options.rack || null }),
        })),
        reason,
      },
      // The coordinator answers when all members have joined, or when the rebalance timeout is over.
      {
        lane: this.lane,
        timeoutMs: Math.max(client.options.requestTimeoutMs, options.maxPollIntervalMs + 5_000),
        signal: this.aborter.signal,
      },
    )
  }

  private async sync(command: Extract<Command, { kind: 'sync' }>): Promise<Decoded<(typeof SyncGroup)['response']>> {
    const { generationId, memberId, protocol, assignments } = command
    return this.client.sendTo(
      await this.coordinator(),
      SyncGroup,
      {
        groupId: this.groupId,
        generationId,
        memberId,
        groupInstanceId: this.options.groupInstanceId ?? null,
        protocolType: PROTOCOL_TYPE,
        protocolName: protocol,
        assignments,
      },
      {
        lane: this.lane,
        timeoutMs: Math.max(this.client.options.requestTimeoutMs, this.options.maxPollIntervalMs + 5_000),
        signal: this.aborter.signal,
      },
    )
  }

  /** The leader's part: everybody's subscription in, everybody's partitions out. */
  private async assign(
    join: Decoded<(typeof JoinGroup)['response']>,
  ): Promise<{ readonly memberId: string; readonly assignment: Uint8Array }[]> {
    const { metadata } = this.client
    const members = join.members.map(({ memberId, groupInstanceId, metadata: bytes }): GroupMember => {
      const { topics, userData, ownedPartitions, rackId } = decodeSubscription(bytes)
      const owned = ownedPartitions.flatMap(({ topic, partitions }) => partitions.map(partition => ({ topic, partition })))
      return { memberId, groupInstanceId, topics, owned, rack: rackId, userData }
    })
    const topics = [...new Set(members.flatMap(member => member.topics))]
    this.untrack?.()
    this.untrack = metadata.track(topics)
    const unknown = await metadata.locate(topics, {
      timeoutMs: this.client.options.requestTimeoutMs,
      signal: this.aborter.signal,
    })
    const counts = new Map<string, number>()
    const watched = new Map<string, number>()
    for (const topic of topics) {
      const count = unknown.has(topic) ? 0 : (metadata.topic(topic)?.partitions.length ?? 0)
      if (count > 0) counts.set(topic, count)
      watched.set(topic, count)
    }
    this.assignedCounts = watched
    // The broker picked an assignor that all members name; skipAssignment: a static leader came back, nothing changes.
    if (join.skipAssignment) return []
    const assignor = assignors.get(join.protocolName ?? '') ?? rangeAssignor
    return [...assignor.assign(members, counts)].map(([memberId, partitions]) => ({
      memberId,
      assignment: encodeAssignment({ assignedPartitions: grouped(partitions) }),
    }))
  }

  private async tellLeaving({ memberId, reason }: Extract<Command, { kind: 'leave' }>): Promise<void> {
    const { client, groupId } = this
    const timeoutMs = Math.min(5_000, client.options.requestTimeoutMs)
    const nodeId = await this.coordinator(timeoutMs)
    const version = await client.versionOf(nodeId, LeaveGroup, { lane: 'other', timeoutMs })
    // Not on the lane of the group: a join that is held back there would hold this back too.
    await client.sendTo(
      nodeId,
      LeaveGroup,
      version >= 3 ? { groupId, members: [{ memberId, groupInstanceId: null, reason }] } : { groupId, memberId },
      { lane: 'other', version, timeoutMs, signal: this.aborter.signal },
    )
  }
}

/** The partitions that SyncGroup gave us. */
export function assignedPartitions(assignment: Uint8Array): TopicPartition[] {
  // A member that the leader left out gets no bytes at all.
  if (assignment.length === 0) return []
  return decodeAssignment(assignment).assignedPartitions.flatMap(({ topic, partitions }) =>
    partitions.map(partition => ({ topic, partition })),
  )
}

function grouped(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) topics.set(topic, [...(topics.get(topic) ?? []), partition])
  return [...topics].map(([topic, list]) => ({ topic, partitions: list }))
}
