/** Every API by its key: for brokers and tools, which see any of them. A client imports the few it needs instead. */
import * as apis from './apis/index.ts'
import type { Api } from './schema.ts'

const byKey = new Map<number, Api>(Object.values(apis).map((api: Api) => [api.key, api]))

/** All APIs, by ascending key. */
export const allApis: readonly Api[] = [...byKey.values()].sort((a, b) => a.key - b.key)

export const apiByKey = (key: number): Api | undefined => byKey.get(key)
