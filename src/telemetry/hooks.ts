/** What a client tells whoever wants to watch it. None of it carries credentials, keys or values. */

export interface BrokerRef {
  /** Negative for an address of `bootstrapServers` whose node id is not known yet. */
  readonly nodeId: number
  readonly host: string
  readonly port: number
  /** Which of the connections to that broker: produce, fetch, group or other. */
  readonly lane: string
}
export interface ConnectEvent extends BrokerRef {
  /** Dialling, version negotiation and authentication together. */
  readonly durationMs: number
  /** Why it failed; absent when the connection is ready. */
  readonly error?: Error | undefined
}
export interface DisconnectEvent extends BrokerRef {
  /** Absent when it was closed on purpose. */
  readonly error?: Error | undefined
}
export interface WriteEvent extends BrokerRef {
  readonly api: string
  readonly version: number
  readonly bytes: number
}
export interface ReadEvent extends BrokerRef {
  readonly api: string
  readonly version: number
  readonly bytes: number
  /** From the request's write to its answer. */
  readonly durationMs: number
}
export interface ThrottleEvent extends BrokerRef {
  readonly api: string
  /** How long the broker wants this connection to stay quiet (KIP-219). */
  readonly throttleMs: number
}
/** Something is sent again: a request, a batch, a fetch, a commit or a look-up of offsets. */
export interface RetryEvent {
  readonly api: string
  /** Failures so far, this one included. */
  readonly attempts: number
  readonly delayMs: number
  readonly error: Error
}

/** Called synchronously: keep them short. What they throw is logged and otherwise ignored. */
export interface ClientHooks {
  onConnect?(event: ConnectEvent): void
  onDisconnect?(event: DisconnectEvent): void
  onWrite?(event: WriteEvent): void
  onRead?(event: ReadEvent): void
  onThrottle?(event: ThrottleEvent): void
  onRetry?(event: RetryEvent): void
}
