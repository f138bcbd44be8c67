import { ConnectionError, KafkaError, TimeoutError } from '../../errors.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { pause, unlessAborted } from '../../util/abort-watch.ts'
import { addressText } from '../../util/address.ts'
import { backoffMs } from '../../util/backoff.ts'
import type { Logger } from '../../util/logger.ts'
import type { ConnectionState } from '../connection-state.ts'
import { authenticate, type HandshakeChannel } from './authentication.ts'
import { checkedSession, checkedToken, type SaslAuthenticator, type SaslSession } from './sasl.ts'
import { NoCredential } from './secret.ts'

/** What re-authentication does to the connection it happens on. */
export interface RenewableChannel extends HandshakeChannel {
  current(): ConnectionState
  /** From now on only the handshake is sent. */
  renewing(): void
  renewed(): void
  failed(error: Error): void
}

/** Of a session's lifetime. Java renews at 85–95 % and sends nothing meanwhile; here requests flow on while credentials are fetched. */
const RENEW_FROM = 0.8
const RENEW_SPREAD = 0.1
/** So long before its end requests wait: they would reach the broker, or the end of its queue, when the session has expired. */
const HOLD_MS = 5_000
/** But no more than this part of a short session. */
const HOLD_SHARE = 0.05
/** Brokers take a second authentication within a second for a mistake, and a hair's breadth that clocks may differ by. */
const MIN_INTERVAL_MS = 1_010
/** Between two tries to get credentials for a session that goes on meanwhile. */
const RETRY_PAUSE = { baseMs: 1_000, maxMs: 10_000 }

/**
 * Keeps a connection authenticated (KIP-368). No timer runs: the first request in the last part of the session's lifetime
 * sets it off, as in the Java client. Requests wait only while tokens are exchanged, or once the session is about to expire.
 */
export class SessionKeeper {
  private readonly authenticator: SaslAuthenticator
  private readonly channel: RenewableChannel
  private readonly runtime: Runtime
  private readonly options: { readonly requestTimeoutMs: number; readonly logger: Logger }
  private renewAt = Number.POSITIVE_INFINITY
  private holdAt = Number.POSITIVE_INFINITY
  private endsAt = Number.POSITIVE_INFINITY
  private notBefore = 0
  private busy = false
  private over = false
  /** What is under way, credentials that are fetched for later included. */
  private life = new AbortController()

  constructor(
    authenticator: SaslAuthenticator,
    channel: RenewableChannel,
    runtime: Runtime,
    options: { readonly requestTimeoutMs: number; readonly logger: Logger },
  ) {
    this.authenticator = authenticator
    this.channel = channel
    this.runtime = runtime
    this.options = options
  }

  /** Authenticates a new connection. */
  async authenticate(): Promise<void> {
    await this.exchange(await this.credentials(false), false)
  }

  /** Whether a request may go out now. Starts a re-authentication that is due. */
  maySend(): boolean {
    const now = this.runtime.clock.monotonic()
    if (now >= this.renewAt && !this.busy) {
      this.busy = true
      this.renew().then(
        () => {
          this.busy = false
        },
        (error: Error) => this.channel.failed(error),
      )
    }
    return now < this.holdAt
  }

  /** The connection is over: nothing is fetched any more. */
  end(reason: Error): void {
    this.over = true
    this.life.abort(reason)
  }

  private async renew(): Promise<void> {
    const session = await this.nextCredentials()
    const early = this.notBefore - this.runtime.clock.monotonic()
    if (early > 0) await pause(this.runtime.clock, Math.ceil(early), this.life.signal)
    if (this.channel.current() === 'closed') return
    this.channel.renewing()
    await this.exchange(session, true)
    this.channel.renewed()
  }

  private async exchange(session: SaslSession, renewal: boolean): Promise<void> {
    const { first, secrets } = session
    const timely: SaslSession = {
      first,
      secrets,
      // A mechanism may ask a service of its own for the next token, and it may hang.
      next: async challenge => {
        const token = await this.timed(session.next(challenge))
        return token === undefined ? token : checkedToken(token, 'next() gave', 'or undefined when it is done')
      },
      refused: () => {
        try {
          return session.refused?.() === true
        } catch (err) {
          this.options.logger.warn({ err }, `refused() of the ${this.authenticator.mechanism} session failed`)
          return false
        }
      },
    }
    const lifetimeMs = await authenticate(this.channel, this.authenticator.mechanism, timely, renewal)
    const now = this.runtime.clock.monotonic()
    const lastsMs = lifetimeMs || Number.POSITIVE_INFINITY
    this.renewAt = now + lastsMs * (RENEW_FROM + RENEW_SPREAD * this.runtime.random())
    this.endsAt = now + lastsMs
    this.notBefore = now + MIN_INTERVAL_MS
    this.holdAt = this.endsAt - Math.min(HOLD_MS, lastsMs * HOLD_SHARE)
  }

  /** As `credentials`, asked for until the session has expired: up to its end the broker serves it. */
  private async nextCredentials(): Promise<SaslSession> {
    const { clock, random } = this.runtime
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.credentials(true)
      } catch (error) {
        const leftMs = this.endsAt - clock.monotonic()
        if (this.over || leftMs <= 0) throw error
        if (this.life.signal.aborted) this.life = new AbortController()
        const fields = { broker: addressText(this.channel), err: error }
        this.options.logger.warn(fields, 'cannot authenticate again; the session is used until it expires')
        await pause(clock, Math.ceil(Math.min(leftMs, backoffMs(attempt, { ...RETRY_PAUSE, random }))), this.life.signal)
      }
    }
  }

  /** The mechanism may have to fetch a token, and its source may hang. */
  private async credentials(renewal: boolean): Promise<SaslSession> {
    const { authenticator, channel, runtime, options } = this
    const { host, port } = channel
    const { logger, requestTimeoutMs } = options
    const { signal } = this.life
    const leftMs = renewal ? Math.max(1, this.endsAt - runtime.clock.monotonic()) : requestTimeoutMs
    const context = { host, port, runtime, logger, timeoutMs: Math.min(leftMs, requestTimeoutMs), renewal, signal }
    try {
      return checkedSession(await this.timed(authenticator.start(context)))
    } catch (error) {
      if (error instanceof KafkaError) throw error
      throw new ConnectionError(
        `no ${authenticator.mechanism} credentials for ${addressText(channel)}: ${error instanceof Error ? error.message : String(error)}`,
        { host, port, outcome: 'not-sent', code: 'ERR_AUTHENTICATION' },
        { cause: error, retriable: error instanceof NoCredential },
      )
    }
  }

  /** The step's outcome, within the time of a request and the life of the connection. */
  private async timed<T>(step: T | Promise<T>): Promise<T> {
    const { authenticator, channel, runtime, life } = this
    const { requestTimeoutMs } = this.options
    const timer = runtime.clock.setTimer(requestTimeoutMs, () =>
      life.abort(
        new TimeoutError(`getting ${authenticator.mechanism} credentials for ${addressText(channel)}`, requestTimeoutMs, {
          outcome: 'not-sent',
          hint: 'check the source of the token',
        }),
      ),
    )
    try {
      return await unlessAborted(step, life.signal)
    } finally {
      timer.cancel()
    }
  }
}
