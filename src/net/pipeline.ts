import { ProtocolError } from '../errors.ts'
import { decodeResponse, encodeRequest, peekCorrelationId } from '../protocol/frame.ts'
import type { Api, Encodable } from '../protocol/schema.ts'
import type { Clock, Timer, Transport } from '../runtime/runtime.ts'
import type { ConnectionHooks } from './connection.ts'
import { Exchange, type Expectation, type RequestOptions } from './exchange.ts'
import { Fifo } from './fifo.ts'
import type { Frame, FrameReader } from './frame-reader.ts'
import { joined } from './joined.ts'
import type { VersionLimits } from './version-range.ts'

/** What the pipeline asks of the connection it belongs to. */
export interface PipelineOwner {
  readonly where: string
  versionOf(api: Api, limits: VersionLimits): number
  /** Whether the state of the connection lets requests out. */
  maySend(): boolean
  /** Why they have to wait, when it does not. */
  whyNot(): string
  /** Something was finished: perhaps the last thing that a closing connection waits for. */
  progressed(): void
  /** The stream is of no more use. */
  fatal(error: Error): void
}

export interface PipelineOptions {
  readonly host: string
  readonly port: number
  readonly clientId: string | null
  readonly requestTimeoutMs: number
  readonly maxInFlight: number
  readonly hooks?: ConnectionHooks | undefined
}

const SILENCE = 'the broker hangs or cannot be reached, or the timeout is too short for this request'
/** After this long in one turn of the loop, answers that have arrived wait for the next one. */
const TURN_BUDGET_MS = 5
/** Up to so many answers of up to so many bytes nobody looks at the clock: noticing the end of a turn costs a turn itself. */
const UNTIMED_ANSWERS = 16
const UNTIMED_BYTES = 4 << 10

/** The requests of one connection, from the queue to their answers, which come in the same order. */
export class Pipeline {
  private readonly owner: PipelineOwner
  private readonly options: PipelineOptions
  private readonly clock: Clock
  private readonly hooks: ConnectionHooks | undefined
  private transport: Transport | undefined
  private reader: FrameReader | undefined
  private over = false
  private readonly waiting = new Fifo<Exchange>()
  private readonly answering = new Fifo<Exchange>()
  /** Whether the broker has answered anything beyond ApiVersions. */
  hasAnswered = false
  /** Encoded in this turn, not yet handed to the transport. */
  private encoded: Exchange[] = []
  private chunks: Uint8Array[] = []
  private writtenBytes = 0
  private flushScheduled = false
  /** The transport's buffers are full: the rest waits for `drained`. */
  private clogged = false
  private lastCorrelationId = 0
  private quietUntil = 0
  private quietTimer: Timer | undefined
  private deadlineTimer: Timer | undefined
  private deadlineAt = Number.POSITIVE_INFINITY
  /** When this turn of the loop began to bring answers; -1 while they are not timed. */
  private turnStart = -1
  private untimed = 0
  private held = false

  constructor(owner: PipelineOwner, options: PipelineOptions, clock: Clock) {
    this.owner = owner
    this.options = options
    this.clock = clock
    this.hooks = options.hooks
  }

  /** Requests sent, or about to be, that are not answered yet. */
  get inFlight(): number {
    return this.answering.length
  }

  get queued(): number {
    return this.waiting.length
  }

  get throttledUntil(): number {
    return this.quietUntil
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && this.answering.length === 0 && this.encoded.length === 0
  }

  /** The stream that everything goes over from now on. */
  attach(transport: Transport, reader: FrameReader): void {
    this.transport = transport
    this.reader = reader
  }

  /** Gives up a stream that `attach`ed before, and what was sent on it. */
  detach(reason: Error): void {
    this.transport = this.reader = undefined
    this.encoded = []
    this.chunks = []
    this.clogged = false
    for (const exchange of this.answering.takeAll()) exchange.fail(reason)
  }

  /** Ends everything that is not finished, each with what can be known about it. */
  end(error: Error | undefined): void {
    this.over = true
    this.deadlineTimer?.cancel()
    this.quietTimer?.cancel()
    this.quietTimer = undefined
    this.encoded = []
    this.chunks = []
    const [due, ...others] = this.answering.takeAll()
    due?.fail(due.lost(error, this.options))
    // Answers come in order: one that cannot be understood was for the first request, and says nothing against the others.
    const passing = due?.expects === 'answer' && error instanceof ProtocolError
    const reason = passing ? new ProtocolError(error.message, error, { cause: error, retriable: true }) : error
    for (const exchange of [...others, ...this.waiting.takeAll()]) exchange.fail(exchange.lost(reason, this.options))
  }

  // ---- sending

  /** Queues a request and sends it when its turn comes. */
  start<T>(api: Api, request: Encodable<Api['request']>, options: RequestOptions, expects: Expectation): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const exchange = this.exchange(api, request, options, expects, resolve, reject)
      if (options.signal) {
        if (options.signal.aborted) return exchange.fail(exchange.aborted(this.options))
        exchange.onAbort(options.signal, this.callerAborted)
      }
      this.armDeadline(exchange.deadline)
      if (this.waiting.length === 0 && this.maySend()) this.encode(exchange)
      else this.waiting.push(exchange)
    })
  }

  /** Sends a request of the handshake: at once, past the queue and its limits. */
  startUrgent<T>(api: Api, request: Encodable<Api['request']>, options: RequestOptions, expects: Expectation): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const exchange = this.exchange(api, request, options, expects, resolve, reject)
      this.armDeadline(exchange.deadline)
      this.encode(exchange)
    })
  }

  private exchange<T>(
    api: Api,
    request: Encodable<Api['request']>,
    options: RequestOptions,
    expects: Expectation,
    resolve: (answer: T) => void,
    reject: (error: Error) => void,
  ): Exchange {
    const { requestTimeoutMs: patienceMs } = this.options
    const { timeoutMs = patienceMs } = options
    const now = this.clock.monotonic()
    return new Exchange(api, request, options, expects, { timeoutMs, patienceMs, now }, resolve, reject)
  }

  private maySend(): boolean {
    if (this.clogged || this.quietTimer || this.answering.length >= this.options.maxInFlight) return false
    return this.owner.maySend()
  }

  /** Sends what waits, as far as it may. */
  dispatch(): void {
    while (this.waiting.length > 0 && this.maySend()) this.encode(this.waiting.shift()!)
  }

  private encode(exchange: Exchange): void {
    const { api, request, options, expects } = exchange
    try {
      if (expects === 'token') {
        const { token } = request as unknown as { token: Uint8Array }
        const length = Buffer.alloc(4)
        length.writeInt32BE(token.length)
        this.queue(exchange, [length, token])
        return
      }
      exchange.version = expects === 'frame' ? options.version! : this.owner.versionOf(api, options)
      exchange.correlationId = this.lastCorrelationId = (this.lastCorrelationId + 1) & 0x7fffffff
      const { correlationId } = exchange
      this.queue(exchange, encodeRequest(api, exchange.version, { correlationId, clientId: this.options.clientId }, request))
    } catch (error) {
      exchange.fail(error as Error)
      this.owner.progressed()
    }
  }

  private queue(exchange: Exchange, chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      exchange.bytes += chunk.length
      this.chunks.push(chunk)
    }
    exchange.state = 'encoded'
    this.encoded.push(exchange)
    if (exchange.expects !== 'nothing') this.answering.push(exchange)
    if (this.flushScheduled) return
    this.flushScheduled = true
    // In a microtask, so that what is sent in one turn leaves in one writev.
    queueMicrotask(this.flush)
  }

  /** The transport takes bytes again. */
  drained(): void {
    this.clogged = false
    this.dispatch()
  }

  private readonly flush = (): void => {
    this.flushScheduled = false
    const { encoded, chunks, transport } = this
    if (this.over || !transport || encoded.length === 0) return
    this.encoded = []
    this.chunks = []
    const now = this.clock.monotonic()
    for (const exchange of encoded) {
      if (exchange.state === 'encoded') exchange.state = 'written'
      exchange.writtenAt = now
      exchange.endsAt = this.writtenBytes += exchange.bytes
    }
    this.clogged = !transport.write(joined(chunks))
    for (const exchange of encoded) {
      const { api, version, bytes, correlationId, expects } = exchange
      if (this.hooks?.written && expects !== 'token') this.hooks.written({ api: api.name, version, bytes, correlationId })
      if (expects === 'nothing') exchange.succeed(undefined)
    }
    this.owner.progressed()
  }

  private readonly callerAborted = (exchange: Exchange): void => {
    if (exchange.state === 'waiting') {
      this.waiting.remove(exchange)
      exchange.fail(exchange.aborted(this.options))
    } else {
      exchange.abandon(exchange.aborted(this.options))
    }
  }

  // ---- receiving

  /** Takes the next frame of the stream. Returns false when the ones behind it have to wait. */
  received(frame: Frame): boolean {
    if (this.turnStart < 0 && (++this.untimed > UNTIMED_ANSWERS || frame.buffer.length > UNTIMED_BYTES)) {
      this.untimed = 0
      this.turnStart = this.clock.monotonic()
      this.clock.soon(this.turnEnded)
    }
    const exchange = this.answering.peek()
    try {
      if (!exchange) throw new ProtocolError(`${this.owner.where} sent ${frame.buffer.length} bytes that nothing asked for`)
      if (exchange.state === 'encoded') throw new ProtocolError(`${this.owner.where} answered before it was asked`)
      if (exchange.expects === 'token') return this.answered(exchange, frame, frame.buffer)
      const correlationId = peekCorrelationId(frame.buffer)
      if (correlationId !== exchange.correlationId) {
        // Not which one it says: those may be four bytes of a password that the peer echoes.
        throw new ProtocolError(
          `${this.owner.where} answered another request than the one that was due (${exchange.api.name}, correlation id ${exchange.correlationId}): check that a Kafka broker listens there, and that no proxy mixes connections`,
          { api: exchange.api.name },
          { retriable: true },
        )
      }
      if (exchange.expects === 'frame') return this.answered(exchange, frame, frame.buffer)
      const { api, version } = exchange
      // It may say how long to stay quiet (KIP-219), whoever still waits for the rest of it.
      const wanted = exchange.state !== 'abandoned' || version >= api.clientThrottlesSince
      return this.answered(exchange, frame, wanted ? decodeResponse(api, version, frame.buffer) : undefined)
    } catch (error) {
      this.owner.fatal(error as Error)
      return false
    }
  }

  private answered(exchange: Exchange, frame: Frame, answer: unknown): boolean {
    this.answering.shift()
    const { hooks } = this
    const { api, version, correlationId } = exchange
    if (hooks?.read && exchange.expects !== 'token') {
      const durationMs = this.clock.monotonic() - exchange.writtenAt
      hooks.read({ api: api.name, version, bytes: frame.buffer.length, correlationId, durationMs })
    }
    if (exchange.expects === 'answer' && answer !== undefined) {
      this.hasAnswered = true
      if (version >= api.clientThrottlesSince) this.throttle(api, (answer as { throttleTimeMs?: number }).throttleTimeMs ?? 0)
    }
    if (exchange.state === 'abandoned') frame.release()
    else if (exchange.expects === 'answer') exchange.options.frame?.(frame, this.hasLeft(exchange))
    exchange.succeed(answer)
    if (this.waiting.length > 0) this.dispatch()
    this.owner.progressed()
    return this.mayGoOn()
  }

  private hasLeft(exchange: Exchange): boolean {
    const { transport, writtenBytes } = this
    return transport !== undefined && exchange.endsAt <= writtenBytes - transport.unflushedBytes
  }

  /** False when this turn of the loop has taken long enough: the rest of what has arrived follows in the next one. */
  private mayGoOn(): boolean {
    if (this.turnStart < 0 || this.clock.monotonic() - this.turnStart <= TURN_BUDGET_MS) return true
    this.held = true
    this.transport?.pause()
    return false
  }

  private readonly turnEnded = (): void => {
    this.turnStart = -1
    if (!this.held) return
    this.held = false
    this.transport?.resume()
    this.reader?.resume()
  }

  private throttle(api: Api, throttleMs: number): void {
    if (throttleMs <= 0) return
    const { clock } = this
    this.hooks?.throttled?.({ api: api.name, throttleMs })
    this.quietUntil = Math.max(this.quietUntil, clock.monotonic() + throttleMs)
    this.quietTimer?.cancel()
    const wake = () => {
      const left = this.quietUntil - clock.monotonic()
      // A timer may fire early by a fraction of a millisecond.
      this.quietTimer = left > 0 ? clock.setTimer(Math.ceil(left), wake) : undefined
      if (!this.quietTimer) this.dispatch()
    }
    this.quietTimer = clock.setTimer(throttleMs, wake)
  }

  // ---- time

  /** One timer for all requests, at the earliest deadline; none is set again when nothing waits. */
  private armDeadline(deadline: number): void {
    if (deadline >= this.deadlineAt) return
    this.deadlineTimer?.cancel()
    this.deadlineAt = deadline
    const { clock } = this
    this.deadlineTimer = clock.setTimer(Math.max(0, Math.ceil(deadline - clock.monotonic())), () => this.deadlinePassed())
  }

  private deadlinePassed(): void {
    this.deadlineAt = Number.POSITIVE_INFINITY
    const now = this.clock.monotonic()
    const silent = [...this.answering].find(exchange => exchange.overdueAt <= now)
    if (silent) {
      const timeout = silent.expired(
        this.options,
        `${SILENCE}; the connection is dropped`,
        Math.max(silent.timeoutMs, this.options.requestTimeoutMs),
      )
      silent.fail(timeout)
      // Its answer may still come, and would then be taken for another's: the stream is of no more use.
      this.owner.fatal(timeout)
      return
    }
    for (const exchange of this.answering) if (exchange.deadline <= now) exchange.abandon(exchange.expired(this.options, SILENCE))
    const late = [...this.waiting].filter(exchange => exchange.deadline <= now)
    for (const exchange of late) {
      this.waiting.remove(exchange)
      exchange.fail(exchange.expired(this.options, this.whyWaiting()))
    }
    let next = Number.POSITIVE_INFINITY
    for (const { deadline, overdueAt } of this.answering) next = Math.min(next, deadline > now ? deadline : overdueAt)
    for (const { deadline } of this.waiting) next = Math.min(next, deadline)
    if (next < Number.POSITIVE_INFINITY) this.armDeadline(next)
    this.owner.progressed()
  }

  private whyWaiting(): string {
    if (this.quietTimer) return "the broker throttles this client; raise the client's quota or send less"
    if (this.clogged) return 'the broker does not take more bytes; it is overloaded, or hangs'
    if (this.answering.length >= this.options.maxInFlight)
      return 'the requests before it are not answered yet; the broker is slow'
    return this.owner.whyNot()
  }
}
