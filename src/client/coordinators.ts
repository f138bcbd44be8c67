import { FindCoordinator } from '../protocol/apis/10-find-coordinator.ts'
import { brokerError, ErrorCode, errorRow } from '../protocol/error-codes.ts'
import { Deadline } from '../util/deadline.ts'
import type { Brokers } from './brokers.ts'
import type { Lifetime } from './lifetime.ts'
import { fatal, type Metadata } from './metadata.ts'

export type CoordinatorKind = 'group' | 'transaction' | 'share'
const KEY_TYPE = { group: 0, transaction: 1, share: 2 } as const satisfies Record<CoordinatorKind, number>
/** First version that asks for many keys at once (KIP-699). */
const BATCHED = 4
/** First version that knows transactions, and share groups (KIP-932). */
const SINCE = { group: 0, transaction: 1, share: 6 } as const satisfies Record<CoordinatorKind, number>

interface Found {
  readonly key: string
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** Which broker coordinates a group, a transaction or a share state: found by asking, remembered until told otherwise. */
export class Coordinators {
  private readonly lifetime: Lifetime
  private readonly brokers: Brokers
  private readonly metadata: Metadata
  private readonly requestTimeoutMs: number
  private readonly nodes = new Map<string, number>()
  private readonly searches = new Map<string, Promise<number>>()

  constructor(lifetime: Lifetime, brokers: Brokers, metadata: Metadata, requestTimeoutMs: number) {
    this.lifetime = lifetime
    this.brokers = brokers
    this.metadata = metadata
    this.requestTimeoutMs = requestTimeoutMs
  }

  /** Node id of the coordinator. Asks until it is found or the deadline passes. */
  async find(kind: CoordinatorKind, key: string, deadline: Deadline, signal?: AbortSignal): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      this.lifetime.check()
      try {
        return await this.lifetime.within(this.lookUp(kind, key), {
          ms: deadline.remainingMs,
          of: deadline.timeoutMs,
          operation: `finding the coordinator of ${kind} ${key}`,
          signal,
          outcome: 'not-sent',
        })
      } catch (error) {
        const pause = this.metadata.retryBackoffMs(attempt)
        if (signal?.aborted || fatal(error) || !retriable(error) || pause >= deadline.remainingMs) throw error
        await this.lifetime.delay(pause, signal)
      }
    }
  }

  forget(kind: CoordinatorKind, key: string): void {
    this.nodes.delete(`${kind}:${key}`)
  }

  /** Forgets what a broker coordinates: it is gone, or cannot be reached. */
  forgetNode(nodeId: number): void {
    for (const [key, id] of this.nodes) if (id === nodeId) this.nodes.delete(key)
  }

  private lookUp(kind: CoordinatorKind, key: string): Promise<number> {
    const id = `${kind}:${key}`
    const known = this.nodes.get(id)
    if (known !== undefined && this.brokers.endpoint(known)) return Promise.resolve(known)
    let search = this.searches.get(id)
    if (!search) {
      search = this.ask(kind, key).then(nodeId => {
        this.nodes.set(id, nodeId)
        return nodeId
      })
      this.searches.set(id, search)
      const over = () => this.searches.delete(id)
      search.then(over, over)
    }
    return search
  }

  private async ask(kind: CoordinatorKind, key: string): Promise<number> {
    const ms = this.requestTimeoutMs
    const nodeId = await this.metadata.anyBroker(new Deadline(this.lifetime.clock, ms))
    const connection = await this.brokers.open(nodeId, 'other', { ms })
    const version = connection.versionOf(FindCoordinator, { minVersion: SINCE[kind] })
    const answer = await connection.request(
      FindCoordinator,
      version >= BATCHED
        ? { keyType: KEY_TYPE[kind], coordinatorKeys: [key] }
        : { key, ...(version >= 1 ? { keyType: KEY_TYPE[kind] } : {}) },
      { version },
    )
    const found: Found | undefined = version >= BATCHED ? answer.coordinators.find(each => each.key === key) : { ...answer, key }
    const code = found?.errorCode ?? ErrorCode.COORDINATOR_NOT_AVAILABLE
    if (!found || code !== ErrorCode.NONE)
      throw brokerError(code, { api: 'FindCoordinator', message: found?.errorMessage ?? null })
    this.brokers.learn(
      [{ nodeId: found.nodeId, host: found.host, port: found.port, rack: this.brokers.endpoint(found.nodeId)?.rack ?? null }],
      false,
    )
    return found.nodeId
  }
}

function retriable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  if ('errorCode' in error && typeof error.errorCode === 'number') return errorRow(error.errorCode).retriable
  return 'retriable' in error && error.retriable === true
}
