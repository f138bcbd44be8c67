import type { JoinGroup } from '../../protocol/apis/11-join-group.ts'
import type { SyncGroup } from '../../protocol/apis/14-sync-group.ts'
import { brokerError, ErrorCode, errorRow } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/schema.ts'

export type MemberState = 'outside' | 'joining' | 'assigning' | 'syncing' | 'stable' | 'lost' | 'failed' | 'left'

/** Which state may follow which. */
const TRANSITIONS: Readonly<Record<MemberState, readonly MemberState[]>> = {
  outside: ['joining', 'left', 'failed'],
  joining: ['assigning', 'syncing', 'outside', 'failed', 'left'],
  assigning: ['syncing', 'joining', 'failed', 'left'],
  syncing: ['stable', 'joining', 'outside', 'failed', 'left'],
  stable: ['joining', 'lost', 'failed', 'left'],
  lost: ['joining', 'failed', 'left'],
  // A refusal may be mended outside (an ACL): the next poll tries again.
  failed: ['joining', 'left'],
  left: ['joining'],
}

type JoinResponse = Decoded<(typeof JoinGroup)['response']>
type SyncResponse = Decoded<(typeof SyncGroup)['response']>
export type Assignments = readonly { readonly memberId: string; readonly assignment: Uint8Array }[]

/** What to do next; at most one of join, assign and sync is under way, and one heartbeat beside it. */
export type Command =
  | { readonly kind: 'join'; readonly memberId: string; readonly reason: string }
  | { readonly kind: 'assign'; readonly join: JoinResponse }
  | {
      readonly kind: 'sync'
      readonly generationId: number
      readonly memberId: string
      readonly protocol: string
      readonly assignments: Assignments
    }
  | { readonly kind: 'heartbeat'; readonly generationId: number; readonly memberId: string }
  | { readonly kind: 'leave'; readonly memberId: string; readonly reason: string }

export interface MemberTimes {
  readonly heartbeatIntervalMs: number
  readonly maxPollIntervalMs: number
  readonly backoffMs: (attempts: number) => number
}

/**
 * The classic group protocol of one member, without any I/O: `poll(now)` says what to send and when to call again, and the
 * outcome of each command comes back through one of the methods. Rebalances are eager: before it joins again, a member
 * gives up what it has, which only the user's own `poll()` may do; so it stays in the group, heartbeats and all, until
 * `rejoin()` is called.
 */
export class ClassicMember {
  state: MemberState = 'outside'
  memberId = ''
  generationId = -1
  /** Why the group has to be joined again; undefined while all is well. */
  rejoinReason: string | undefined
  /** Why membership failed: raised by the user's next poll. */
  failure: Error | undefined
  /** Agreed on and not taken over yet. */
  assignment: Uint8Array | undefined
  isLeader = false
  /** Waiting inside the user's poll: then the poll interval does not run. */
  polling = false
  private readonly times: MemberTimes
  private readonly isStatic: boolean
  private readonly changed: (from: MemberState, to: MemberState) => void
  private busy: 'join' | 'assign' | 'sync' | 'leave' | undefined
  private beating = false
  private join: JoinResponse | undefined
  private assignments: Assignments = []
  private protocol = ''
  private retryAt = 0
  private failures = 0
  private beatAt = 0
  private beatFailures = 0
  private polledAt = 0
  private leaving: string | undefined

  constructor(times: MemberTimes, isStatic: boolean, changed: (from: MemberState, to: MemberState) => void = () => {}) {
    this.times = times
    this.isStatic = isStatic
    this.changed = changed
  }

  /** Whether partitions that we hold are about to go, and the user's poll has to let go of them. */
  get wantsRejoin(): boolean {
    return this.state === 'stable' && this.rejoinReason !== undefined
  }

  poll(now: number): { readonly send?: Command; readonly wakeAt: number } {
    const never = Number.POSITIVE_INFINITY
    if (this.leaving !== undefined && !this.busy) {
      const reason = this.leaving
      this.leaving = undefined
      const { memberId } = this
      this.busy = 'leave'
      this.forget()
      return { send: { kind: 'leave', memberId, reason }, wakeAt: now }
    }
    if (this.state === 'stable' && !this.polling && now - this.polledAt > this.times.maxPollIntervalMs) {
      this.lose(`no poll for more than maxPollIntervalMs (${this.times.maxPollIntervalMs} ms)`)
      // A static member keeps its place until its session ends.
      if (!this.isStatic) this.leaving = 'maxPollIntervalMs exceeded'
      return { wakeAt: now }
    }
    if (!this.busy && now >= this.retryAt) {
      switch (this.state) {
        case 'joining':
          this.busy = 'join'
          return { send: { kind: 'join', memberId: this.memberId, reason: this.rejoinReason ?? 'a first join' }, wakeAt: now }
        case 'assigning':
          if (!this.join) break
          this.busy = 'assign'
          return { send: { kind: 'assign', join: this.join }, wakeAt: now }
        case 'syncing': {
          this.busy = 'sync'
          const { generationId, memberId, protocol, assignments } = this
          return { send: { kind: 'sync', generationId, memberId, protocol, assignments }, wakeAt: now }
        }
      }
    }
    const beats = this.state === 'stable' || this.state === 'assigning' || this.state === 'syncing'
    if (beats && !this.beating && now >= this.beatAt) {
      this.beating = true
      return { send: { kind: 'heartbeat', generationId: this.generationId, memberId: this.memberId }, wakeAt: now }
    }
    return {
      wakeAt: Math.min(
        beats && !this.beating ? this.beatAt : never,
        this.state === 'stable' && !this.polling ? this.polledAt + this.times.maxPollIntervalMs + 1 : never,
        !this.busy && this.retryAt > now && (this.state === 'joining' || this.state === 'syncing' || this.state === 'assigning')
          ? this.retryAt
          : never,
      ),
    }
  }

  /** The user called poll. */
  polled(now: number): void {
    this.polledAt = now
  }
  /** Something that only a new generation can take into account. */
  requestRejoin(reason: string): void {
    this.rejoinReason ??= reason
  }
  /** All partitions were let go: join (again). */
  rejoin(): void {
    if (this.state === 'joining') return
    this.failure = undefined
    this.assignment = undefined
    this.to('joining')
  }
  /** The assignment to take over, once. */
  takeAssignment(): Uint8Array | undefined {
    const { assignment } = this
    this.assignment = undefined
    return assignment
  }
  /** Gives up membership; with a member id, and unless it is static, the coordinator is told. */
  leave(reason: string): void {
    if (this.memberId !== '' && !this.isStatic && this.state !== 'failed') this.leaving = reason
    this.assignment = undefined
    this.rejoinReason = undefined
    if (this.state !== 'left') this.to('left')
  }
  left(): void {
    this.busy = undefined
  }

  joined(response: JoinResponse, now: number): void {
    this.busy = undefined
    if (this.state !== 'joining') return this.strayJoin(response)
    const { errorCode } = response
    if (errorCode === ErrorCode.NONE) {
      this.failures = 0
      this.memberId = response.memberId
      this.generationId = response.generationId
      this.protocol = response.protocolName ?? ''
      this.isLeader = response.leader === response.memberId
      this.join = response
      this.assignments = []
      this.rejoinReason = undefined
      this.beatAt = now + this.times.heartbeatIntervalMs
      this.to(this.isLeader ? 'assigning' : 'syncing')
      return
    }
    if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.memberId = response.memberId
    else this.refused(errorCode, 'JoinGroup', now)
  }
  assigned(assignments: Assignments): void {
    this.busy = undefined
    if (this.state !== 'assigning') return
    this.assignments = assignments
    this.to('syncing')
  }
  synced(response: SyncResponse, now: number): void {
    this.busy = undefined
    if (this.state !== 'syncing') return
    if (response.errorCode === ErrorCode.NONE) {
      this.failures = 0
      this.assignment = response.assignment
      this.polledAt = now
      this.to('stable')
    } else this.refused(response.errorCode, 'SyncGroup', now)
  }
  beat(errorCode: number, sent: { readonly generationId: number; readonly memberId: string }, now: number): void {
    this.beating = false
    this.beatAt = now + this.times.heartbeatIntervalMs
    // The answer to a heartbeat of a former generation says nothing about this one.
    if (sent.generationId !== this.generationId || sent.memberId !== this.memberId) return
    if (errorCode === ErrorCode.NONE) {
      this.beatFailures = 0
      return
    }
    switch (errorRow(errorCode).action) {
      case 'rejoin':
        if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) this.requestRejoin('the group is rebalancing')
        else this.lost(errorCode)
        return
      case 'new-member-id':
        this.lost(errorCode)
        return
      case 'retry':
      case 'refresh-metadata':
      case 'find-coordinator':
        this.beatAt = now + this.times.backoffMs(++this.beatFailures)
        return
      default:
        this.fail(brokerError(errorCode, { api: 'Heartbeat' }))
    }
  }
  /** A command met a connection error or a timeout. */
  interrupted(kind: Command['kind'], now: number): void {
    if (kind === 'heartbeat') {
      this.beating = false
      this.beatAt = now + this.times.backoffMs(++this.beatFailures)
      return
    }
    this.busy = undefined
    if (kind === 'leave') this.left()
    else this.retryAt = now + this.times.backoffMs(++this.failures)
  }
  /** The coordinator disowned a request of this generation, such as a commit. */
  disowned(errorCode: number, generationId: number): void {
    if (this.state !== 'stable' || generationId !== this.generationId) return
    if (errorCode === ErrorCode.REBALANCE_IN_PROGRESS) this.requestRejoin('the group is rebalancing')
    else this.lost(errorCode)
  }
  fail(error: Error): void {
    this.busy = undefined
    if (this.state === 'failed' || this.state === 'left') return
    this.failure = error
    this.assignment = undefined
    this.to('failed')
    this.forget()
  }

  private refused(errorCode: number, api: string, now: number): void {
    const { action } = errorRow(errorCode)
    if (action === 'rejoin' || action === 'new-member-id') {
      // Nothing is held at this point, so the group can be joined again at once.
      if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) this.forget()
      else if (errorCode === ErrorCode.ILLEGAL_GENERATION) this.generationId = -1
      this.rejoinReason = errorRow(errorCode).name
      this.retryAt = errorCode === ErrorCode.REBALANCE_IN_PROGRESS ? now : now + this.times.backoffMs(++this.failures)
      if (this.state !== 'joining') this.to('joining')
      return
    }
    if (action === 'retry' || action === 'find-coordinator' || action === 'refresh-metadata') {
      this.retryAt = now + this.times.backoffMs(++this.failures)
      return
    }
    this.fail(brokerError(errorCode, { api }))
  }
  private lost(errorCode: number): void {
    if (errorCode === ErrorCode.FENCED_INSTANCE_ID) this.fail(brokerError(errorCode, { api: 'Heartbeat' }))
    else if (this.state === 'stable') this.lose(errorRow(errorCode).name)
    else if (this.state === 'syncing' || this.state === 'assigning') {
      this.forget()
      this.to('joining')
    }
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID) this.forget()
    else this.generationId = -1
  }
  private lose(reason: string): void {
    this.rejoinReason = reason
    this.assignment = undefined
    this.generationId = -1
    this.to('lost')
  }
  /** Joined after all, though we had left meanwhile: tell the coordinator again, or it would wait for our session. */
  private strayJoin(response: JoinResponse): void {
    if (this.state !== 'left' || this.isStatic || response.memberId === '') return
    this.memberId = response.memberId
    this.leaving = 'closed while joining'
  }
  private forget(): void {
    this.memberId = ''
    this.generationId = -1
    this.isLeader = false
  }
  private to(state: MemberState): void {
    const from = this.state
    if (!TRANSITIONS[from].includes(state)) throw new Error(`a group member cannot go from ${from} to ${state}`)
    this.state = state
    this.changed(from, state)
  }
}
