import type { Timer } from '../../runtime/runtime.ts'

export interface JoinAnswer {
  readonly errorCode: number
  readonly memberId: string
  readonly generationId: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment: boolean
  readonly members: readonly {
    readonly memberId: string
    readonly groupInstanceId: string | null
    readonly metadata: Uint8Array
  }[]
}

export interface SyncAnswer {
  readonly errorCode: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Uint8Array
}

export interface Protocol {
  readonly name: string
  readonly metadata: Uint8Array
}

/** What a member says of itself when it joins. */
export interface JoinTerms {
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  /** In the order of the member's preference. */
  readonly protocols: readonly Protocol[]
}

const nothing = new Uint8Array(0)

/** One member of a classic group. */
export class Member {
  id: string
  /** Set for a static member, which keeps its place across restarts (KIP-345). */
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  terms: JoinTerms
  assignment: Uint8Array = nothing
  sessionTimer: Timer | undefined
  /** The join that waits for the others, and the sync that waits for the leader. */
  private join: ((answer: JoinAnswer) => void) | undefined
  private sync: ((answer: SyncAnswer) => void) | undefined

  constructor(id: string, instanceId: string | null, clientId: string, clientHost: string, terms: JoinTerms) {
    this.id = id
    this.instanceId = instanceId
    this.clientId = clientId
    this.clientHost = clientHost
    this.terms = terms
  }

  get awaitsJoin(): boolean {
    return this.join !== undefined
  }
  get awaitsSync(): boolean {
    return this.sync !== undefined
  }

  awaitJoin(answer: (answer: JoinAnswer) => void): void {
    this.join = answer
  }
  answerJoin(answer: JoinAnswer): void {
    const { join } = this
    this.join = undefined
    join?.(answer)
  }
  awaitSync(answer: (answer: SyncAnswer) => void): void {
    this.sync = answer
  }
  answerSync(answer: SyncAnswer): void {
    const { sync } = this
    this.sync = undefined
    sync?.(answer)
  }

  metadataOf(protocolName: string | null): Uint8Array {
    return this.terms.protocols.find(({ name }) => name === protocolName)?.metadata ?? nothing
  }

  /** Whether it offers exactly these protocols, with the same metadata in the same order. */
  offersSame(protocols: readonly Protocol[]): boolean {
    const own = this.terms.protocols
    return (
      own.length === protocols.length &&
      own.every(({ name, metadata }, i) => {
        const other = protocols[i]!
        return other.name === name && Buffer.compare(metadata, other.metadata) === 0
      })
    )
  }
}
