import type { Runtime } from '../../runtime/runtime.ts'
import { clientCredentials, type OidcOptions } from './oidc.ts'
import type { SaslAuthenticator, SaslContext, SaslSession } from './sasl.ts'
import { formsOf } from './secret.ts'

export interface OAuthToken {
  /** The JWT, or whatever the broker takes. */
  readonly value: string
  /** When it ceases to be valid, in milliseconds since the epoch; without it the token is asked for each time. */
  readonly expiresAtMs?: number | undefined
  /** SASL extensions (KIP-342), added to those of the options. */
  readonly extensions?: Readonly<Record<string, string>> | undefined
}

export interface OAuthBearerOptions {
  /** Gives the token; asked again when 80 % of its life has passed. Either this, or `oidc`. */
  readonly token?: (context: { readonly runtime: Runtime }) => string | OAuthToken | Promise<string | OAuthToken>
  /** Fetches the token from an OpenID Connect provider (KIP-768). */
  readonly oidc?: OidcOptions
  readonly extensions?: Readonly<Record<string, string>>
  readonly authorizationId?: string
}

/** Part of a token's life after which it is fetched anew (`sasl.login.refresh.window.factor`). */
const REFRESH_WINDOW = 0.8

/** OAUTHBEARER (RFC 7628, KIP-255). One token serves all connections until it is due for renewal. */
export class OAuthBearer implements SaslAuthenticator {
  readonly mechanism = 'OAUTHBEARER'
  readonly #options: OAuthBearerOptions
  readonly #obtain: (runtime: Runtime) => Promise<OAuthToken>
  #token: { readonly token: OAuthToken; readonly refreshAtMs: number } | undefined
  #pending: Promise<OAuthToken> | undefined

  constructor(options: OAuthBearerOptions) {
    this.#options = options
    const { token, oidc } = options
    this.#obtain = oidc
      ? runtime => clientCredentials(oidc, runtime)
      : async runtime => {
          const given = await token!({ runtime })
          if (typeof given === 'string') return { value: given }
          if (typeof given?.value !== 'string') throw new Error('token() gave no token: return a string, or { value }')
          return given
        }
  }

  async start({ runtime }: SaslContext): Promise<SaslSession> {
    const { value, extensions } = await this.#current(runtime)
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
        // It may have been revoked before its time.
        this.#token = undefined
        return false
      },
      secrets: formsOf(value),
    }
  }

  /** Single flight: a hundred connections ask for one token. */
  async #current(runtime: Runtime): Promise<OAuthToken> {
    if (this.#token && runtime.clock.now() < this.#token.refreshAtMs) return this.#token.token
    this.#pending ??= this.#renew(runtime).finally(() => {
      this.#pending = undefined
    })
    return this.#pending
  }

  async #renew(runtime: Runtime): Promise<OAuthToken> {
    const askedAt = runtime.clock.now()
    const token = await this.#obtain(runtime)
    const { expiresAtMs } = token
    this.#token =
      expiresAtMs === undefined ? undefined : { token, refreshAtMs: askedAt + (expiresAtMs - askedAt) * REFRESH_WINDOW }
    return token
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
