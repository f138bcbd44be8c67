/** SaslHandshake. Agrees on a mechanism. After v0 the tokens follow bare, after v1 in SaslAuthenticate (KIP-152). */
import { SaslHandshake } from '../../protocol/apis/17-sasl-handshake.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

export const saslHandshake = handler(
  SaslHandshake,
  ({ mechanism }, { connection, version }) =>
    connection.sasl?.handshake(mechanism, version) ?? { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] },
)
