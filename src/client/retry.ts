import { ConnectionError, KafkaError, type Outcome, TimeoutError } from '../errors.ts'
import { ErrorCode, errorRow } from '../protocol/error-codes.ts'
import type { Api } from '../protocol/schema.ts'
import type { Deadline } from '../util/deadline.ts'
import type { Codes } from './error-codes-of.ts'
import { isRepeatable } from './repeatable.ts'

/** What to do before the same request is sent again; `undefined`: it is not, and the caller gets what there is. */
export type Remedy = 'wait' | 'refresh-metadata' | 'find-coordinator' | undefined

/** The broker gave up waiting, but what it began may still come to be. */
const AMBIGUOUS: ReadonlySet<number> = new Set([
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
])

/** The next request of a session has to differ from the one that failed. */
const SESSION: ReadonlySet<number> = new Set([
  ErrorCode.FETCH_SESSION_ID_NOT_FOUND,
  ErrorCode.INVALID_FETCH_SESSION_EPOCH,
  ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR,
  ErrorCode.SHARE_SESSION_NOT_FOUND,
  ErrorCode.INVALID_SHARE_SESSION_EPOCH,
])

/** The remedy for an error code: the error table's action, as far as a client that is no group member or producer can take it. */
export function remedyFor(api: Api, code: number): Remedy {
  const { action, retriable } = errorRow(code)
  if (!retriable || SESSION.has(code)) return undefined
  switch (action) {
    case 'retry':
      return AMBIGUOUS.has(code) && !isRepeatable(api) ? undefined : 'wait'
    case 'refresh-metadata':
    case 'find-coordinator':
      return action
    case 'none':
    case 'fail':
    case 'rejoin':
    case 'new-member-id':
    case 'reset-offset':
    case 'bump-epoch':
    case 'abort':
    case 'fence':
      return undefined
    default:
      return action satisfies never
  }
}

/** A code of an answer, or of one element of it, that a repetition of the same request may mend; NONE where there is none. */
export function mendable(api: Api, codes: Codes, to: 'any' | 'broker' | 'controller' | 'coordinator'): number {
  if (codes.top !== ErrorCode.NONE) return remedyFor(api, codes.top) === undefined ? ErrorCode.NONE : codes.top
  if (to === 'controller') return codes.inner.find(code => code === ErrorCode.NOT_CONTROLLER) ?? ErrorCode.NONE
  // Elsewhere the codes of parts are results: a partition without a leader is a true answer of Metadata.
  if (to !== 'coordinator') return ErrorCode.NONE
  const ofCoordinator = (code: number) => {
    const remedy = remedyFor(api, code)
    return remedy === 'wait' || remedy === 'find-coordinator'
  }
  // What succeeded in part is repeated only where that does no harm, and only if all that failed may pass.
  if (codes.innerSuccesses > 0 && !isRepeatable(api)) return ErrorCode.NONE
  return codes.inner.every(ofCoordinator) ? (codes.inner[0] ?? ErrorCode.NONE) : ErrorCode.NONE
}

/** Whether a request that ended in this error, without an answer, may be sent again. */
export function mayRepeat(api: Api, error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) {
    return error.retriable && (error.outcome === 'not-sent' || isRepeatable(api))
  }
  return isRetriable(error)
}

export function isRetriable(error: unknown): boolean {
  return KafkaError.is(error) && error.retriable
}

/** No other broker, and no later attempt, will answer differently. */
export function isFatal(error: unknown): boolean {
  if (!KafkaError.is(error)) return false
  // Credentials that a source fails to give are not credentials that were refused.
  if (error.code === 'ERR_AUTHENTICATION') return !error.retriable
  return error.code === 'ERR_CLOSED' || error.code === 'ERR_CONFIG'
}

/** The error of an operation that ran out of time while it was failing: what went wrong last is its cause, and in its text. */
export function timeIsUp(operation: string, { timeoutMs }: Deadline, cause: unknown, outcome?: Outcome): TimeoutError {
  if (cause instanceof TimeoutError && cause.operation === operation) return cause
  const failure = cause instanceof ConnectionError || cause instanceof TimeoutError ? cause.outcome : undefined
  return new TimeoutError(operation, timeoutMs, {
    cause,
    outcome: outcome ?? failure ?? 'unknown',
    hint: cause instanceof Error ? cause.message : String(cause),
  })
}
