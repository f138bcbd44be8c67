import { TimeoutError } from '../../errors.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { onAbort, unlessAborted } from '../../util/abort-watch.ts'
import { clientCredentials, type OidcOptions } from './oidc.ts'
import type { SaslAuthenticator, SaslContext, SaslSession } from './sasl.ts'
import { asked, formsOf } from './secret.ts'

export interface OAuthToken {
  /** The JWT, or whatever the broker takes. */
  readonly value: string
  /** When it ceases to be valid, in milliseconds since the epoch; without it the token is asked for each time. */
  readonly expiresAtMs?: number | undefined
  /** SASL extensions (KIP-342), added to those of the options. */
  readonly extensions?: Readonly<Record<string, string>> | undefined
}

export interface OAuthBearerOptions {
  /**
   * Gives the token; asked again when 80 % of its life has passed, and meanwhile the present one is used. `signal` fires when
   * nobody waits for the token any more. Either this, or `oidc`.
   */
  readonly token?: (context: {
    readonly runtime: Runtime
    readonly signal: AbortSignal
  }) => string | OAuthToken | Promise<string | OAuthToken>
  /** Fetches the token from an OpenID Connect provider (KIP-768). */
  readonly oidc?: OidcOptions
  readonly extensions?: Readonly<Record<string, string>>
  readonly authorizationId?: string
}

/** Part of a token's life after which it is fetched anew (`sasl.login.refresh.window.factor`). */
const REFRESH_WINDOW = 0.8
/** After a failure, while the present token is still valid. As in Java. */
const REFRESH_PAUSE_MS = 10_000

interface Held {
  readonly token: OAuthToken
  readonly expiresAtMs: number
  refreshAtMs: number
}

/** OAUTHBEARER (RFC 7628, KIP-255). One token serves all connections as long as it is valid. */
export class OAuthBearer implements SaslAuthenticator {
  readonly mechanism = 'OAUTHBEARER'
  readonly #options: OAuthBearerOptions
  readonly #obtain: (runtime: Runtime, signal: AbortSignal) => Promise<OAuthToken>
  #held: Held | undefined
  #pending: { readonly token: Promise<OAuthToken>; readonly signal: AbortSignal } | undefined

  constructor(options: OAuthBearerOptions) {
    this.#options = options
    const { token, oidc } = options
    this.#obtain = oidc
      ? (runtime, signal) => clientCredentials(oidc, runtime, signal)
      : async (runtime, signal) => {
          const given = await asked(() => token!({ runtime, signal }))
          if (typeof given === 'string') return { value: given }
          if (typeof given?.value !== 'string') throw new Error('token() gave no token: return a string, or { value }')
          return given
        }
  }

  async start(context: SaslContext): Promise<SaslSession> {
    const { token, isHeld } = await this.#current(context)
    const { value, extensions } = token
    const { authorizationId } = this.#options
    const all = Object.entries({ ...this.#options.extensions, ...extensions })
    check(value, all)
    const header = authorizationId ? `n,a=${authorizationId.replaceAll('=', '=3D').replaceAll(',', '=2C')},` : 'n,,'
    const fields = [`auth=Bearer ${value}`, ...all.map(([name, text]) => `${name}=${text}`)]
    let failure: string | undefined
    return {
      first: Buffer.from(`${header}\x01${fields.join('\x01')}\x01\x01`),
      next: challenge => {
        if (failure !== undefined) throw new Error(`the token was refused: ${failure}`)
        if (challenge.length === 0) return undefined
        // RFC 7628 §3.2.3: the error is acknowledged with one byte, and the broker then fails the exchange.
        failure = Buffer.from(challenge).toString('utf8')
        return Uint8Array.of(1)
      },
      refused: () => {
        // It may have been revoked before its time. One that was asked for just now is not better the second time.
        if (this.#held?.token.value === value) this.#held = undefined
        return isHeld
      },
      secrets: formsOf(value),
    }
  }

  /**
   * The present token, if it has not expired. From a point of its life on the next one is fetched. Only a session that is
   * renewed waits for that, half the time it has: the broker lets it live no longer than its token.
   */
  async #current(context: SaslContext): Promise<{ readonly token: OAuthToken; readonly isHeld: boolean }> {
    const { clock } = context.runtime
    const held = this.#held
    if (!held || clock.now() >= held.expiresAtMs) return { token: await this.#next(context), isHeld: false }
    if (clock.now() >= held.refreshAtMs) {
      const refreshed = context.renewal || !this.#pending ? this.#refreshed(held, context) : undefined
      const next = context.renewal ? await refreshed : undefined
      if (next) return { token: next, isHeld: false }
    }
    return { token: held.token, isHeld: true }
  }

  /** The next token, or undefined if it cannot be had while this one serves. A source that hangs is not waited for for ever. */
  async #refreshed(held: Held, context: SaslContext): Promise<OAuthToken | undefined> {
    const { clock } = context.runtime
    const life = new AbortController()
    const limitMs = context.renewal ? context.timeoutMs / 2 : context.timeoutMs
    const timer = clock.setTimer(limitMs, () =>
      life.abort(new TimeoutError('fetching a token', limitMs, { outcome: 'not-sent' })),
    )
    const unlisten = onAbort(context.signal, () => life.abort(context.signal.reason))
    try {
      return await unlessAborted(this.#next({ ...context, signal: life.signal }), life.signal)
    } catch (err) {
      held.refreshAtMs = clock.now() + REFRESH_PAUSE_MS
      if (!context.signal.aborted) context.logger.warn({ err }, 'no new token; the present one is used until it expires')
      return undefined
    } finally {
      timer.cancel()
      unlisten()
    }
  }

  /** Single flight: a hundred connections ask for one token. When the one that asked is over, the others ask for themselves. */
  async #next(context: SaslContext): Promise<OAuthToken> {
    for (;;) {
      this.#pending ??= { token: this.#fetched(context), signal: context.signal }
      const { token, signal } = this.#pending
      try {
        return await token
      } catch (error) {
        if (!signal.aborted || context.signal.aborted) throw error
      }
    }
  }

  async #fetched({ runtime, signal }: SaslContext): Promise<OAuthToken> {
    const askedAtMs = runtime.clock.now()
    try {
      const token = await unlessAborted(this.#obtain(runtime, signal), signal)
      const { expiresAtMs } = token
      const refreshAtMs = askedAtMs + ((expiresAtMs ?? 0) - askedAtMs) * REFRESH_WINDOW
      this.#held = expiresAtMs === undefined ? undefined : { token, expiresAtMs, refreshAtMs }
      return token
    } finally {
      this.#pending = undefined
    }
  }
}

function check(value: string, extensions: readonly (readonly [string, string])[]): void {
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
    throw new Error('the token is empty, or holds blanks or control characters')
  for (const [name, text] of extensions) {
    if (name === 'auth' || !/^[A-Za-z]+$/.test(name))
      throw new Error(`'${name}' is no SASL extension: use letters only, and not 'auth'`)
    if (!/^[\x20-\x7e\r\n\t]*$/.test(text)) throw new Error(`the SASL extension '${name}' holds characters that it must not`)
  }
}
