import { ConnectionError, KafkaError, TimeoutError } from '../errors.ts'
import { ErrorCode, errorRow } from '../protocol/error-codes.ts'
import type { Api } from '../protocol/schema.ts'
import { isRepeatable } from './repeatable.ts'

export const NONE = ErrorCode.NONE

/** What to do before the same request is sent again; `undefined`: it is not, and the caller gets what there is. */
export type Remedy = 'wait' | 'refresh-metadata' | 'find-coordinator' | undefined

/** The broker gave up waiting, but what it began may still come to be. */
const AMBIGUOUS: ReadonlySet<number> = new Set([
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.NETWORK_EXCEPTION,
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
])

/** The remedy for an error code in an answer: the error table's action, as far as a client without a role can take it. */
export function remedyFor(api: Api, code: number): Remedy {
  const { action } = errorRow(code)
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

/** Whether a request that ended in this error, without an answer, may be sent again. */
export function mayRepeat(api: Api, error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) {
    return error.retriable && (error.outcome === 'not-sent' || isRepeatable(api))
  }
  return KafkaError.is(error) && error.code === 'ERR_BROKER' && error.retriable
}
