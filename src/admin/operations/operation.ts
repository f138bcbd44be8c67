import type { Api, Decoded, Encodable } from '../../protocol/schema.ts'

/** What every call takes. */
export interface CallOptions {
  /** The whole time, retries included. Default: the client's `defaultApiTimeoutMs`. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** One admin operation without any network: what to ask, and what the answer means. */
export interface Operation<A extends Api, Input, Result> {
  readonly api: A
  /** Versions that can say what is asked for. */
  versions?(input: Input): { minVersion?: number; maxVersion?: number }
  /** Throws KafkaError ERR_INVALID_ARGUMENT. `timeoutMs` is how long the brokers may take. */
  build(input: Input, timeoutMs: number): Encodable<A['request']>
  /** Throws BrokerError where the call as a whole failed, PartialFailureError where some of it did. */
  read(answer: Decoded<A['response']>, input: Input): Result
}
