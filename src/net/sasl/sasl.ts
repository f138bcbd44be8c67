/** What an authentication mechanism is: the seam for mechanisms of one's own, such as GSSAPI. */
import type { Runtime } from '../../runtime/runtime.ts'
import type { Logger } from '../../util/logger.ts'

export interface SaslContext {
  /** The broker, as it is named in `bootstrapServers` or in metadata. */
  readonly host: string
  readonly port: number
  readonly runtime: Runtime
  readonly logger: Logger
  /** How long it should take at most, in milliseconds: `requestTimeoutMs`, or what is left of the session that is renewed. */
  readonly timeoutMs: number
  /** Whether a session that goes on meanwhile is to be renewed (KIP-368), so that fresh credentials are worth waiting for. */
  readonly renewal: boolean
  /** Fires when the connection is over, or has waited for too long: then nobody wants what is being fetched. */
  readonly signal: AbortSignal
}

/** One authentication of one connection. */
export interface SaslSession {
  /** What to send first; may be empty. */
  readonly first: Uint8Array
  /**
   * Takes the broker's answer to the last token. Returns the next token, or undefined when the client side is done. Throws
   * (or rejects) to refuse the broker.
   */
  next(challenge: Uint8Array): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Told when the broker refuses the credentials. Returns whether another connection should be tried with others. */
  refused?(): boolean
  /** Texts that must never be seen: struck out of whatever the broker says in its error message. */
  readonly secrets: readonly string[]
}

export interface SaslAuthenticator {
  /** As the broker calls it, such as `SCRAM-SHA-256`. */
  readonly mechanism: string
  /** Begins an authentication: at each new connection, and again before a session expires (KIP-368). */
  start(context: SaslContext): Promise<SaslSession>
}

/**
 * A mechanism of one's own may be written without types: these say what it gave instead of what it should, and never show it.
 */
export function checkedSession(session: SaslSession): SaslSession {
  const isWhole = typeof session?.next === 'function' && Array.isArray(session.secrets)
  if (!isWhole || session.secrets.some(secret => typeof secret !== 'string'))
    throw new Error(`start() gave ${session ? 'an incomplete session' : session}: return { first, next, secrets }`)
  checkedToken(session.first, '`first` of the session is', 'an empty one if the broker speaks first')
  return session
}

export function checkedToken(token: Uint8Array, what: string, fix: string): Uint8Array {
  if (token instanceof Uint8Array) return token
  throw new Error(`${what} ${token === null ? 'null' : typeof token}, not bytes: give a Buffer or Uint8Array, ${fix}`)
}
