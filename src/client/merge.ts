import { BrokerError, ConnectionError, KafkaError, TimeoutError, UnsupportedVersionError } from '../errors.ts'
import { ErrorCode } from '../protocol/error-codes.ts'
import { defaultsOf } from '../protocol/presence.ts'
import type { Api, Shape } from '../protocol/schema.ts'

/** A request or an answer, or a part of one, seen without its API. */
export type Body = Record<string, unknown>

/** One answer of several: the listed arrays joined in order, the longest throttle, the first error. */
export function joined(api: Api, answers: readonly Body[], arrays: readonly string[]): Body {
  const first = answers[0]
  if (answers.length === 1 && first) return first
  const merged: Body = { ...(first ?? defaultsOf(api.response.shape)) }
  for (const [name, { presence }] of Object.entries(api.response.shape as Shape)) {
    if (presence.role === 'throttleTimeMs') merged[name] = Math.max(0, ...answers.map(answer => Number(answer[name] ?? 0)))
    else if (presence.role === 'errorCode') merged[name] = answers.find(answer => answer[name] !== ErrorCode.NONE)?.[name] ?? 0
  }
  for (const name of arrays) merged[name] = answers.flatMap(answer => (answer[name] as unknown[] | null) ?? [])
  return merged
}

/**
 * The answers among the results of a split request, and the first failure. Throws where every part failed, or one did for a
 * reason that concerns them all: wrong credentials, a closed client, a caller that gave up.
 */
export function partly(results: readonly PromiseSettledResult<Body>[]): { answers: Body[]; failure: Error | undefined } {
  const failures = results.flatMap(result => (result.status === 'rejected' ? [result.reason as Error] : []))
  const common = failures.find(failure => !isPartial(failure))
  if (common || (failures[0] && failures.length === results.length)) throw common ?? failures[0]
  return { answers: results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : [])), failure: failures[0] }
}

/** One answer to a request that was split by what it asks for: parts that failed have the failure in their place. Throws as `partly`. */
export function completed(
  api: Api,
  requests: readonly Body[],
  results: readonly PromiseSettledResult<Body>[],
  arrays: readonly string[],
): Body {
  partly(results)
  const answers = results.map((result, index) =>
    result.status === 'fulfilled' ? result.value : refused(api, requests[index] ?? {}, result.reason, arrays),
  )
  return joined(api, answers, arrays)
}

/** What stands in an answer for a part of a request that failed: each thing it named, with the code and text of the failure. */
function refused(api: Api, request: Body, failure: Error, arrays: readonly string[]): Body {
  const answer = defaultsOf(api.response.shape)
  for (const name of arrays) {
    const shape = elementShape(api.response.shape, name)
    const things = Object.values(request).find(value => Array.isArray(value) && value.length > 0) as Body[] | undefined
    answer[name] = (things ?? []).map(thing => {
      const element = defaultsOf(shape)
      for (const [field, { presence, wire }] of Object.entries(shape)) {
        if (presence.role === 'errorCode') element[field] = codeOf(failure)
        else if (field === 'errorMessage') element[field] = failure.message
        else if (typeof thing === 'string' && presence.entity === 'topicName') element[field] = thing
        else if (wire.kind !== 'array' && thing[field] !== undefined) element[field] = thing[field]
      }
      return element
    })
  }
  return answer
}

/** Failures of one broker, which say nothing about the parts of a request that go to others. */
export function isPartial(error: Error): boolean {
  return (
    (error instanceof ConnectionError && error.code === 'ERR_CONNECTION') ||
    error instanceof TimeoutError ||
    error instanceof UnsupportedVersionError ||
    error instanceof BrokerError
  )
}

/** The error code that stands for a failure where an answer has room for nothing else. */
export function codeOf(failure: Error | undefined): number {
  if (failure instanceof BrokerError) return failure.errorCode
  if (failure instanceof TimeoutError) return ErrorCode.REQUEST_TIMED_OUT
  if (failure instanceof UnsupportedVersionError) return ErrorCode.UNSUPPORTED_VERSION
  return KafkaError.is(failure) ? ErrorCode.NETWORK_EXCEPTION : ErrorCode.UNKNOWN_SERVER_ERROR
}

/** The shape of the elements of an array of structs; empty for any other field. */
export function elementShape(shape: Shape, field: string): Shape {
  const wire = shape[field]?.wire
  return wire?.kind === 'array' && wire.element.kind === 'struct' ? wire.element.shape : {}
}
