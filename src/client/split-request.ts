import { BrokerError, TimeoutError } from '../errors.ts'
import { type Body, isPartial } from './merge.ts'
import { isRetriable, mayRepeat, type Remedy, remedyFor, timeIsUp } from './retry.ts'
import type { Operation, Router } from './router.ts'

/** One part of a request, and what became of it. */
export interface Part {
  result: Body | undefined
  /** Why it has no result, or not the final one. */
  failure: Error | undefined
}

/** What a route knows of its parts. */
export interface Splitter<P extends Part> {
  /** Where a part goes, as far as that is known without asking. */
  nodeOf(part: P): number | undefined
  /** Parts of which the same question tells where they go, if there are several such questions. */
  questionOf?(part: P): unknown
  /** Asks once where parts go. Returns those that are worth asking about again, each with its failure. */
  lookUp(parts: readonly P[]): Promise<P[]>
  /** One request and its answer. Returns the parts to send again, each with its failure. */
  ask(nodeId: number, shard: readonly P[]): Promise<P[]>
  /** Before parts are sent again: does something about what was wrong. */
  mend(parts: readonly P[]): Promise<void> | void
}

/**
 * Sends the parts of a request to the brokers that must answer them. No part waits for another: neither for its broker to be
 * found, nor for its answer, nor for its next attempt.
 */
export class SplitRequest<P extends Part> {
  private readonly router: Router
  private readonly operation: Operation
  private readonly splitter: Splitter<P>
  private outOfTime = false
  private over = false

  constructor(router: Router, operation: Operation, splitter: Splitter<P>) {
    this.router = router
    this.operation = operation
    this.splitter = splitter
  }

  /** Resolves once each part has its final result or failure. Rejects for reasons that concern them all. */
  async send(parts: readonly P[]): Promise<void> {
    try {
      await this.attempt(parts, 1)
    } finally {
      this.over = true
    }
  }

  /** The failure of a part as the error of the whole request. */
  errorOf(failure: Error): Error {
    if (!this.outOfTime || failure instanceof BrokerError) return failure
    return timeIsUp(`the ${this.operation.api.name} request`, this.operation.deadline, failure)
  }

  private async attempt(parts: readonly P[], attempt: number): Promise<void> {
    if (this.over) return
    const shards = new Map<number, P[]>()
    const lost = new Map<unknown, P[]>()
    for (const part of parts) {
      const nodeId = this.splitter.nodeOf(part)
      if (nodeId === undefined) addTo(lost, this.splitter.questionOf?.(part), part)
      else addTo(shards, nodeId, part)
    }
    const asked = Array.from(shards, ([nodeId, shard]) => this.ask(nodeId, shard, attempt))
    const lookUp = () => Promise.all(Array.from(lost.values(), group => this.lookUp(group, attempt)))
    // What can be sent goes first: behind a question, it would have to wait for the answer on the same connection.
    await Promise.all([...asked, asked.length > 0 && lost.size > 0 ? this.router.turn().then(lookUp) : lookUp()])
  }

  private async ask(nodeId: number, shard: readonly P[], attempt: number): Promise<void> {
    let again: readonly P[]
    try {
      again = await this.splitter.ask(nodeId, shard)
    } catch (error) {
      if (!(error instanceof Error) || !isPartial(error)) throw error
      for (const part of shard) part.failure = error
      again = mayRepeat(this.operation.api, error) ? shard : []
    }
    await this.again(again, attempt)
  }

  private async lookUp(parts: readonly P[], attempt: number): Promise<void> {
    let lost: readonly P[]
    try {
      lost = await this.splitter.lookUp(parts)
    } catch (error) {
      if (!(error instanceof Error) || !isPartial(error)) throw error
      for (const part of parts) notFound(part, error)
      lost = isRetriable(error) ? parts : []
    }
    const missing = new Set(lost)
    const found = parts.filter(part => !missing.has(part) && this.splitter.nodeOf(part) !== undefined)
    await Promise.all([this.attempt(found, attempt), this.again(lost, attempt)])
  }

  private async again(parts: readonly P[], attempt: number): Promise<void> {
    const failure = parts[0]?.failure
    if (!failure || this.over) return
    if (await this.router.pause(this.operation, attempt, failure)) {
      await this.splitter.mend(parts)
      if (!this.operation.deadline.passed) return this.attempt(parts, attempt + 1)
    }
    if (!this.router.isLast(attempt)) this.outOfTime = true
  }
}

function addTo<K, P>(groups: Map<K, P[]>, key: K, part: P): void {
  const group = groups.get(key)
  if (group) group.push(part)
  else groups.set(key, [part])
}

/** A part could not be looked up; when that ran out of time, what failed before says more. */
export function notFound(part: Part, error: Error): void {
  if (!part.failure || !(error instanceof TimeoutError)) part.failure = error
}

/** What to do before a part is sent again. */
export const remedyOf = ({ api }: Operation, { failure }: Part): Remedy =>
  failure instanceof BrokerError ? remedyFor(api, failure.errorCode) : 'refresh-metadata'
