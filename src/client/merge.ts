import { defaultsOf } from '../protocol/presence.ts'
import type { Api, Shape } from '../protocol/schema.ts'

/** A request or an answer seen without its API. */
export type Body = Record<string, unknown>

/** One answer of several: the listed arrays joined in order, the longest throttle, the first error. */
export function joined(api: Api, answers: readonly Body[], arrays: readonly string[]): Body {
  const first = answers[0]
  if (answers.length === 1 && first) return first
  const merged: Body = { ...(first ?? defaultsOf(api.response.shape)) }
  for (const [name, { presence }] of Object.entries(api.response.shape as Shape)) {
    if (presence.role === 'throttleTimeMs') merged[name] = Math.max(0, ...answers.map(answer => Number(answer[name] ?? 0)))
    else if (presence.role === 'errorCode') merged[name] = answers.find(answer => answer[name] !== 0)?.[name] ?? 0
  }
  for (const name of arrays) merged[name] = answers.flatMap(answer => (answer[name] as unknown[] | null) ?? [])
  return merged
}
