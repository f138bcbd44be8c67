import type { SaslAuthenticator, SaslOptions } from '../net/sasl/index.ts'
import type { TlsOptions } from '../runtime/runtime.ts'

/** `true` for TLS with node's trusted roots; options of node:tls `connect`; or a function asked for each new connection. */
export type TlsOption = boolean | TlsOptions | (() => TlsOptions | Promise<TlsOptions>)

/** How to authenticate: a built-in mechanism, or an authenticator of one's own. */
export type SaslOption = SaslOptions | SaslAuthenticator

/** Gives the TLS options of each new connection; undefined for plain text. */
export type TlsSource = (() => TlsOptions | Promise<TlsOptions>) | undefined

export function tlsSource(option: TlsOption): TlsSource {
  if (option === false) return undefined
  if (typeof option === 'function') return option
  const options = option === true ? {} : option
  return () => options
}
