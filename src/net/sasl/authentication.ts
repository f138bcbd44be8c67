/** The exchange of SASL tokens with a broker: SaslHandshake v0/v1, SaslAuthenticate, bare tokens of brokers before 1.0. */

import { ConnectionError, KafkaError } from '../../errors.ts'
import { SaslHandshake } from '../../protocol/apis/17-sasl-handshake.ts'
import { SaslAuthenticate } from '../../protocol/apis/36-sasl-authenticate.ts'
import { ErrorCode, errorRow } from '../../protocol/error-codes.ts'
import type { Api, Decoded, Encodable } from '../../protocol/schema.ts'
import { addressText } from '../../util/address.ts'
import type { SaslSession } from './sasl.ts'
import { formsOf, struckOut } from './secret.ts'

/** How the handshake reaches the broker: one request at a time, past any queue. */
export interface HandshakeChannel {
  readonly host: string
  readonly port: number
  /** Whether the broker serves the API at all. */
  serves(api: Api): boolean
  exchange<A extends Api>(api: A, request: Encodable<A['request']>, maxVersion?: number): Promise<Decoded<A['response']>>
  /** Sends a bare token in a frame and gives the frame that follows. */
  exchangeToken(token: Uint8Array): Promise<Uint8Array>
}

/**
 * Authenticates the connection. Resolves with how many milliseconds the broker lets it live before it must authenticate
 * again, 0 for ever (KIP-368). Rejects with ConnectionError, code ERR_AUTHENTICATION, when the broker refuses. `renewal` says
 * that the connection was authenticated before.
 */
export async function authenticate(
  channel: HandshakeChannel,
  mechanism: string,
  session: SaslSession,
  renewal: boolean,
): Promise<number> {
  const where = addressText(channel)
  // The broker's own words may repeat what we sent.
  const sent: Uint8Array[] = []
  const quoted = (text: string) => struckOut(text, [...session.secrets, ...sent.flatMap(formsOf)])
  const refused = (message: string, retriable = false) =>
    new ConnectionError(
      message,
      { host: channel.host, port: channel.port, outcome: 'not-sent', code: 'ERR_AUTHENTICATION' },
      { retriable },
    )
  if (!channel.serves(SaslHandshake))
    throw refused(`${where} does not do SASL: leave out the sasl option, or use its SASL listener`)
  const wrapped = channel.serves(SaslAuthenticate)
  const handshake = await channel.exchange(SaslHandshake, { mechanism }, wrapped ? 1 : 0)
  if (handshake.errorCode === ErrorCode.UNSUPPORTED_SASL_MECHANISM) {
    const offered = quoted(handshake.mechanisms.join(', ')) || 'none'
    throw refused(`${where} does not offer ${mechanism}, but ${offered}: set sasl.mechanism to one of them`)
  }
  if (handshake.errorCode === ErrorCode.ILLEGAL_SASL_STATE && renewal)
    throw refused(`${where} refused to renew the session so soon (ILLEGAL_SASL_STATE): a new connection serves`, true)
  if (handshake.errorCode === ErrorCode.ILLEGAL_SASL_STATE)
    throw refused(`${where} refused SaslHandshake (ILLEGAL_SASL_STATE): leave out the sasl option, or use its SASL listener`)
  if (handshake.errorCode !== ErrorCode.NONE)
    throw refused(`${where} refused SaslHandshake: ${errorRow(handshake.errorCode).name}`)

  let lifetimeMs = 0n
  let token: Uint8Array | undefined = session.first
  while (token !== undefined) {
    let challenge: Uint8Array
    sent.push(token)
    if (wrapped) {
      const answer: Decoded<typeof SaslAuthenticate.response> = await channel.exchange(SaslAuthenticate, { authBytes: token })
      if (answer.errorCode !== ErrorCode.NONE)
        throw refused(
          `${where} refused the ${mechanism} credentials: ${described(answer.errorCode, quoted(answer.errorMessage ?? ''))}: check user and password (or token) and that this user exists`,
          answer.errorCode === ErrorCode.SASL_AUTHENTICATION_FAILED && session.refused?.(),
        )
      challenge = answer.authBytes
      lifetimeMs = answer.sessionLifetimeMs
    } else {
      challenge = await channel.exchangeToken(token)
    }
    try {
      token = await session.next(challenge)
    } catch (error) {
      if (error instanceof KafkaError) throw error
      throw refused(
        `authentication with ${where} by ${mechanism} failed: ${quoted(error instanceof Error ? error.message : String(error))}`,
      )
    }
  }
  return lifetimeMs > 0n ? Number(lifetimeMs) : 0
}

function described(code: number, message: string): string {
  const { name } = errorRow(code)
  return message ? `${name}, "${message}"` : name
}
