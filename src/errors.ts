/** Every error that reaches a user: ten kinds below one base, told apart by `code` rather than by class. */

/**
 * Stable, machine-readable kinds of failure. Match on these: unlike `instanceof` they survive two installed copies
 * of the package and a trip through a structured clone.
 */
export type ErrorCode =
  | 'ERR_BROKER'
  | 'ERR_CONNECTION'
  | 'ERR_AUTHENTICATION'
  | 'ERR_TIMEOUT'
  | 'ERR_ABORTED'
  | 'ERR_PROTOCOL'
  | 'ERR_CORRUPT_RECORD'
  | 'ERR_UNSUPPORTED_VERSION'
  | 'ERR_CONFIG'
  | 'ERR_FENCED'
  | 'ERR_CLOSED'
  | 'ERR_DESERIALIZATION'
  | 'ERR_SERIALIZATION'
  | 'ERR_ILLEGAL_STATE'
  | 'ERR_INVALID_ARGUMENT'
  | 'ERR_NO_OFFSET'
  | 'ERR_OFFSET_OUT_OF_RANGE'
  | 'ERR_COMMIT_FAILED'
  | 'ERR_REBALANCE_IN_PROGRESS'
  | 'ERR_BUFFER_FULL'
  | 'ERR_RECORD_TOO_LARGE'
  | 'ERR_MISSING_CODEC'
  | 'ERR_PARTIAL_FAILURE'

export interface ErrorOptions {
  readonly cause?: unknown
  /** Whether the same call may succeed later. */
  readonly retriable?: boolean
}

/** Base of all errors of this package. The message ends with the probable fix. */
export class KafkaError extends Error {
  override readonly name: string = 'KafkaError'
  readonly code: ErrorCode
  /** Whether the same call, unchanged, may succeed later. */
  readonly retriable: boolean

  constructor(code: ErrorCode, message: string, { cause, retriable = false }: ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retriable = retriable
  }

  /** True for an error of any copy of this package. */
  static is(value: unknown): value is KafkaError {
    return (
      value instanceof Error &&
      'code' in value &&
      'retriable' in value &&
      typeof value.code === 'string' &&
      value.code.startsWith('ERR_')
    )
  }
}

/** A broker answered with an error code. */
export class BrokerError extends KafkaError {
  override readonly name: string = 'BrokerError'
  /** Kafka's name of the error, such as `NOT_LEADER_OR_FOLLOWER`. */
  readonly error: string
  readonly errorCode: number
  readonly api: string | undefined
  readonly topic: string | undefined
  readonly partition: number | undefined

  constructor(
    message: string,
    details: {
      error: string
      errorCode: number
      api?: string | undefined
      topic?: string | undefined
      partition?: number | undefined
      code?: ErrorCode
    },
    options?: ErrorOptions,
  ) {
    super(details.code ?? 'ERR_BROKER', message, options)
    this.error = details.error
    this.errorCode = details.errorCode
    this.api = details.api
    this.topic = details.topic
    this.partition = details.partition
  }
}

/** Another client with the same identity took over: this one must not go on (KIP-360, KIP-345, KIP-447). */
export class FencedError extends BrokerError {
  override readonly name = 'FencedError'
  constructor(message: string, details: ConstructorParameters<typeof BrokerError>[1], options?: ErrorOptions) {
    super(message, { ...details, code: 'ERR_FENCED' }, options)
  }
}

/** Whether the broker may have acted on a request whose answer never came. */
export type Outcome = 'not-sent' | 'unknown'

/** The connection could not be made, or ended with requests unanswered. */
export class ConnectionError extends KafkaError {
  override readonly name = 'ConnectionError'
  readonly host: string
  readonly port: number
  /** `not-sent`: no byte of the request left, it is safe to repeat. `unknown`: the broker may have acted on it. */
  readonly outcome: Outcome

  constructor(
    message: string,
    {
      host,
      port,
      outcome,
      code = 'ERR_CONNECTION',
    }: { host: string; port: number; outcome: Outcome; code?: 'ERR_CONNECTION' | 'ERR_AUTHENTICATION' },
    options: ErrorOptions = {},
  ) {
    super(code, message, { retriable: code === 'ERR_CONNECTION', ...options })
    this.host = host
    this.port = port
    this.outcome = outcome
  }
}

/** A deadline passed. */
export class TimeoutError extends KafkaError {
  override readonly name = 'TimeoutError'
  /** What was waited for, such as `Produce request to broker 1`. */
  readonly operation: string
  readonly afterMs: number
  readonly outcome: Outcome

  constructor(
    operation: string,
    afterMs: number,
    { outcome = 'unknown', hint, ...options }: ErrorOptions & { outcome?: Outcome; hint?: string } = {},
  ) {
    // What is left of a budget is seldom a whole number.
    const wholeMs = Math.round(afterMs)
    super('ERR_TIMEOUT', `${operation} did not finish within ${wholeMs} ms${hint ? `: ${hint}` : ''}`, {
      retriable: true,
      ...options,
    })
    this.operation = operation
    this.afterMs = wholeMs
    this.outcome = outcome
  }
}

/** Bytes that are not what the protocol says. */
export class ProtocolError extends KafkaError {
  override readonly name: string = 'ProtocolError'
  /** Name of the message, such as `FetchResponse`. */
  readonly api: string | undefined
  readonly version: number | undefined
  /** Path of the field inside the message, such as `topics[3].partitions[0].errorCode`; empty for the message itself. */
  readonly path: string | undefined
  /** Byte offset inside the frame, the batch or the buffer at hand. */
  readonly offset: number | undefined

  constructor(
    message: string,
    details: {
      api?: string | undefined
      version?: number | undefined
      path?: string | undefined
      offset?: number | undefined
    } = {},
    options?: ErrorOptions,
    code: 'ERR_PROTOCOL' | 'ERR_CORRUPT_RECORD' = 'ERR_PROTOCOL',
  ) {
    super(code, message, options)
    this.api = details.api
    this.version = details.version
    this.path = details.path
    this.offset = details.offset
  }
}

/** A record batch whose checksum, length or count is wrong. */
export class CorruptRecordError extends ProtocolError {
  override readonly name = 'CorruptRecordError'
  /** Base offset of the batch, where its header could be read. */
  readonly baseOffset: bigint | undefined
  constructor(
    message: string,
    details: { offset?: number | undefined; baseOffset?: bigint | undefined } = {},
    options?: ErrorOptions,
  ) {
    super(message, details, options, 'ERR_CORRUPT_RECORD')
    this.baseOffset = details.baseOffset
  }
}

/** The broker and this client share no version of an API that has what was asked for. */
export class UnsupportedVersionError extends KafkaError {
  override readonly name = 'UnsupportedVersionError'
  readonly api: string
  constructor(api: string, message: string, options?: ErrorOptions) {
    super('ERR_UNSUPPORTED_VERSION', message, options)
    this.api = api
  }
}

/** Options that cannot be used: each issue names its option and the fix. */
export class ConfigError extends KafkaError {
  override readonly name = 'ConfigError'
  readonly issues: readonly { readonly path: string; readonly message: string }[]
  constructor(issues: readonly { readonly path: string; readonly message: string }[], options?: ErrorOptions) {
    super('ERR_CONFIG', issues.map(issue => (issue.path ? `${issue.path}: ${issue.message}` : issue.message)).join('; '), options)
    this.issues = issues
  }
}

/** The client, connection or broker was closed by its owner. */
export class ClosedError extends KafkaError {
  override readonly name = 'ClosedError'
  constructor(what: string, options?: ErrorOptions) {
    super('ERR_CLOSED', `${what} is closed`, options)
  }
}

/** A record that its serde could not read (D9): where it is, and the way past it. */
export class DeserializationError extends KafkaError {
  override readonly name = 'DeserializationError'
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly part: 'key' | 'value'
  constructor({
    topic,
    partition,
    offset,
    part,
    cause,
  }: { topic: string; partition: number; offset: bigint; part: 'key' | 'value'; cause: unknown }) {
    super(
      'ERR_DESERIALIZATION',
      `the ${part} of ${topic}-${partition} at offset ${offset} could not be read (${cause instanceof Error ? cause.message : String(cause)}); ` +
        `seek({ topic: '${topic}', partition: ${partition} }, ${offset + 1n}n) goes past it`,
      { cause },
    )
    this.topic = topic
    this.partition = partition
    this.offset = offset
    this.part = part
  }
}

/**
 * A call on several things that failed for at least one of them. `results` says what happened to each, in the order
 * in which the call named them; `cause` is the first failure.
 */
export class PartialFailureError<T = unknown> extends KafkaError {
  override readonly name = 'PartialFailureError'
  readonly results: readonly PromiseSettledResult<T>[]
  constructor(what: string, results: readonly PromiseSettledResult<T>[]) {
    const reasons = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []))
    const first = reasons[0]
    super(
      'ERR_PARTIAL_FAILURE',
      `${reasons.length} of ${results.length} ${what} failed, \`results\` says which; the first: ${first instanceof Error ? first.message : String(first)}`,
      { cause: first, retriable: reasons.every(reason => KafkaError.is(reason) && reason.retriable) },
    )
    this.results = results
  }
}
