/** What a connection is doing. Requests made before `ready` wait for it. */
export type ConnectionState =
  /** Nothing has been tried yet. */
  | 'idle'
  /** Names are resolved and addresses dialled, TLS handshake included. */
  | 'connecting'
  /** ApiVersions is asked for; nothing else is sent. */
  | 'negotiating'
  /** SaslHandshake and SaslAuthenticate are exchanged; nothing else is sent. */
  | 'authenticating'
  /** Requests are sent as they come. */
  | 'ready'
  /** As `authenticating`, behind the requests in flight, which are still answered; new ones wait (KIP-368). */
  | 'reauthenticating'
  /** Requests that were accepted are finished, new ones are refused. The session is renewed for them if need be. */
  | 'draining'
  /** Nothing is sent or received any more. */
  | 'closed'

/** From which state a connection may go where. */
export const NEXT_STATES: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  idle: ['connecting', 'closed'],
  connecting: ['negotiating', 'closed'],
  // Back to connecting: the peer hung up at our version of ApiVersions, and is asked with v0 on a new socket.
  negotiating: ['connecting', 'authenticating', 'ready', 'closed'],
  authenticating: ['ready', 'closed'],
  ready: ['reauthenticating', 'draining', 'closed'],
  reauthenticating: ['ready', 'closed'],
  draining: ['reauthenticating', 'closed'],
  closed: [],
}
