import type { Api, Route } from '../protocol/schema.ts'
import { errorCodesOf } from './error-codes-of.ts'
import { type Body, joined } from './merge.ts'
import type { Operation, Router } from './router.ts'

type KeyedRoute = Route & { kind: 'group' | 'transaction' | 'share' }

/** How the keys sit in a request: alone, or as the elements of an array (`groups[]`) or a field of them (`groups[].groupId`). */
export interface KeyedPlan {
  readonly of: KeyedRoute['kind']
  readonly keys: readonly KeyPath[]
  readonly results: string | undefined
}
interface KeyPath {
  readonly field: string
  readonly isArray: boolean
  readonly inner: string | undefined
  readonly since: number
  readonly until: number
}

export function keyedPlan(api: Api, route: KeyedRoute): KeyedPlan {
  return {
    of: route.kind,
    results: route.results,
    keys: route.keys.map(path => {
      const [first = '', inner] = path.split('.')
      const field = first.replace('[]', '')
      const presence = api.request.shape[field]?.presence
      return { field, isArray: first.endsWith('[]'), inner, since: presence?.since ?? 0, until: presence?.until ?? 0x7fff }
    }),
  }
}

/** Sends a request to the coordinator of its key, or one part to the coordinator of each of its keys. */
export async function sendKeyed(router: Router, operation: Operation, request: Body, plan: KeyedPlan): Promise<Body> {
  const path = plan.keys.find(({ field, isArray }) => (isArray ? Array.isArray(request[field]) : !!request[field]))
  if (!path) return router.whole(operation, request, { kind: 'any' })
  const limited: Operation = {
    ...operation,
    minVersion: Math.max(operation.minVersion ?? 0, path.since),
    maxVersion: Math.min(operation.maxVersion ?? 0x7fff, path.until),
  }
  if (!path.isArray) {
    return router.whole(limited, request, { kind: 'coordinator', of: plan.of, key: String(request[path.field]) })
  }
  const elements = request[path.field] as unknown[]
  const keyOf = (element: unknown) => String(path.inner === undefined ? element : (element as Body)[path.inner])
  void errorCodesOf
  const answers = await Promise.all(
    elements.map(element =>
      router.whole(limited, { ...request, [path.field]: [element] }, { kind: 'coordinator', of: plan.of, key: keyOf(element) }),
    ),
  )
  return joined(operation.api, answers, plan.results === undefined ? [] : [plan.results])
}
