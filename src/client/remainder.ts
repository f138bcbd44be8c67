import type { Api, Shape } from '../protocol/schema.ts'
import { type Body, elementShape } from './merge.ts'

/** A request that was answered in part. */
export interface Remainder {
  /** The same request for the topics that are still open. */
  readonly request: Body
  /** The answer without them. */
  readonly answered: Body
  /** The field of the answer that holds the topics. */
  readonly results: string
  /** An answer to all of it, with its topics in the order of the request. */
  inOrder(answer: Body): Body
}

/**
 * What is left of a request about topics when some of them were refused with this code. Undefined where request and answer
 * do not name the topics alike.
 */
export function remainderOf(api: Api, request: Body, answer: Body, code: number): Remainder | undefined {
  for (const results of Object.keys(api.response.shape as Shape)) {
    const shape = elementShape(api.response.shape, results)
    const error = Object.keys(shape).find(name => shape[name]?.presence.role === 'errorCode')
    const name = Object.keys(shape).find(field => shape[field]?.presence.entity === 'topicName')
    if (error === undefined || name === undefined) continue
    const topics = answer[results] as Body[]
    const isOf = (topic: unknown, result: Body) => {
      if (typeof topic === 'string') return topic === result[name]
      const { [name]: given, topicId } = topic as Body
      return given ? given === result[name] : topicId !== undefined && topicId === result.topicId
    }
    const isOpen = (topic: unknown) => topics.some(result => result[error] === code && isOf(topic, result))
    const open = Object.entries(request).flatMap(([field, value]) =>
      Array.isArray(value) ? [[field, value.filter(isOpen)]] : [],
    )
    if (!open.some(([, left]) => left?.length)) return undefined
    const answered = topics.filter(result => result[error] !== code)
    const asked = Object.values(request).flatMap(value => (Array.isArray(value) ? (value as unknown[]) : []))
    const placeOf = (result: Body) => asked.findIndex(topic => isOf(topic, result))
    return {
      request: { ...request, ...Object.fromEntries(open) },
      answered: { ...answer, [results]: answered },
      results,
      inOrder: all => ({ ...all, [results]: (all[results] as Body[]).toSorted((a, b) => placeOf(a) - placeOf(b)) }),
    }
  }
  return undefined
}
