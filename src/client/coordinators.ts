import type { Connection } from '../net/connection.ts'
import { FindCoordinator } from '../protocol/apis/10-find-coordinator.ts'
import { brokerError, ErrorCode } from '../protocol/error-codes.ts'
import { Deadline } from '../util/deadline.ts'
import { Deferred } from '../util/deferred.ts'
import type { Brokers } from './brokers.ts'
import type { Lifetime } from './lifetime.ts'
import type { Metadata } from './metadata.ts'
import { isFatal, isRetriable, timeIsUp } from './retry.ts'

export type CoordinatorKind = 'group' | 'transaction' | 'share'

const KEY_TYPE = { group: 0, transaction: 1, share: 2 } as const satisfies Record<CoordinatorKind, number>
/** First version that knows the kind: transactions (KIP-98), share state (KIP-932). */
const SINCE = { group: 0, transaction: 1, share: 6 } as const satisfies Record<CoordinatorKind, number>
/** First version that is asked for many keys at once (KIP-699). */
const BATCHED = 4
const MAX_REMEMBERED = 10_000

interface Found {
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
  /** Keys being searched, each with those that are asked for together; and those that the next request will ask for. */
  private readonly searches = new Map<string, { readonly found: Deferred<number>; readonly keys: readonly string[] }>()
  private readonly waiting = new Map<CoordinatorKind, string[]>()
  /** Why brokers could not be asked last, whatever for; undefined once one was. */
  private failure: unknown

  constructor(lifetime: Lifetime, brokers: Brokers, metadata: Metadata, requestTimeoutMs: number) {
    this.lifetime = lifetime
    this.brokers = brokers
    this.metadata = metadata
    this.requestTimeoutMs = requestTimeoutMs
  }

  /** Node id of the coordinator, as far as it is remembered. */
  known(kind: CoordinatorKind, key: string): number | undefined {
    const id = `${kind}:${key}`
    const nodeId = this.nodes.get(id)
    if (nodeId === undefined || !this.brokers.endpoint(nodeId)) return undefined
    this.remember(id, nodeId)
    return nodeId
  }

  /** Node id of the coordinator. Asks until it is found or the deadline passes, or once. */
  async find(
    kind: CoordinatorKind,
    key: string,
    deadline: Deadline,
    signal?: AbortSignal,
    tries: 'many' | 'one' = 'many',
  ): Promise<number> {
    const operation = `finding the coordinator of ${kind} '${key}'`
    for (let attempt = 1; ; attempt++) {
      this.lifetime.check()
      const known = this.known(kind, key)
      if (known !== undefined) return known
      try {
        return await this.lifetime.within(this.search(kind, key), {
          ms: deadline.remainingMs,
          of: deadline.timeoutMs,
          operation,
          hint: 'no broker has told it yet: check that the brokers can be reached',
          signal,
          outcome: 'not-sent',
        })
      } catch (error) {
        if (signal?.aborted || isFatal(error) || !isRetriable(error)) throw error
        // The search goes on for others when our time is up: what failed before says why.
        if (deadline.passed) throw timeIsUp(operation, deadline, this.failure ?? error, 'not-sent')
        if (tries === 'one') throw error
        const pause = this.metadata.retryBackoffMs(attempt)
        if (pause >= deadline.remainingMs) throw timeIsUp(operation, deadline, error, 'not-sent')
        await this.lifetime.delay(pause, signal)
      }
    }
  }

  /** What keys share that are asked for together, by a request under way or the next one. */
  questionOf(kind: CoordinatorKind, key: string): unknown {
    return this.searches.get(`${kind}:${key}`)?.keys ?? this.waiting.get(kind)
  }

  /** For NOT_COORDINATOR and lost connections: the next `find` asks again. */
  forget(kind: CoordinatorKind, key: string): void {
    this.nodes.delete(`${kind}:${key}`)
  }

  /** The latest used are remembered: whoever goes through all groups of a large cluster must not fill the memory with them. */
  private remember(id: string, nodeId: number): void {
    this.nodes.delete(id)
    this.nodes.set(id, nodeId)
    if (this.nodes.size <= MAX_REMEMBERED) return
    for (const oldest of this.nodes.keys()) {
      this.nodes.delete(oldest)
      return
    }
  }

  /** Searches of one turn share a request, and a key that is being searched is not asked for again. */
  private search(kind: CoordinatorKind, key: string): Promise<number> {
    const id = `${kind}:${key}`
    const running = this.searches.get(id)
    if (running) return running.found.promise
    let keys = this.waiting.get(kind)
    if (keys) keys.push(key)
    else {
      this.waiting.set(kind, (keys = [key]))
      queueMicrotask(() => this.flush(kind))
    }
    const found = new Deferred<number>()
    this.searches.set(id, { found, keys })
    return found.promise
  }

  private flush(kind: CoordinatorKind): void {
    const keys = this.waiting.get(kind) ?? []
    this.waiting.delete(kind)
    const settle = (key: string, end: (search: Deferred<number>) => void) => {
      const id = `${kind}:${key}`
      const search = this.searches.get(id)
      this.searches.delete(id)
      if (search) end(search.found)
    }
    const found = (key: string, answer: Found | undefined) =>
      settle(key, search => {
        const code = answer?.errorCode ?? ErrorCode.COORDINATOR_NOT_AVAILABLE
        if (!answer || code !== ErrorCode.NONE) {
          search.reject(brokerError(code, { api: 'FindCoordinator', message: answer?.errorMessage || `${kind} '${key}'` }))
          return
        }
        this.learn(answer)
        this.remember(`${kind}:${key}`, answer.nodeId)
        search.resolve(answer.nodeId)
      })
    const asked = this.ask(kind, keys, found).then(() => {
      this.failure = undefined
    })
    asked.catch((error: unknown) => {
      if (isRetriable(error)) this.failure = error
      for (const key of keys) settle(key, search => search.reject(error))
    })
  }

  private learn({ nodeId, host, port }: Found): void {
    this.brokers.learn([{ nodeId, host, port, rack: this.brokers.endpoint(nodeId)?.rack ?? null }], false)
  }

  private async ask(kind: CoordinatorKind, keys: readonly string[], found: (key: string, answer: Found | undefined) => void) {
    const deadline = new Deadline(this.lifetime.clock, this.requestTimeoutMs)
    const nodeId = await this.metadata.anyBroker(deadline)
    await this.brokers.use(nodeId, 'other', { ms: deadline.remainingMs }, async connection => {
      const version = connection.versionOf(FindCoordinator, { minVersion: SINCE[kind] })
      const timeoutMs = this.requestTimeoutMs
      if (version < BATCHED) {
        await Promise.all(keys.map(async key => found(key, await this.askOne(connection, kind, key, version))))
        return
      }
      const request = { keyType: KEY_TYPE[kind], coordinatorKeys: keys }
      const answer = await connection.request(FindCoordinator, request, { version, timeoutMs })
      const byKey = new Map(answer.coordinators.map(each => [each.key, each]))
      for (const key of keys) found(key, byKey.get(key))
    })
  }

  private askOne(connection: Connection, kind: CoordinatorKind, key: string, version: number): Promise<Found> {
    const request = version >= 1 ? { key, keyType: KEY_TYPE[kind] } : { key }
    return connection.request(FindCoordinator, request, { version, timeoutMs: this.requestTimeoutMs })
  }
}
