/** SaslAuthenticate. One token of the exchange. v1 tells for how long the authentication holds (KIP-368). A failure ends the connection. */
import { SaslAuthenticate } from '../../protocol/apis/36-sasl-authenticate.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

export const saslAuthenticate = handler(
  SaslAuthenticate,
  ({ authBytes }, { connection }) =>
    connection.sasl?.authenticate(Buffer.from(authBytes)) ?? {
      errorCode: ErrorCode.ILLEGAL_SASL_STATE,
      errorMessage: 'this listener asks for no authentication',
      authBytes: new Uint8Array(0),
    },
)
