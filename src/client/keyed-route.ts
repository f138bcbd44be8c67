import { OffsetFetch } from '../protocol/apis/09-offset-fetch.ts'
import { brokerError, ErrorCode } from '../protocol/error-codes.ts'
import { defaultsOf } from '../protocol/presence.ts'
import { type Api, NEVER, type Route, type Shape } from '../protocol/schema.ts'
import type { CoordinatorKind } from './coordinators.ts'
import { errorCodesIn } from './error-codes-of.ts'
import { type Body, codeOf, elementShape, isPartial, joined } from './merge.ts'
import { offsetFetchOfOneGroup } from './offset-fetch-forms.ts'
import { mayRepeat, mendable } from './retry.ts'
import { type Cluster, laneOf, type Operation, type Router } from './router.ts'

type KeyedRoute = Route & { kind: CoordinatorKind }

/** How the keys sit in a request: alone, or as the elements of an array (`groups[]`) or a field of them (`groups[].groupId`). */
interface KeyPath {
  readonly field: string
  readonly isArray: boolean
  readonly inner: string | undefined
  /** Versions that have the field. */
  readonly since: number
  readonly until: number
}

/** One key of a request for many, and what became of it. */
interface Part {
  readonly element: unknown
  readonly key: string
  result: Body | undefined
  failure: Error | undefined
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
    const maxVersion = Math.min(operation.maxVersion ?? NEVER, path.until)
    const key = String(request[path.field])
    return router.whole({ ...operation, maxVersion }, request, { kind: 'coordinator', of: route.kind, key })
  }
  return new KeyedRequest(cluster, router, operation, request, path, route).send()
}

const isFilled = (value: unknown) => Array.isArray(value) && value.length > 0

class KeyedRequest {
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
    const parts = (request[path.field] as unknown[]).map((element): Part => {
      const key = String(path.inner === undefined ? element : (element as Body)[path.inner])
      return { element, key, result: undefined, failure: undefined }
    })
    let pending = parts
    for (let attempt = 1; pending.length > 0; attempt++) {
      const again = await this.round(pending)
      const failure = again[0]?.failure
      if (!failure || !(await this.router.pause(this.operation, attempt, failure))) break
      pending = again
    }
    const failed = parts.find(part => !part.result && part.failure)
    if (this.answers.length === 0 && failed?.failure) throw failed.failure
    return { ...joined(this.operation.api, this.answers, []), [this.results.array]: parts.map(part => this.resultOf(part)) }
  }

  /** Sends each part once; returns those to send again. */
  private async round(parts: readonly Part[]): Promise<Part[]> {
    const { deadline, signal } = this.operation
    const { coordinators } = this.cluster
    const byNode = new Map<number, Part[]>()
    const again: Part[] = []
    await Promise.all(
      parts.map(async part => {
        try {
          const nodeId = await coordinators.find(this.kind, part.key, deadline, signal)
          const shard = byNode.get(nodeId)
          if (shard) shard.push(part)
          else byNode.set(nodeId, [part])
        } catch (error) {
          if (!(error instanceof Error) || signal?.aborted || !isPartial(error)) throw error
          part.failure = error
        }
      }),
    )
    await Promise.all(
      Array.from(byNode, async ([nodeId, shard]) => {
        try {
          await this.ask(nodeId, shard, again)
        } catch (error) {
          if (!(error instanceof Error) || signal?.aborted || !isPartial(error)) throw error
          for (const part of shard) {
            part.failure = error
            if (!mayRepeat(this.operation.api, error)) continue
            coordinators.forget(this.kind, part.key)
            again.push(part)
          }
        }
      }),
    )
    return again
  }

  private async ask(nodeId: number, shard: readonly Part[], again: Part[]): Promise<void> {
    const { api, maxVersion, signal, deadline } = this.operation
    const { client } = this.cluster
    const timeoutMs = Math.max(1, deadline.remainingMs)
    // The version decides whether many keys fit one request.
    const version =
      api.key === OffsetFetch.key ? await client.versionOf(nodeId, api, { lane: laneOf(api), timeoutMs, signal }) : NEVER
    if (version < this.path.since || (maxVersion ?? NEVER) < this.path.since) {
      for (const part of shard)
        this.take(
          part,
          await offsetFetchOfOneGroup(this.router, this.operation, nodeId, part.element as Body, this.request),
          again,
        )
      return
    }
    const body = { ...this.request, [this.path.field]: shard.map(part => part.element) }
    const minVersion = Math.max(this.operation.minVersion ?? 0, this.path.since)
    const answer = (await this.router.once({ ...this.operation, minVersion }, body, nodeId)) ?? defaultsOf(api.response.shape)
    this.answers.push(answer)
    const list = answer[this.results.array] as Body[]
    const { key } = this.results
    shard.forEach((part, index) => {
      this.take(part, key === undefined ? list[index] : list.find(each => each[key] === part.key), again)
    })
  }

  private take(part: Part, result: Body | undefined, again: Part[]): void {
    const { api } = this.operation
    part.result = result
    const codes = result ? errorCodesIn(this.results.shape, result) : undefined
    const code = codes ? mendable(api, codes, 'coordinator') : ErrorCode.COORDINATOR_NOT_AVAILABLE
    if (code === ErrorCode.NONE) return
    part.failure = brokerError(code, { api: api.name, message: `${this.kind} '${part.key}'` })
    this.cluster.coordinators.forget(this.kind, part.key)
    again.push(part)
  }

  private resultOf({ result, key, failure }: Part): Body {
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
    return { field, isArray: first.endsWith('[]'), inner, since: presence?.since ?? 0, until: presence?.until ?? NEVER }
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
