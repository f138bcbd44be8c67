/**
 * The error codes of Kafka 4.4.0, and what a client does about each. Names and retriability are Java's
 * (`org.apache.kafka.common.protocol.Errors`, held equal by a test); actions and messages are ours.
 */

import { BrokerError, FencedError } from '../errors.ts'
import { type Action, errorTable } from './error-table.ts'

export type { Action }

export interface ErrorRow {
  readonly code: number
  /** Kafka's name, such as `NOT_LEADER_OR_FOLLOWER`. */
  readonly name: string
  readonly action: Action
  /** Whether Java's clients call it retriable: the same request, unchanged, may succeed later. */
  readonly retriable: boolean
  /** What happened, and the probable fix. */
  readonly message: string
}

/** Kafka's name of every error, with its number. */
export const ErrorCode = Object.fromEntries(Object.entries(errorTable).map(([name, entry]) => [name, entry.code])) as {
  readonly [Name in keyof typeof errorTable]: (typeof errorTable)[Name]['code']
}

const rows: ReadonlyMap<number, ErrorRow> = new Map(
  Object.entries(errorTable).map(([name, entry]): [number, ErrorRow] => [entry.code, { name, ...entry }]),
)

/** All errors, by ascending code. */
export const errorRows: readonly ErrorRow[] = [...rows.values()]

/** The row of a code. A code newer than this package counts as UNKNOWN_SERVER_ERROR but keeps its number. */
export function errorRow(code: number): ErrorRow {
  return (
    rows.get(code) ?? {
      name: 'UNKNOWN_SERVER_ERROR',
      ...errorTable.UNKNOWN_SERVER_ERROR,
      code,
      message: `error code ${code} is newer than this client: update the client, and see the broker's documentation meanwhile`,
    }
  )
}

/**
 * The error to throw or report for a code that a broker answered with: a FencedError where another client took over,
 * a BrokerError otherwise. `where` says what it was about; its `message` is the broker's own text.
 */
export function brokerError(
  code: number,
  where: {
    readonly api?: string | undefined
    readonly topic?: string | undefined
    readonly partition?: number | undefined
    readonly message?: string | null | undefined
  } = {},
): BrokerError {
  const { name, action, retriable, message } = errorRow(code)
  const { api, topic, partition } = where
  const place = topic === undefined ? '' : partition === undefined ? ` of ${topic}` : ` of ${topic}-${partition}`
  const said = where.message ? ` ("${where.message}")` : ''
  const text = `${api ?? 'request'}${place} failed with ${name} (${code})${said}: ${message}`
  const Kind = action === 'fence' ? FencedError : BrokerError
  return new Kind(text, { error: name, errorCode: code, api, topic, partition }, { retriable })
}
