import type { VersionLimits } from '../net/version-range.ts'
import { FindCoordinator } from '../protocol/apis/10-find-coordinator.ts'
import { lost } from '../protocol/closures.ts'
import { comparison, defaultOf, defaultsOf } from '../protocol/presence.ts'
import { type AnyField, type Api, NEVER, type Shape } from '../protocol/schema.ts'
import type { Body } from './merge.ts'
import type { Destination, Operation, Router } from './router.ts'

/**
 * The last version that has every field the request fills: DeleteTopics' `topicNames` until 5, FindCoordinator's `key` until 3. A
 * later one would leave such a field out, without an error where Kafka's definition lets it. NEVER when there is no such limit.
 * Throws UnsupportedVersionError where the caller wants a later one.
 */
export function lastVersionFor(api: Api, request: Body, { version, minVersion = 0 }: VersionLimits): number {
  const wanted = version ?? minVersion
  return fieldsThatEnd(api).reduce((last, [name, { wire, presence }]) => {
    const value = request[name]
    if (presence.until >= last || value === undefined) return last
    const isDefault =
      comparison(wire, presence) === 'length' ? (value as unknown[] | null)?.length === 0 : value === defaultOf(wire, presence)
    if (!isDefault && presence.until < wanted) lost(`${api.name}Request.${name}`, wanted, presence.since)
    return isDefault ? last : presence.until
  }, NEVER)
}

const endings = new WeakMap<Api, readonly (readonly [string, AnyField])[]>()

/** Fields of a request that later versions of it lack: few APIs have one. */
function fieldsThatEnd(api: Api): readonly (readonly [string, AnyField])[] {
  let fields = endings.get(api)
  if (!fields) {
    fields = Object.entries(api.request.shape as Shape).filter(([, { presence }]) => presence.until < NEVER)
    endings.set(api, fields)
  }
  return fields
}

/** Last version of FindCoordinator that asks for one key only (KIP-699). */
const LAST_OF_ONE_KEY = 3

/** Whether a request asks for coordinators in the form that brokers before 3.0 do not know. */
export const asksForCoordinators = (api: Api, request: Body): boolean =>
  api.key === FindCoordinator.key && Array.isArray(request.coordinatorKeys) && request.coordinatorKeys.length > 0

/** FindCoordinator for each key alone; the answer in the newer form. */
export async function findOneByOne(router: Router, operation: Operation, request: Body, to: Destination): Promise<Body> {
  const maxVersion = Math.min(operation.maxVersion, LAST_OF_ONE_KEY)
  const { coordinatorKeys, keyType } = request as { coordinatorKeys: readonly string[]; keyType?: number }
  const answers = await Promise.all(
    coordinatorKeys.map(key =>
      router.whole({ ...operation, maxVersion }, { key, ...(keyType !== undefined && { keyType }) }, to),
    ),
  )
  return {
    ...defaultsOf(FindCoordinator.response.shape),
    throttleTimeMs: Math.max(...answers.map(({ throttleTimeMs }) => Number(throttleTimeMs))),
    coordinators: answers.map(({ nodeId, host, port, errorCode, errorMessage }, i) => ({
      key: coordinatorKeys[i],
      nodeId,
      host,
      port,
      errorCode,
      errorMessage,
    })),
  }
}
