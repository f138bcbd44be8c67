import { KafkaError } from '../../errors.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { Runtime, Timer } from '../../runtime/runtime.ts'
import type { Logger } from '../../util/logger.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { type JoinAnswer, type JoinTerms, Member, type SyncAnswer } from './member.ts'
import { type GroupState, transitions } from './state.ts'

export interface GroupLimits {
  /** How long an empty group waits for more members than the first (`group.initial.rebalance.delay.ms`). */
  readonly initialDelayMs: number
  readonly maxSize: number
}

export interface JoinRequest {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly terms: JoinTerms
  /** JoinGroup from v4 on: a newcomer is told its id and has to come back with it (KIP-394). */
  readonly needsKnownId: boolean
  /** JoinGroup from v9 on: a leader that restarts may be told to keep the assignment (KIP-814). */
  readonly canSkipAssignment: boolean
}

/** A group of the classic protocol (KIP-62, KIP-345, KIP-394) on its coordinator. Times are of the runtime's clock. */
export class ClassicGroup {
  readonly id: string
  readonly offsets = new CommittedOffsets()
  state: GroupState = 'Empty'
  generationId = 0
  protocolType: string | null = null
  protocolName: string | null = null
  private leaderId: string | null = null
  private readonly members = new Map<string, Member>()
  private readonly staticMembers = new Map<string, Member>()
  /** Ids given out to newcomers that have not come back yet. */
  private readonly pending = new Map<string, Timer>()
  /** Members of this generation that have not asked for their assignment yet. */
  private readonly unsynced = new Set<string>()
  /** Ends the join phase, or throws out those who do not sync. */
  private phaseTimer: Timer | undefined
  private joinedSinceDelay = false
  private readonly runtime: Runtime
  private readonly logger: Logger
  private readonly limits: GroupLimits
  private readonly newId: () => string

  constructor(
    id: string,
    { runtime, logger, limits, newId }: { runtime: Runtime; logger: Logger; limits: GroupLimits; newId: () => string },
  ) {
    this.id = id
    this.runtime = runtime
    this.logger = logger
    this.limits = limits
    this.newId = newId
  }

  // ---- what clients ask

  join(request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    const { memberId, instanceId, terms } = request
    const refuse = (errorCode: number, id = memberId) => answer(joinError(errorCode, id))
    if (this.state === 'Dead') return refuse(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    if (!this.accepts(terms)) return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    if (memberId === '') {
      const known = instanceId === null ? undefined : this.staticMembers.get(instanceId)
      if (known) return this.replaceStatic(known, request, answer)
      if (this.isFull()) return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED)
      const id = `${instanceId ?? request.clientId}-${this.newId()}`
      if (instanceId === null && request.needsKnownId) {
        this.pending.set(
          id,
          this.after(terms.sessionTimeoutMs, () => this.dropPending(id)),
        )
        return refuse(ErrorCode.MEMBER_ID_REQUIRED, id)
      }
      return this.add(id, request, answer)
    }
    if (this.pending.has(memberId)) {
      if (instanceId !== null) return refuse(ErrorCode.UNKNOWN_MEMBER_ID)
      if (this.isFull()) return refuse(ErrorCode.GROUP_MAX_SIZE_REACHED)
      this.pending.get(memberId)?.cancel()
      this.pending.delete(memberId)
      return this.add(memberId, request, answer)
    }
    const fault = this.memberFault(memberId, instanceId)
    const member = this.members.get(memberId)
    if (fault !== ErrorCode.NONE || !member) return refuse(fault || ErrorCode.UNKNOWN_MEMBER_ID)
    const unchanged = member.offersSame(terms.protocols)
    const isLeader = memberId === this.leaderId
    // The answer of the last round got lost, or the member is in no hurry to rebalance: it is given that answer again.
    if (unchanged && (this.state === 'CompletingRebalance' || (this.state === 'Stable' && !isLeader))) {
      this.touch(member)
      return answer(this.joined(member))
    }
    this.rejoin(member, terms, answer)
    if (this.state === 'PreparingRebalance') this.maybeCompleteJoin()
    else this.prepareRebalance(`member ${memberId} joins again`)
  }

  sync(
    request: {
      readonly memberId: string
      readonly instanceId: string | null
      readonly generationId: number
      readonly protocolType: string | null
      readonly protocolName: string | null
      readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
    },
    answer: (answer: SyncAnswer) => void,
  ): void {
    const { memberId } = request
    const refuse = (errorCode: number) => answer(syncError(errorCode))
    const fault = this.memberFault(memberId, request.instanceId)
    const member = this.members.get(memberId)
    if (fault !== ErrorCode.NONE || !member) return refuse(fault || ErrorCode.UNKNOWN_MEMBER_ID)
    if (request.generationId !== this.generationId) return refuse(ErrorCode.ILLEGAL_GENERATION)
    if (differs(request.protocolType, this.protocolType) || differs(request.protocolName, this.protocolName))
      return refuse(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    switch (this.state) {
      case 'Empty':
      case 'Dead':
        return refuse(ErrorCode.UNKNOWN_MEMBER_ID)
      case 'PreparingRebalance':
        return refuse(ErrorCode.REBALANCE_IN_PROGRESS)
      case 'Stable':
        this.unsynced.delete(memberId)
        if (this.unsynced.size === 0) this.phaseTimer?.cancel()
        this.touch(member)
        return answer(this.synced(member))
      case 'CompletingRebalance':
        this.unsynced.delete(memberId)
        member.answerSync(syncError(ErrorCode.REBALANCE_IN_PROGRESS))
        member.awaitSync(answer)
        this.touch(member)
        if (memberId === this.leaderId)
          this.assign(new Map(request.assignments.map(({ memberId, assignment }) => [memberId, assignment])))
    }
  }

  /** Keeps a member alive; the answer tells it to join again when a rebalance is under way. */
  heartbeat(memberId: string, instanceId: string | null, generationId: number): number {
    const fault = this.memberFault(memberId, instanceId)
    const member = this.members.get(memberId)
    if (fault !== ErrorCode.NONE || !member) return fault || ErrorCode.UNKNOWN_MEMBER_ID
    if (generationId !== this.generationId) return ErrorCode.ILLEGAL_GENERATION
    if (this.state === 'Empty' || this.state === 'Dead') return ErrorCode.UNKNOWN_MEMBER_ID
    this.touch(member)
    return this.state === 'PreparingRebalance' ? ErrorCode.REBALANCE_IN_PROGRESS : ErrorCode.NONE
  }

  leave(memberId: string, instanceId: string | null): number {
    if (this.pending.has(memberId)) {
      this.dropPending(memberId)
      return ErrorCode.NONE
    }
    const member = memberId === '' && instanceId !== null ? this.staticMembers.get(instanceId) : this.members.get(memberId)
    const fault = memberId === '' && instanceId !== null ? ErrorCode.NONE : this.memberFault(memberId, instanceId)
    if (fault !== ErrorCode.NONE || !member) return fault || ErrorCode.UNKNOWN_MEMBER_ID
    this.remove(member, `member ${member.id} leaves`)
    return ErrorCode.NONE
  }

  /** Whether such a commit may be taken: that of a current member, or any while the group is empty. */
  commitFault(memberId: string, instanceId: string | null, generationId: number): number {
    if (this.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
    if (generationId < 0 && this.state === 'Empty') return ErrorCode.NONE
    if (generationId < 0 && memberId === '' && instanceId === null) return ErrorCode.UNKNOWN_MEMBER_ID
    const fault = this.memberFault(memberId, instanceId)
    const member = this.members.get(memberId)
    if (fault !== ErrorCode.NONE || !member) return fault || ErrorCode.UNKNOWN_MEMBER_ID
    if (generationId !== this.generationId) return ErrorCode.ILLEGAL_GENERATION
    if (this.state === 'CompletingRebalance') return ErrorCode.REBALANCE_IN_PROGRESS
    // A member that commits is alive.
    this.touch(member)
    return ErrorCode.NONE
  }

  /** As `commitFault`, for offsets of a transaction: a rebalance under way does not matter to them (KIP-447). */
  transactionalCommitFault(memberId: string, instanceId: string | null, generationId: number): number {
    if (this.state === 'Dead') return ErrorCode.COORDINATOR_NOT_AVAILABLE
    if (generationId < 0 && memberId === '' && instanceId === null) return ErrorCode.NONE
    if (generationId < 0 && this.state === 'Empty') return ErrorCode.NONE
    const fault = this.memberFault(memberId, instanceId)
    if (fault !== ErrorCode.NONE) return fault
    return generationId === this.generationId ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION
  }

  // ---- what the cluster asks

  /** Members in the order in which they joined. */
  list(): readonly Member[] {
    return [...this.members.values()]
  }
  get leader(): string | null {
    return this.leaderId
  }

  /** Whether a deletion of offsets of this topic would pull them from under a subscriber: not known of other protocols. */
  get hasMembers(): boolean {
    return this.members.size > 0
  }

  /** The coordinator moves or goes down: whoever waits has to look for the new one. Members and offsets stay. */
  detach(errorCode: number): void {
    for (const member of this.members.values()) {
      member.answerJoin(joinError(errorCode, member.id))
      member.answerSync(syncError(errorCode))
    }
  }

  /** The group is deleted. */
  die(): void {
    this.to('Dead')
    this.detach(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    for (const member of this.members.values()) member.sessionTimer?.cancel()
    for (const timer of this.pending.values()) timer.cancel()
    this.phaseTimer?.cancel()
  }

  // ---- rebalancing

  private prepareRebalance(reason: string): void {
    const wasEmpty = this.state === 'Empty'
    if (this.state === 'CompletingRebalance') {
      for (const member of this.members.values()) {
        member.assignment = new Uint8Array(0)
        member.answerSync(syncError(ErrorCode.REBALANCE_IN_PROGRESS))
      }
    }
    this.unsynced.clear()
    this.to('PreparingRebalance', reason)
    const { initialDelayMs } = this.limits
    if (wasEmpty && initialDelayMs > 0) this.delayFirst(initialDelayMs, Math.max(this.rebalanceTimeoutMs() - initialDelayMs, 0))
    else {
      this.phase(this.rebalanceTimeoutMs(), () => this.completeJoin())
      this.maybeCompleteJoin()
    }
  }

  /** The first rebalance waits for members that start together, as long as they keep coming (KIP-134). */
  private delayFirst(delayMs: number, leftMs: number): void {
    this.joinedSinceDelay = false
    this.phase(delayMs, () => {
      if (this.joinedSinceDelay && leftMs > 0)
        this.delayFirst(Math.min(this.limits.initialDelayMs, leftMs), Math.max(leftMs - delayMs, 0))
      else this.completeJoin()
    })
    this.delaying = true
  }
  private delaying = false

  private maybeCompleteJoin(): void {
    if (this.state !== 'PreparingRebalance' || this.delaying || this.pending.size > 0) return
    if (this.list().every(member => member.awaitsJoin)) this.completeJoin()
  }

  private completeJoin(): void {
    this.phaseTimer?.cancel()
    this.delaying = false
    // Static members keep their place until their session ends.
    for (const member of this.list()) if (!member.awaitsJoin && member.instanceId === null) this.drop(member)
    if (this.members.size > 0 && !this.electLeader()) return this.phase(this.rebalanceTimeoutMs(), () => this.completeJoin())
    this.generationId++
    if (this.members.size === 0) {
      this.protocolName = null
      this.leaderId = null
      return this.to('Empty')
    }
    this.protocolName = this.vote()
    this.to('CompletingRebalance')
    for (const member of this.members.values()) {
      this.unsynced.add(member.id)
      this.touch(member)
    }
    for (const member of this.list()) member.answerJoin(this.joined(member))
    this.phase(this.rebalanceTimeoutMs(), () => this.dropUnsynced())
  }

  /** The leader stays if it joined again; otherwise the first that did takes over. */
  private electLeader(): boolean {
    const leader = this.leaderId === null ? undefined : this.members.get(this.leaderId)
    if (leader?.awaitsJoin) return true
    const next = this.list().find(member => member.awaitsJoin)
    if (next) this.leaderId = next.id
    return next !== undefined
  }

  /** Each member votes for the first of its protocols that all support; most votes win. */
  private vote(): string {
    const votes = new Map<string, number>()
    for (const { terms } of this.members.values()) {
      const choice = terms.protocols.find(({ name }) => this.isCandidate(name))?.name
      if (choice !== undefined) votes.set(choice, (votes.get(choice) ?? 0) + 1)
    }
    return [...votes].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ['', 0] as [string, number])[0]
  }

  private isCandidate(name: string): boolean {
    return this.list().every(({ terms }) => terms.protocols.some(protocol => protocol.name === name))
  }

  private assign(assignments: ReadonlyMap<string, Uint8Array>): void {
    // A member the leader did not think of gets nothing.
    for (const member of this.members.values()) member.assignment = assignments.get(member.id) ?? new Uint8Array(0)
    this.to('Stable')
    for (const member of this.list()) {
      if (!member.awaitsSync) continue
      member.answerSync(this.synced(member))
      this.touch(member)
    }
    // Those who have not asked yet still have to, in time.
    if (this.unsynced.size === 0) this.phaseTimer?.cancel()
  }

  private dropUnsynced(): void {
    if (this.state !== 'CompletingRebalance' && this.state !== 'Stable') return
    const late = this.list().filter(({ id }) => this.unsynced.has(id))
    this.unsynced.clear()
    if (late.length === 0) return
    for (const member of late) this.drop(member)
    this.prepareRebalance(`members ${late.map(({ id }) => id).join(', ')} did not ask for their assignment`)
  }

  // ---- members

  private add(id: string, request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    const member = new Member(id, request.instanceId, request.clientId, request.clientHost, request.terms)
    if (this.members.size === 0) this.protocolType = request.terms.protocolType
    this.members.set(id, member)
    if (request.instanceId !== null) this.staticMembers.set(request.instanceId, member)
    this.leaderId ??= id
    this.joinedSinceDelay = true
    member.awaitJoin(answer)
    this.touch(member)
    if (this.state === 'PreparingRebalance') this.maybeCompleteJoin()
    else this.prepareRebalance(`member ${id} joins`)
  }

  private rejoin(member: Member, terms: JoinTerms, answer: (answer: JoinAnswer) => void): void {
    // A second join of one member comes from a client that gave up on the first.
    member.answerJoin(joinError(ErrorCode.REBALANCE_IN_PROGRESS, member.id))
    member.terms = terms
    member.awaitJoin(answer)
    this.touch(member)
  }

  /** A static member came back without its id: it gets a new one, and whoever still uses the old one is fenced. */
  private replaceStatic(member: Member, request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    const oldId = member.id,
      wasLeader = oldId === this.leaderId
    member.answerJoin(joinError(ErrorCode.FENCED_INSTANCE_ID, oldId))
    member.answerSync(syncError(ErrorCode.FENCED_INSTANCE_ID))
    this.members.delete(oldId)
    member.id = `${request.instanceId}-${this.newId()}`
    this.members.set(member.id, member)
    if (this.unsynced.delete(oldId)) this.unsynced.add(member.id)
    if (wasLeader) this.leaderId = member.id
    this.rejoin(member, request.terms, answer)
    if (this.state === 'Stable') {
      if (this.vote() !== this.protocolName)
        return this.prepareRebalance(`static member ${request.instanceId} changed its protocols`)
      // It takes over its old assignment with its next sync, and nobody else notices. An old client that led must not
      // believe that it leads, since it would assign without knowing the members.
      const joined = this.joined(member)
      member.answerJoin(
        request.canSkipAssignment
          ? { ...joined, skipAssignment: wasLeader }
          : { ...joined, leader: wasLeader ? oldId : joined.leader, members: [] },
      )
    } else if (this.state === 'CompletingRebalance') this.prepareRebalance(`static member ${request.instanceId} was replaced`)
    else this.maybeCompleteJoin()
  }

  private remove(member: Member, reason: string): void {
    member.answerJoin(joinError(ErrorCode.UNKNOWN_MEMBER_ID, member.id))
    member.answerSync(syncError(ErrorCode.UNKNOWN_MEMBER_ID))
    this.drop(member)
    if (this.state === 'Stable' || this.state === 'CompletingRebalance') this.prepareRebalance(reason)
    else this.maybeCompleteJoin()
  }

  private drop(member: Member): void {
    member.sessionTimer?.cancel()
    this.members.delete(member.id)
    this.unsynced.delete(member.id)
    if (member.instanceId !== null) this.staticMembers.delete(member.instanceId)
    if (this.leaderId === member.id) this.leaderId = this.members.keys().next().value ?? null
  }

  private dropPending(id: string): void {
    this.pending.get(id)?.cancel()
    this.pending.delete(id)
    this.maybeCompleteJoin()
  }

  /** Starts the member's session anew. While it waits for us it cannot time out. */
  private touch(member: Member): void {
    member.sessionTimer?.cancel()
    member.sessionTimer = this.after(member.terms.sessionTimeoutMs, () => {
      if (member.awaitsJoin || member.awaitsSync) return this.touch(member)
      this.remove(member, `the session of member ${member.id} timed out`)
    })
  }

  private memberFault(memberId: string, instanceId: string | null): number {
    if (instanceId !== null) {
      const member = this.staticMembers.get(instanceId)
      if (!member) return ErrorCode.UNKNOWN_MEMBER_ID
      return member.id === memberId ? ErrorCode.NONE : ErrorCode.FENCED_INSTANCE_ID
    }
    return this.members.has(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID
  }

  /** Whether a member with these protocols can be in one group with those that are in it. */
  private accepts({ protocolType, protocols }: JoinTerms): boolean {
    if (this.members.size === 0) return protocolType !== '' && protocols.length > 0
    return protocolType === this.protocolType && protocols.some(({ name }) => this.isCandidate(name))
  }

  private isFull(): boolean {
    return this.members.size >= this.limits.maxSize
  }

  // ---- answers and time

  private joined(member: Member): JoinAnswer {
    const isLeader = member.id === this.leaderId
    return {
      errorCode: ErrorCode.NONE,
      memberId: member.id,
      generationId: this.generationId,
      protocolType: this.protocolType,
      protocolName: this.protocolName,
      leader: this.leaderId ?? '',
      skipAssignment: false,
      members: isLeader
        ? this.list().map(other => ({
            memberId: other.id,
            groupInstanceId: other.instanceId,
            metadata: other.metadataOf(this.protocolName),
          }))
        : [],
    }
  }

  private synced({ assignment }: Member): SyncAnswer {
    return { errorCode: ErrorCode.NONE, protocolType: this.protocolType, protocolName: this.protocolName, assignment }
  }

  private rebalanceTimeoutMs(): number {
    return Math.max(0, ...this.list().map(({ terms }) => terms.rebalanceTimeoutMs))
  }

  private phase(ms: number, then: () => void): void {
    this.phaseTimer?.cancel()
    this.phaseTimer = this.after(ms, then)
  }

  private after(ms: number, then: () => void): Timer {
    return this.runtime.clock.setTimer(ms, then)
  }

  private to(state: GroupState, reason = ''): void {
    if (!transitions[this.state].includes(state))
      throw new KafkaError(
        'ERR_ILLEGAL_STATE',
        `group ${this.id} cannot go from ${this.state} to ${state}: this is a bug, please report it`,
      )
    this.logger.debug({ group: this.id, generation: this.generationId, reason }, `group ${this.state} -> ${state}`)
    this.state = state
  }
}

const differs = (given: string | null, own: string | null): boolean => given !== null && given !== own

export const joinError = (errorCode: number, memberId: string): JoinAnswer => ({
  errorCode,
  memberId,
  generationId: -1,
  protocolType: null,
  protocolName: null,
  leader: '',
  skipAssignment: false,
  members: [],
})

export const syncError = (errorCode: number): SyncAnswer => ({
  errorCode,
  protocolType: null,
  protocolName: null,
  assignment: new Uint8Array(0),
})
