/**
 * The one door to the outside world (D4): time, sockets, chance and work off the loop are passed down, so that a
 * client and a broker can run in one process on virtual time, from one seed. Nothing else under src/ may call
 * Date.now, setTimeout, Math.random, node:net, asynchronous zlib or fetch, or import a package while it runs.
 */
export interface Runtime {
  readonly clock: Clock
  readonly network: Network
  /** A number in [0, 1): jitter, choice of a broker. */
  readonly random: () => number
  /** `size` unpredictable bytes: SCRAM nonces, member ids. */
  readonly secureRandom: (size: number) => Uint8Array
  readonly offload: Offload
  /** Token endpoints of OAUTHBEARER, and schema registries. */
  readonly http: (request: HttpRequest) => Promise<HttpResponse>
}

export interface Clock {
  /** Milliseconds since the epoch: what records and logs are stamped with. May jump. */
  now(): number
  /** Milliseconds since an arbitrary start, never going back: what deadlines and durations are computed with. */
  monotonic(): number
  /** Calls back once, after at least `delayMs` (whole milliseconds, at most 2^31-1; more is clamped). */
  setTimer(delayMs: number, callback: () => void): Timer
  /** Calls back after pending I/O had its turn: the bound of one synchronous step (D3, "Loop"). */
  soon(callback: () => void): void
}

export interface Timer {
  /** Idempotent; after it the callback is never called. */
  cancel(): void
  /** Stops this timer from keeping the process alive by itself. */
  unref(): void
}

export interface Network {
  /** All addresses of a host, in the order to try them (KIP-602). An address resolves to itself. */
  resolve(host: string): Promise<readonly string[]>
  /**
   * Opens a connection to one address. Resolves once bytes can flow (after the TLS handshake, if any).
   * Rejects with a plain Error, or with ConfigError when the options of TLS cannot be used; `signal` aborts the attempt and leaves no socket behind.
   */
  dial(target: Target, sink: Sink, signal?: AbortSignal): Promise<Transport>
  /** Listens; `accept` is called once per incoming connection and returns where its bytes go. */
  listen(options: ListenOptions, accept: (transport: Transport) => Sink): Promise<Listener>
}

export interface Target {
  /** An address as `resolve` gives it. */
  readonly address: string
  readonly port: number
  /** The name that was resolved: SNI and hostname verification use it. */
  readonly host: string
  /** Options of node:tls `connect`; absent for plain text. */
  readonly tls?: TlsOptions | undefined
}

/** What node:tls takes (`ca`, `cert`, `key`, `servername`, `rejectUnauthorized` …), kept opaque below the runtime. */
export type TlsOptions = Readonly<Record<string, unknown>>

export interface ListenOptions {
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  readonly tls?: TlsOptions | undefined
}

export interface Listener {
  readonly host: string
  readonly port: number
  /** Stops accepting. Open connections stay open. */
  close(): Promise<void>
}

/**
 * Where received bytes go. The transport asks for `space()`, writes at most that many bytes into it and reports with
 * `filled(n)`; over TCP the kernel writes straight into that space (D3, "Socket").
 */
export interface Sink {
  /** Room for the next bytes: never empty. Called again after every `filled`. */
  space(): Uint8Array
  /** The first `n` bytes of the last `space()` hold new data, 1 ≤ n ≤ its length. Must not throw. */
  filled(n: number): void
  /** What `write` had queued has left for the kernel; called after a `write` returned false. */
  drained(): void
  /** The connection is over, called exactly once: without an error when the peer, or our own `close`, ended it cleanly. */
  closed(error?: Error): void
}

/** One byte stream to a peer: TCP, TLS, a tunnelled socket or a simulated one. */
export interface Transport {
  readonly remote: { readonly host: string; readonly port: number }
  readonly local: { readonly host: string; readonly port: number }
  /**
   * Queues the chunks in order, without copying them: do not reuse their memory until they are flushed.
   * Returns false when the peer reads too slowly: then wait for `drained()` before writing more. Ignored after close.
   */
  write(chunks: readonly Uint8Array[]): boolean
  /** Bytes of chunks that are not flushed yet: an upper bound. */
  readonly unflushedBytes: number
  /** Stops asking for space until `resume()`. A TLS or tunnelled source may still deliver what it holds already. */
  pause(): void
  resume(): void
  /** Sends what is queued, then ends the stream. `closed()` follows. */
  close(): void
  /** Drops the connection at once. `closed(error)` follows. */
  destroy(error?: Error): void
  /** Whether this connection alone keeps the process alive. Default true. */
  setReferenced(referenced: boolean): void
}

/** Work that would block the loop, done on another thread or step by step. The simulation runs it inline. */
export interface Offload {
  /** Runs a job that exists in another form beside `inline`, such as compression. */
  run<T>(job: {
    inline(): T
    pooled?(inThread: InThread, inSteps: InSteps): Promise<T>
    stepped?(): Iterator<void, T>
  }): Promise<T>
  /** Awaits an import. Only a runtime on virtual time has this: its time stands still meanwhile. */
  readonly loaded?: <T>(module: Promise<T>) => Promise<T>
  pbkdf2(
    password: Uint8Array,
    salt: Uint8Array,
    iterations: number,
    keyBytes: number,
    digest: 'sha256' | 'sha512',
  ): Promise<Uint8Array>
}

/**
 * Has a thread call a function that makes bytes of a copy of `input`, for jobs without a pool of their own.
 * @param module What exports it, as a URL. Its `init()`, if it exports one, is awaited before.
 * @param options Its second argument.
 * @returns undefined where no thread can be had. What the function throws comes as an Error with its message.
 */
export type InThread = (module: string, name: string, input: Uint8Array, options: unknown) => Promise<Uint8Array | undefined>

/** Takes the steps of a job's part that has to be done on the loop, letting others have their turn in between. */
export type InSteps = <T>(steps: Iterator<void, T>) => Promise<T>

export interface HttpRequest {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly timeoutMs: number
  /** Ends the exchange, and with it what would keep the process alive. */
  readonly signal?: AbortSignal
}
export interface HttpResponse {
  readonly status: number
  readonly body: string
}
