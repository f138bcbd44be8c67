import { BrokerError, KafkaError, PartialFailureError, TimeoutError, UnsupportedVersionError } from '../errors.ts'
import { Produce } from '../protocol/apis/00-produce.ts'
import { brokerError, ErrorCode } from '../protocol/error-codes.ts'
import { defaultsOf } from '../protocol/presence.ts'
import { type Api, type Decoded, type Encodable, NEVER, type Route, type Shape } from '../protocol/schema.ts'
import { onAbort } from '../util/abort-watch.ts'
import { Deadline } from '../util/deadline.ts'
import type { Brokers, Lane } from './brokers.ts'
import type { Client, RequestOptions } from './client.ts'
import type { CoordinatorKind, Coordinators } from './coordinators.ts'
import { errorCodesOf } from './error-codes-of.ts'
import { sendKeyed } from './keyed-route.ts'
import { sendToLeaders } from './leader-route.ts'
import { abortedError, type Lifetime } from './lifetime.ts'
import { type Body, completed, joined, partly } from './merge.ts'
import { type Remainder, remainderOf } from './remainder.ts'
import { isRepeatable } from './repeatable.ts'
import { asksForCoordinators, findOneByOne, lastVersionFor } from './request-form.ts'
import { mayRepeat, mendable, type Remedy, remedyFor, timeIsUp } from './retry.ts'
import { namesWithoutId, withTopicIds, withTopicNames } from './topic-ids.ts'

/** What routing works with. */
export interface Cluster {
  readonly client: Client
  readonly lifetime: Lifetime
  readonly brokers: Brokers
  readonly coordinators: Coordinators
}

/** Where one part of a request goes. */
export type Destination =
  | { readonly kind: 'any' | 'controller' }
  | { readonly kind: 'broker'; readonly nodeId: number }
  | { readonly kind: 'coordinator'; readonly of: CoordinatorKind; readonly key: string }

/** What one operation carries along: its budget and its limits. */
export interface Operation {
  readonly api: Api
  readonly deadline: Deadline
  readonly signal: AbortSignal | undefined
  readonly version: number | undefined
  readonly minVersion: number | undefined
  /** NEVER when there is no limit. */
  readonly maxVersion: number
}

/** Head-of-line classes of the requests that may be held back for long; everything else shares one. */
const LANES: Readonly<Record<number, Lane>> = { 0: 'produce', 1: 'fetch', 11: 'group', 14: 'group', 78: 'fetch' }
export const laneOf = ({ key }: Api): Lane => LANES[key] ?? 'other'

/** Sends requests by the route of their API: splits, retries, merges. */
export class Router {
  private readonly cluster: Cluster

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  async request<A extends Api>(
    api: A,
    request: Encodable<A['request']>,
    options: RequestOptions,
  ): Promise<Decoded<A['response']>> {
    const { client, lifetime } = this.cluster
    lifetime.check()
    if (options.signal?.aborted) throw abortedError(`the ${api.name} request`, options.signal)
    const operation: Operation = {
      api,
      deadline: new Deadline(client.runtime.clock, options.timeoutMs ?? client.options.defaultApiTimeoutMs),
      signal: options.signal,
      version: options.version,
      minVersion: options.minVersion,
      maxVersion: Math.min(options.maxVersion ?? NEVER, lastVersionFor(api, request as Body, options)),
    }
    if (operation.deadline.passed) throw new TimeoutError(`the ${api.name} request`, 0, { outcome: 'not-sent' })
    const answer = await this.answer(operation, this.withTimeout(operation, request), options.nodeId)
    return withTopicNames(api, answer, client.metadata) as Decoded<A['response']>
  }

  private async answer(operation: Operation, request: Body, nodeId: number | undefined): Promise<Body> {
    const { route } = operation.api
    if (nodeId !== undefined) return this.inForm(...(await this.withIds(operation, request)), { kind: 'broker', nodeId })
    // Leaders get ids at each attempt anew: a topic may be recreated meanwhile.
    if (route.kind === 'leader') return sendToLeaders(this.cluster, this, operation, request)
    return this.routed(...(await this.withIds(operation, request)), route)
  }

  /** With the ids of its topics, as far as one look-up gives them. */
  private async withIds(operation: Operation, request: Body): Promise<[Operation, Body]> {
    const { api, deadline, signal } = operation
    const { metadata } = this.cluster.client
    const names = namesWithoutId(api, request)
    if (names.length > 0) await metadata.locate(names, { timeoutMs: deadline.remainingMs, signal, patience: 1 })
    const complete = withTopicIds(api, request, metadata)
    return [{ ...operation, maxVersion: Math.min(operation.maxVersion, complete.maxVersion) }, complete.request]
  }

  /** Unless the caller says otherwise, the broker may take as long as the answer is waited for. */
  private withTimeout({ api, deadline }: Operation, request: Body): Body {
    for (const [name, { presence }] of Object.entries(api.request.shape as Shape)) {
      if (presence.role !== 'timeoutMs' || request[name] !== undefined) continue
      const timeoutMs = Math.min(deadline.remainingMs, this.cluster.client.options.requestTimeoutMs)
      return { ...request, [name]: Math.max(1, Math.floor(timeoutMs)) }
    }
    return request
  }

  private async routed(operation: Operation, request: Body, route: Exclude<Route, { kind: 'leader' }>): Promise<Body> {
    switch (route.kind) {
      case 'any':
      case 'controller':
        return this.inForm(operation, request, { kind: route.kind })
      case 'group':
      case 'transaction':
      case 'share':
        return sendKeyed(this.cluster, this, operation, request)
      case 'eachBroker':
        return this.toEachBroker(operation, request, route.results)
      case 'byContent': {
        const parts = route.split(request as never)
        const results = await Promise.allSettled(parts.map(part => this.whole(operation, part.request as Body, part.to)))
        const requests = parts.map(part => part.request as Body)
        return completed(operation.api, requests, results, route.results)
      }
      default:
        return route satisfies never
    }
  }

  /** To all brokers of the cluster. One that leaves it meanwhile is not waited for, nor missed. */
  private async toEachBroker(operation: Operation, request: Body, arrays: readonly string[]): Promise<Body> {
    const { brokers, client } = this.cluster
    await client.metadata.known(operation.deadline, operation.signal)
    const asked = brokers.nodeIds
    const settled = await Promise.allSettled(asked.map(nodeId => this.toMember(operation, request, nodeId)))
    const results = settled.filter(isOfMember)
    if (results.length === 0 && asked.length > 0) return this.toEachBroker(operation, request, arrays)
    const { answers, failure } = partly(results)
    if (!failure) return joined(operation.api, answers, arrays)
    // The joined answer does not say what came from whom, so it cannot say who is missing.
    const nodeIds = asked.filter((_, index) => results.includes(settled[index] as PromiseSettledResult<Body>))
    throw new PartialFailureError(`brokers (${nodeIds.join(', ')}) asked for ${operation.api.name}`, results)
  }

  /** The answer of a broker; undefined when it leaves the cluster before it answers. */
  private async toMember(operation: Operation, request: Body, nodeId: number): Promise<Body | undefined> {
    const { brokers, client } = this.cluster
    const { signal } = operation
    const stop = new AbortController()
    let isMember = true
    const unlisten = client.metadata.onChange(() => {
      isMember &&= brokers.endpoint(nodeId) !== undefined
      if (!isMember) stop.abort()
    })
    const release = signal && onAbort(signal, () => stop.abort(signal.reason))
    try {
      return await this.whole({ ...operation, signal: stop.signal }, request, { kind: 'broker', nodeId })
    } catch (error) {
      if (isMember) throw error
      return undefined
    } finally {
      unlisten()
      release?.()
    }
  }

  /** In the form that the broker knows. */
  private async inForm(operation: Operation, request: Body, to: Destination): Promise<Body> {
    try {
      return await this.whole(operation, request, to)
    } catch (error) {
      if (!(error instanceof UnsupportedVersionError) || !asksForCoordinators(operation.api, request)) throw error
      return findOneByOne(this, operation, request, to)
    }
  }

  /**
   * Sends one request as it is, until it is answered without an error that a repetition would mend. The last answer is
   * returned with its error codes when the time is up.
   */
  async whole(operation: Operation, request: Body, to: Destination): Promise<Body> {
    const { api, signal } = operation
    let answer: Body | undefined
    for (let attempt = 1; ; attempt++) {
      let failure: Error
      let remedy: Remedy
      try {
        const nodeId = await this.nodeOf(to, operation)
        answer = (await this.once(operation, request, nodeId)) ?? defaultsOf(api.response.shape)
        const codes = errorCodesOf(api, answer)
        const code = mendable(api, codes, to.kind)
        if (code === ErrorCode.NONE) return answer
        failure = brokerError(code, { api: api.name })
        remedy = remedyFor(api, code)
        if (codes.innerSuccesses > 0 && !isRepeatable(api)) {
          const rest = remainderOf(api, request, answer, code)
          if (!rest || !(await this.pause(operation, attempt, failure))) return answer
          await this.apply(remedy, to, operation)
          return this.finish(operation, rest, to)
        }
      } catch (error) {
        if (!(error instanceof Error) || signal?.aborted || !mayRepeat(api, error)) throw error
        failure = error
        remedy = to.kind === 'coordinator' ? 'find-coordinator' : 'refresh-metadata'
      }
      if (!(await this.pause(operation, attempt, failure))) {
        if (answer) return answer
        if (failure instanceof BrokerError || this.isLast(attempt)) throw failure
        throw timeIsUp(`the ${api.name} request`, operation.deadline, failure)
      }
      await this.apply(remedy, to, operation)
    }
  }

  /** Asks for what is left of a request, and only for that: what is done already would be refused. */
  private async finish(operation: Operation, { request, answered, results, inOrder }: Remainder, to: Destination): Promise<Body> {
    const answers = await Promise.allSettled([answered, this.whole(operation, request, to)])
    return inOrder(completed(operation.api, [request, request], answers, [results]))
  }

  /** One attempt; no answer follows a Produce with acks 0. */
  once(operation: Operation, request: Body, nodeId: number): Promise<Body | undefined> {
    const { api, deadline, signal, version, minVersion, maxVersion } = operation
    const { client } = this.cluster
    const timeoutMs = Math.max(1, Math.min(deadline.remainingMs, client.options.requestTimeoutMs))
    const options = { lane: laneOf(api), timeoutMs, signal, version, minVersion, maxVersion }
    if (api.key === Produce.key && request.acks === 0) return client.sendOneWay(nodeId, api, request, options)
    return client.sendTo(nodeId, api, request, options)
  }

  private async nodeOf(to: Destination, { deadline, signal }: Operation): Promise<number> {
    const { client, coordinators } = this.cluster
    switch (to.kind) {
      case 'broker':
        await client.metadata.known(deadline, signal)
        return to.nodeId
      case 'coordinator':
        return coordinators.find(to.of, to.key, deadline, signal)
      case 'controller': {
        await client.metadata.known(deadline, signal)
        const nodeId = client.metadata.controllerId
        if (nodeId === null || !this.cluster.brokers.endpoint(nodeId)) return client.metadata.anyBroker(deadline, signal)
        return nodeId
      }
      case 'any':
        return client.metadata.anyBroker(deadline, signal)
      default:
        return to satisfies never
    }
  }

  /** Whether no try is left after so many attempts. */
  isLast(attempts: number): boolean {
    return attempts > this.cluster.client.options.retries
  }

  /** Waits before the next attempt. False when there is no time, or no try, left for one. */
  async pause({ api, deadline, signal }: Operation, attempts: number, error: Error): Promise<boolean> {
    const { client, lifetime } = this.cluster
    const delayMs = client.retryBackoffMs(attempts)
    if (this.isLast(attempts) || delayMs >= deadline.remainingMs) return false
    client.logger.debug({ err: error, api: api.name, attempts, delayMs }, 'retrying a request')
    client.retrying({ api: api.name, attempts, delayMs, error })
    await lifetime.delay(delayMs, signal)
    return true
  }

  /** Resolves in the next turn of the loop, when what was sent in this one has left. */
  turn(): Promise<void> {
    return new Promise(resolve => this.cluster.client.runtime.clock.soon(resolve))
  }

  private async apply(remedy: Remedy, to: Destination, operation: Operation): Promise<void> {
    if (to.kind === 'coordinator' && remedy !== 'wait') this.cluster.coordinators.forget(to.of, to.key)
    if (remedy === 'refresh-metadata') await this.refresh(operation)
  }

  /** A failure to refresh is no reason to give up, as long as another attempt may help. */
  async refresh({ api, deadline, signal }: Operation): Promise<void> {
    const { client, lifetime } = this.cluster
    try {
      await lifetime.within(client.metadata.refresh(`${api.name} failed`), {
        ms: deadline.remainingMs,
        operation: 'metadata refresh',
        signal,
      })
    } catch (error) {
      if (signal?.aborted || lifetime.ended || (KafkaError.is(error) && !error.retriable)) throw error
    }
  }
}

const isOfMember = (result: PromiseSettledResult<Body | undefined>): result is PromiseSettledResult<Body> =>
  result.status === 'rejected' || result.value !== undefined
