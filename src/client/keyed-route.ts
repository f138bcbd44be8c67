import { OffsetFetch } from '../protocol/apis/09-offset-fetch.ts'
import { brokerError, ErrorCode } from '../protocol/error-codes.ts'
import { defaultsOf } from '../protocol/presence.ts'
import { type Api, NEVER, type Route, type Shape } from '../protocol/schema.ts'
import type { CoordinatorKind } from './coordinators.ts'
import { errorCodesIn } from './error-codes-of.ts'
import { type Body, codeOf, elementShape, isPartial, joined } from './merge.ts'
import { offsetFetchOfOneGroup } from './offset-fetch-forms.ts'
import { isRepeatable } from './repeatable.ts'
import { isRetriable, mendable, remedyFor } from './retry.ts'
import { type Cluster, laneOf, type Operation, type Router } from './router.ts'
import { notFound, type Part, remedyOf, SplitRequest, type Splitter } from './split-request.ts'

type KeyedRoute = Route & { kind: CoordinatorKind }

/** How the keys sit in a request: alone, or as the elements of an array (`groups[]`) or a field of them (`groups[].groupId`). */
interface KeyPath {
  readonly field: string
  readonly isArray: boolean
  readonly inner: string | undefined
  /** First version that has the field. */
  readonly since: number
}

/** One key of a request for many. */
interface KeyedPart extends Part {
  readonly element: unknown
  readonly key: string
  /** Its coordinator, if the cache need not know it. */
  nodeId: number | undefined
}

/** Where the results of the parts are, and how to tell whose they are. */
interface Results {
  readonly array: string
  readonly shape: Shape
  readonly key: string | undefined
  readonly error: string | undefined
}

/** Sends a request to the coordinator of its key; one with many keys in parts, each to the coordinator of its keys. */
export async function sendKeyed(cluster: Cluster, router: Router, operation: Operation, request: Body): Promise<Body> {
  const { api } = operation
  const route = api.route as KeyedRoute
  const path = pathsOf(api, route).find(({ field, isArray }) => (isArray ? isFilled(request[field]) : !!request[field]))
  // InitProducerId without a transactional id, or nothing asked for.
  if (!path) return router.whole(operation, request, { kind: 'any' })
  if (!path.isArray) {
    const key = String(request[path.field])
    return router.whole(operation, request, { kind: 'coordinator', of: route.kind, key })
  }
  return new KeyedRequest(cluster, router, operation, request, path, route).send()
}

const isFilled = (value: unknown) => Array.isArray(value) && value.length > 0

class KeyedRequest implements Splitter<KeyedPart> {
  private readonly cluster: Cluster
  private readonly router: Router
  private readonly operation: Operation
  private readonly request: Body
  private readonly path: KeyPath
  private readonly kind: CoordinatorKind
  private readonly results: Results
  private readonly answers: Body[] = []

  constructor(cluster: Cluster, router: Router, operation: Operation, request: Body, path: KeyPath, route: KeyedRoute) {
    this.cluster = cluster
    this.router = router
    this.operation = operation
    this.request = request
    this.path = path
    this.kind = route.kind
    this.results = resultsOf(operation.api, route.results ?? '')
  }

  async send(): Promise<Body> {
    const { path, request } = this
    const parts = (request[path.field] as unknown[]).map((element): KeyedPart => {
      const key = String(path.inner === undefined ? element : (element as Body)[path.inner])
      return { element, key, nodeId: undefined, result: undefined, failure: undefined }
    })
    const split = new SplitRequest(this.router, this.operation, this)
    await split.send(parts)
    const failed = parts.find(part => part.failure)
    if (failed?.failure && !parts.some(part => part.result)) throw split.errorOf(failed.failure)
    return { ...joined(this.operation.api, this.answers, []), [this.results.array]: parts.map(part => this.resultOf(part)) }
  }

  nodeOf({ key, nodeId }: KeyedPart): number | undefined {
    return nodeId ?? this.cluster.coordinators.known(this.kind, key)
  }

  questionOf({ key }: KeyedPart): unknown {
    return this.cluster.coordinators.questionOf(this.kind, key)
  }

  async lookUp(parts: readonly KeyedPart[]): Promise<KeyedPart[]> {
    const { deadline, signal } = this.operation
    const { coordinators } = this.cluster
    const found = await Promise.allSettled(parts.map(({ key }) => coordinators.find(this.kind, key, deadline, signal, 'one')))
    return parts.filter((part, index) => {
      const result = found[index]
      if (result?.status !== 'rejected') {
        part.nodeId = result?.value
        return false
      }
      if (!(result.reason instanceof Error) || !isPartial(result.reason)) throw result.reason
      notFound(part, result.reason)
      return isRetriable(result.reason)
    })
  }

  mend(parts: readonly KeyedPart[]): void {
    for (const part of parts) {
      if (remedyOf(this.operation, part) === 'wait') continue
      part.nodeId = undefined
      this.cluster.coordinators.forget(this.kind, part.key)
    }
  }

  async ask(nodeId: number, shard: readonly KeyedPart[]): Promise<KeyedPart[]> {
    const { api, maxVersion, signal, deadline } = this.operation
    const { client } = this.cluster
    const timeoutMs = Math.max(1, deadline.remainingMs)
    // The version decides whether many keys fit one request.
    const version =
      api.key === OffsetFetch.key ? await client.versionOf(nodeId, api, { lane: laneOf(api), timeoutMs, signal }) : NEVER
    if (version < this.path.since || maxVersion < this.path.since) {
      const results = await Promise.all(
        shard.map(({ element }) => offsetFetchOfOneGroup(this.router, this.operation, nodeId, element as Body, this.request)),
      )
      return shard.filter((part, index) => this.isOpen(part, results[index]))
    }
    const body = { ...this.request, [this.path.field]: shard.map(part => part.element) }
    const answer = (await this.router.once(this.operation, body, nodeId)) ?? defaultsOf(api.response.shape)
    this.answers.push(answer)
    const list = answer[this.results.array] as Body[]
    const { key } = this.results
    return shard.filter((part, index) =>
      this.isOpen(part, key === undefined ? list[index] : list.find(each => each[key] === part.key)),
    )
  }

  /** Takes in the result of a part. True where asking again may give another. */
  private isOpen(part: KeyedPart, result: Body | undefined): boolean {
    const { api } = this.operation
    part.result = result
    const codes = result ? errorCodesIn(this.results.shape, result) : undefined
    // Of what the answer leaves out nobody knows whether it was done.
    const missing = isRepeatable(api) ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.UNKNOWN_SERVER_ERROR
    const code = codes ? mendable(api, codes, 'coordinator') : missing
    if (code === ErrorCode.NONE) return false
    part.failure = brokerError(code, { api: api.name, message: `${this.kind} '${part.key}'` })
    return remedyFor(api, code) !== undefined
  }

  private resultOf({ result, key, failure }: KeyedPart): Body {
    if (result) return result
    const blank = defaultsOf(this.results.shape)
    if (this.results.key !== undefined) blank[this.results.key] = key
    if (this.results.error !== undefined) blank[this.results.error] = codeOf(failure)
    return blank
  }
}

function pathsOf(api: Api, route: KeyedRoute): KeyPath[] {
  return route.keys.map(path => {
    const [first = '', inner] = path.split('.')
    const field = first.replace('[]', '')
    const presence = (api.request.shape as Shape)[field]?.presence
    return { field, isArray: first.endsWith('[]'), inner, since: presence?.since ?? 0 }
  })
}

function resultsOf(api: Api, array: string): Results {
  const shape = elementShape(api.response.shape, array)
  const names = Object.keys(shape)
  return {
    array,
    shape,
    key: names.find(name => {
      const { entity, mapKey } = shape[name]?.presence ?? {}
      return entity === 'groupId' || entity === 'transactionalId' || mapKey === true
    }),
    error: names.find(name => shape[name]?.presence.role === 'errorCode'),
  }
}
