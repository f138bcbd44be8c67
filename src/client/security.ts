import type { SaslAuthenticator, SaslOptions } from '../net/sasl/index.ts'
import type { TlsOptions } from '../runtime/runtime.ts'

/** `true` for TLS with node's trusted roots; options of node:tls `connect`; or a function asked for each new connection. */
export type TlsOption = boolean | TlsOptions | (() => TlsOptions | Promise<TlsOptions>)

/** How to authenticate: a built-in mechanism, or an authenticator of one's own. */
export type SaslOption = SaslOptions | SaslAuthenticator

/** The TLS options of one new connection; undefined for plain text. */
export async function tlsOptions(option: TlsOption): Promise<TlsOptions | undefined> {
  if (option === false) return undefined
  if (option === true) return {}
  return typeof option === 'function' ? await option() : option
}
