import { ClosedError, ConnectionError, KafkaError, type Outcome, TimeoutError } from '../errors.ts'
import type { Api, Encodable } from '../protocol/schema.ts'
import { onAbort } from '../util/abort-watch.ts'
import { type Address, addressText } from '../util/address.ts'
import type { Frame } from './frame-reader.ts'
import type { VersionLimits } from './version-range.ts'

export interface RequestOptions extends VersionLimits {
  /**
   * From the call to the answer, time in the queue included. Default: the connection's `requestTimeoutMs`; less than that
   * ends the request alone, and not the connection.
   */
  readonly timeoutMs?: number | undefined
  /** Gives up on the answer; a request that was sent already is not taken back by it. */
  readonly signal?: AbortSignal | undefined
  /**
   * Receives the frame that the answer was read into, before the promise resolves; its byte fields are views of it. With it comes
   * whether the request had left whole by then: what answers earlier is no broker, and memory that was sent may be in use still.
   */
  readonly frame?: ((frame: Frame, sentWhole: boolean) => void) | undefined
}

/** What the peer is expected to do: send a decodable answer, one handed over as it is, a bare SASL token, or nothing. */
export type Expectation = 'answer' | 'frame' | 'token' | 'nothing'

const nothing = () => {}
const NO_OPTIONS: RequestOptions = Object.freeze({})
const NO_REQUEST = Object.freeze({}) as Encodable<Api['request']>

/** One request on its way, and everything that is still to be done about it. */
export class Exchange {
  readonly api: Api
  request: Encodable<Api['request']>
  options: RequestOptions
  readonly expects: Expectation
  readonly timeoutMs: number
  /** On the monotonic clock. */
  readonly deadline: number
  /** From then on an answer that is still missing means that the stream is of no more use. */
  readonly overdueAt: number
  /** `encoded`: it waits for the end of this turn and no byte has left. `abandoned`: nobody waits for the answer any more. */
  state: 'waiting' | 'encoded' | 'written' | 'abandoned' | 'settled' = 'waiting'
  version = -1
  correlationId = 0
  bytes = 0
  writtenAt = 0
  /** How many bytes of the connection's stream end with this request. */
  endsAt = 0
  private resolve: (answer: never) => void
  private reject: (error: Error) => void
  private unlisten: (() => void) | undefined

  constructor(
    api: Api,
    request: Encodable<Api['request']>,
    options: RequestOptions,
    expects: Expectation,
    { timeoutMs, patienceMs, now }: { timeoutMs: number; patienceMs: number; now: number },
    resolve: (answer: never) => void,
    reject: (error: Error) => void,
  ) {
    this.api = api
    this.request = request
    this.options = options
    this.expects = expects
    this.timeoutMs = timeoutMs
    this.deadline = now + timeoutMs
    this.overdueAt = now + Math.max(timeoutMs, patienceMs)
    this.resolve = resolve
    this.reject = reject
  }

  /** Whether the peer may have seen it. */
  get outcome(): Outcome {
    return this.state === 'written' ? 'unknown' : 'not-sent'
  }

  /** Calls back when the caller's signal fires before the exchange is over. */
  onAbort(signal: AbortSignal, callback: (exchange: Exchange) => void): void {
    this.unlisten = onAbort(signal, () => callback(this))
  }

  /** Answers; harmless when the exchange is over. */
  succeed(answer: unknown): void {
    const { resolve } = this
    if (this.finish('settled')) resolve(answer as never)
  }

  fail(error: Error): void {
    const { reject } = this
    if (this.finish('settled')) reject(error)
  }

  /** As `fail`, but its answer will still come, and must be taken off the stream. */
  abandon(error: Error): void {
    const { reject } = this
    if (this.finish('abandoned')) reject(error)
  }

  /** Lets go of everything, too: an abandoned exchange stays in its queue until the answer has come. */
  private finish(state: 'settled' | 'abandoned'): boolean {
    if (this.state === 'settled' || this.state === 'abandoned') return false
    this.state = state
    this.unlisten?.()
    this.unlisten = undefined
    this.resolve = this.reject = nothing
    this.options = NO_OPTIONS
    this.request = NO_REQUEST
    return true
  }

  /** What to reject with when the connection is over because of `error`; undefined when its owner closed it. */
  lost(error: Error | undefined, where: Address): Error {
    const { outcome } = this
    const request = `${this.api.name} request to ${addressText(where)}`
    if (outcome === 'not-sent') {
      if (error instanceof ClosedError || !error)
        return new ClosedError(`the connection to ${addressText(where)}`, { cause: error })
      const authentication = KafkaError.is(error) && error.code === 'ERR_AUTHENTICATION'
      return new ConnectionError(
        `${request} was not sent: ${error.message}`,
        { ...where, outcome, code: authentication ? 'ERR_AUTHENTICATION' : 'ERR_CONNECTION' },
        { cause: error, retriable: KafkaError.is(error) ? error.retriable : true },
      )
    }
    return new ConnectionError(
      `${request} got no answer: ${error?.message ?? 'the connection was closed'}; the broker may or may not have acted on it, so repeat it only if that is harmless`,
      { ...where, outcome },
      { cause: error, retriable: !KafkaError.is(error) || error.retriable || error instanceof ClosedError },
    )
  }

  expired(where: Address, reason: string, afterMs = this.timeoutMs): TimeoutError {
    return new TimeoutError(`${this.api.name} request to ${addressText(where)}`, afterMs, {
      outcome: this.outcome,
      hint: reason,
    })
  }

  aborted(where: Address): KafkaError {
    const what = `${this.api.name} request to ${addressText(where)} was aborted by its caller`
    // What is encoded leaves at the end of this turn.
    const error =
      this.state === 'waiting' ? `${what} before it was sent` : `${what} after it was sent: the broker may have acted on it`
    return new KafkaError('ERR_ABORTED', error, { cause: this.options.signal?.reason })
  }
}
