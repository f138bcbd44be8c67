import { ErrorCode } from '../../protocol/error-codes.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { BrokerOptions } from '../options.ts'
import { nothing, type SaslExchange } from './mechanism.ts'
import { OAuthBearerExchange, unsecuredJwt } from './oauth-bearer.ts'
import { PlainExchange } from './plain.ts'
import { ScramExchange } from './scram.ts'

export type SaslOptions = NonNullable<BrokerOptions['sasl']>

/** `handshake`: nobody yet. `authenticate`: a mechanism is agreed on. `open`: authenticated. `failed`: the connection ends with the answer. */
type State = 'handshake' | 'authenticate' | 'open' | 'failed'

const transitions: Readonly<Record<State, readonly State[]>> = {
  handshake: ['authenticate', 'failed'],
  authenticate: ['authenticate', 'open', 'failed'],
  // Again, when its time is running out (KIP-368).
  open: ['authenticate', 'failed'],
  failed: [],
}

export interface AuthenticateAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly authBytes: Uint8Array
  readonly sessionLifetimeMs: bigint
}

const API_VERSIONS = 18
const SASL_HANDSHAKE = 17
const SASL_AUTHENTICATE = 36

/** Authentication of one connection: which requests it may send, and who it is. */
export class SaslServer {
  private readonly options: SaslOptions
  private readonly runtime: Runtime
  private state: State = 'handshake'
  private mechanism: string | undefined
  private exchange: SaslExchange | undefined
  private expiresAt: number | undefined
  /** Tokens come bare, without Kafka's headers, since the handshake was of version 0. */
  private bare = false
  principal: string | undefined

  constructor(options: SaslOptions, runtime: Runtime) {
    this.options = options
    this.runtime = runtime
  }

  get hasFailed(): boolean {
    return this.state === 'failed'
  }
  get takesBareTokens(): boolean {
    return this.bare && this.state === 'authenticate'
  }

  /** Whether a request may be served now. Anything else ends the connection, as it does on a Kafka broker. */
  admits(apiKey: number): boolean {
    switch (this.state) {
      case 'handshake':
        return apiKey === API_VERSIONS || apiKey === SASL_HANDSHAKE
      case 'authenticate':
        return apiKey === SASL_AUTHENTICATE
      case 'open':
        return apiKey === SASL_HANDSHAKE || this.expiresAt === undefined || this.runtime.clock.monotonic() < this.expiresAt
      case 'failed':
        return false
    }
  }

  handshake(mechanism: string, version: number): { errorCode: number; mechanisms: readonly string[] } {
    const { mechanisms } = this.options
    if (this.state === 'authenticate') return { errorCode: this.fail(ErrorCode.ILLEGAL_SASL_STATE), mechanisms }
    const exchange = (mechanisms as readonly string[]).includes(mechanism) ? this.start(mechanism) : undefined
    if (!exchange) return { errorCode: this.fail(ErrorCode.UNSUPPORTED_SASL_MECHANISM), mechanisms }
    // Nobody may become somebody else on an open connection.
    if (this.mechanism !== undefined && this.mechanism !== mechanism)
      return { errorCode: this.fail(ErrorCode.UNSUPPORTED_SASL_MECHANISM), mechanisms }
    this.mechanism = mechanism
    this.exchange = exchange
    this.bare = version === 0
    this.to('authenticate')
    return { errorCode: ErrorCode.NONE, mechanisms }
  }

  async authenticate(token: Buffer): Promise<AuthenticateAnswer> {
    const { exchange } = this
    if (!exchange)
      return this.denied(ErrorCode.ILLEGAL_SASL_STATE, 'SaslAuthenticate request received after successful authentication')
    const step = await exchange.step(token)
    if (step.kind === 'continue')
      return { errorCode: ErrorCode.NONE, errorMessage: null, authBytes: step.reply, sessionLifetimeMs: 0n }
    if (step.kind === 'failed') return this.denied(ErrorCode.SASL_AUTHENTICATION_FAILED, step.message)
    if (this.principal !== undefined && this.principal !== step.principal)
      return this.denied(ErrorCode.SASL_AUTHENTICATION_FAILED, 'Cannot change principals during re-authentication')
    this.principal = step.principal
    this.exchange = undefined
    this.to('open')
    const lifetimeMs = this.lifetimeMs(step.expiresAtMs)
    this.expiresAt = lifetimeMs === undefined ? undefined : this.runtime.clock.monotonic() + lifetimeMs
    return {
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      authBytes: step.reply,
      sessionLifetimeMs: BigInt(Math.floor(lifetimeMs ?? 0)),
    }
  }

  /** The shorter of what the listener and what the credential allow. */
  private lifetimeMs(expiresAtMs: number | undefined): number | undefined {
    const limits = [
      ...(this.options.maxReauthMs > 0 ? [this.options.maxReauthMs] : []),
      ...(expiresAtMs === undefined ? [] : [Math.max(0, expiresAtMs - this.runtime.clock.now())]),
    ]
    return limits.length === 0 ? undefined : Math.min(...limits)
  }

  private start(mechanism: string): SaslExchange | undefined {
    const { users, validateToken } = this.options
    switch (mechanism) {
      case 'PLAIN':
        return new PlainExchange(users)
      case 'SCRAM-SHA-256':
        return new ScramExchange(users, 'sha256', this.runtime)
      case 'SCRAM-SHA-512':
        return new ScramExchange(users, 'sha512', this.runtime)
      case 'OAUTHBEARER':
        return new OAuthBearerExchange(validateToken ?? unsecuredJwt(this.runtime.clock))
    }
    return undefined
  }

  private denied(errorCode: number, errorMessage: string): AuthenticateAnswer {
    return { errorCode: this.fail(errorCode), errorMessage, authBytes: nothing, sessionLifetimeMs: 0n }
  }

  private fail(errorCode: number): number {
    this.to('failed')
    return errorCode
  }

  private to(state: State): void {
    if (transitions[this.state].includes(state)) this.state = state
    else this.state = 'failed'
  }
}
