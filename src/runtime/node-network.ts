/** Sockets: TCP read in place, TLS and tunnelled streams copied into the same sink. */
import { lookup } from 'node:dns/promises'
import { type AddressInfo, connect as connectTcp, createServer, isIP, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  type ConnectionOptions,
  connect as connectTls,
  createServer as createTlsServer,
  type TlsOptions as ServerTlsOptions,
  type TLSSocket,
} from 'node:tls'
import { ConfigError } from '../errors.ts'
import { disown, isThenable } from '../util/disown.ts'
import type { Listener, ListenOptions, Network, Sink, Target, Transport } from './runtime.ts'

/** Idle time before TCP probes: notices half-open connections that send nothing, well before a firewall's usual 5 minutes. */
const KEEP_ALIVE_MS = 60_000

export const nodeNetwork: Network = {
  resolve,
  dial: (target, sink, signal) => (target.tls ? dialTls(target, sink, signal) : dialTcp(target, sink, signal)),
  listen,
}

/**
 * A network whose connections are made by `connect`: a SOCKS or HTTP proxy, an ssh tunnel, a socket of a test. Names are
 * not resolved here but handed to `connect`; TLS, if asked for, is spoken over the stream it returns.
 */
export function tunnelled(connect: (target: Target, signal?: AbortSignal) => Promise<Duplex>): Network {
  return {
    resolve: host => Promise.resolve([host]),
    async dial(target, sink, signal) {
      const stream = await connect(target, signal)
      if (typeof stream?.pipe !== 'function') {
        const message = `it gave ${stream === null ? 'null' : typeof stream}: return a Duplex, such as a net.Socket`
        throw new ConfigError([{ path: 'tunnelled(connect)', message }])
      }
      if (signal?.aborted) {
        stream.on('error', () => {}).destroy()
        throw signal.reason
      }
      if (!target.tls) return new PushedTransport(stream, target).attach(sink)
      return dialTls(target, sink, signal, stream)
    },
    listen,
  }
}

async function resolve(host: string): Promise<readonly string[]> {
  if (isIP(host)) return [host]
  const addresses = await lookup(host, { all: true, verbatim: true })
  return addresses.map(({ address }) => address)
}

function dialTcp({ address, port }: Target, sink: Sink, signal?: AbortSignal): Promise<Transport> {
  return new Promise((resolve, reject) => {
    // `onread` makes the kernel write into the sink's own space: 1.7–2.6 GB per CPU-second against 1.0 of 'data' and a copy (D3).
    const socket: Socket = connectTcp({
      host: address,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      onread: {
        buffer: () => sink.space(),
        callback(n) {
          sink.filled(n)
          return !transport.paused
        },
      },
    })
    const transport = new StreamTransport(socket, socket, { host: address, port })
    untilOpen(socket, 'connect', signal).then(() => resolve(transport.attach(sink)), reject)
  })
}

async function dialTls(
  { address, port, host, tls = {} }: Target,
  sink: Sink,
  signal?: AbortSignal,
  through?: Duplex,
): Promise<Transport> {
  const mistakes: ConfigError[] = []
  const options: ConnectionOptions = {
    // SNI carries names only; without one the certificate is held against `host`.
    ...(isIP(host) ? {} : { servername: host }),
    ...tls,
    ...(typeof tls.checkServerIdentity === 'function' ? { checkServerIdentity: guarded(tls.checkServerIdentity as Check) } : {}),
    ...(typeof tls.pskCallback === 'function' ? { pskCallback: watched(tls.pskCallback as GivePsk, mistakes) } : {}),
    ...(through ? { host, socket: through } : { host: address, port }),
  }
  const socket = attempted(() => connectTls(options))
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  try {
    await untilOpen(socket, 'secureConnect', signal)
  } catch (cause) {
    if (mistakes[0]) throw mistakes[0]
    if ((cause as { code?: unknown }).code !== 'ERR_SSL_NO_PROTOCOLS_AVAILABLE') throw cause
    const message = 'no version of TLS is left between it and tls.maxVersion: give an older one, or leave both out'
    throw new ConfigError([{ path: 'tls.minVersion', message }], { cause })
  }
  return new PushedTransport(socket, { host: address, port }).attach(sink)
}

type Check = NonNullable<ConnectionOptions['checkServerIdentity']>

/** A check of one's own is called from within the socket, where what it throws would end the process. */
function guarded(check: Check): Check {
  return (host, certificate) => {
    let cause: unknown
    try {
      cause = check(host, certificate)
      if (!cause) return undefined
      disown(cause)
    } catch (error) {
      cause = error
    }
    // What node's own check says, which this one may have called, is understood.
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_TLS_CERT_ALTNAME_INVALID') return cause
    const why =
      cause instanceof Error
        ? cause.message
        : isThenable(cause)
          ? 'it gave a promise, and must decide at once'
          : `it gave ${typeof cause}, not undefined or an Error`
    const refusal = new Error(`tls.checkServerIdentity refuses the certificate (${why})`, { cause })
    return Object.assign(refusal, { code: 'ERR_TLS_CERT_REFUSED' })
  }
}

type GivePsk = NonNullable<ConnectionOptions['pskCallback']>

/** Called from within the handshake, where what it throws, or gives wrongly, would be lost: without a key, the handshake fails. */
function watched(give: GivePsk, mistakes: ConfigError[]): (hint: string | null) => ReturnType<GivePsk> {
  const wrong = (message: string, cause?: unknown) => {
    mistakes.push(new ConfigError([{ path: 'tls.pskCallback', message }], { cause }))
    return null
  }
  return hint => {
    try {
      const given = give(hint)
      if (given === null || (ArrayBuffer.isView(given?.psk) && typeof given.identity === 'string')) return given
      disown(given)
      return wrong(`it gave ${isThenable(given) ? 'a promise' : typeof given}: return { psk, identity } or null, at once`)
    } catch (cause) {
      return wrong(`it failed: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
    }
  }
}

/** What node:tls throws before a packet has left is the fault of its options: trying again does not help. */
function attempted(connect: () => TLSSocket): TLSSocket {
  try {
    return connect()
  } catch (cause) {
    const { code = '', message } = cause as { code?: string; message: string }
    const { path, fix } = TLS_MISTAKES.find(({ codes }) => codes.test(code)) ?? OTHER_TLS_MISTAKE
    throw new ConfigError([{ path, message: `${message}: ${fix}` }], { cause })
  }
}

const TLS_MISTAKES = [
  { codes: /KEY_VALUES_MISMATCH/, path: 'tls.key', fix: 'it does not belong to tls.cert' },
  // A wrong passphrase opens a key to garbage once in a few hundred times.
  {
    codes: /OSSL_UNSUPPORTED|BAD_DECRYPT|BAD_PASSWORD|PASSPHRASE|CANCELLED/,
    path: 'tls.key',
    fix: 'give a private key as PEM, and what opens it as tls.passphrase',
  },
  { codes: /NO_START_LINE/, path: 'tls.cert', fix: 'give certificates and keys as PEM' },
]
const OTHER_TLS_MISTAKE = { path: 'tls', fix: 'check tls.key, tls.cert and tls.passphrase, and see node:tls for what it takes' }

/** Rejects, and leaves no socket behind, when the attempt fails or is aborted. */
function untilOpen(socket: Socket, event: 'connect' | 'secureConnect', signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      socket.off(event, opened).off('error', failed).off('close', ended)
      signal?.removeEventListener('abort', aborted)
      if (!error) return resolve()
      socket.on('error', () => {})
      socket.destroy()
      reject(error)
    }
    const opened = () => settle()
    const failed = (error: Error) => settle(error)
    const ended = () => settle(new Error('the peer ended the connection while it was being opened'))
    const aborted = () => settle(signal?.reason instanceof Error ? signal.reason : new Error('the attempt was aborted'))
    if (signal?.aborted) return aborted()
    socket.on(event, opened).on('error', failed).on('close', ended)
    signal?.addEventListener('abort', aborted)
  })
}

function listen({ host, port, tls }: ListenOptions, accept: (transport: Transport) => Sink): Promise<Listener> {
  const accepted = (socket: Socket) => {
    socket.setNoDelay(true)
    const remote = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    const transport = new PushedTransport(socket, remote)
    transport.attach(accept(transport))
  }
  const server: Server = tls ? createTlsServer(tls as ServerTlsOptions, accepted) : createServer(accepted)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      // A failed accept (too many open files) concerns one peer, which sees its connection closed.
      server.on('error', () => {})
      const bound = server.address() as AddressInfo
      resolve({
        host: bound.address,
        port: bound.port,
        close: () => new Promise(closed => server.close(() => closed())),
      })
    })
  })
}

/** A stream whose bytes reach the sink by themselves (`onread`). */
class StreamTransport implements Transport {
  readonly remote: { readonly host: string; readonly port: number }
  paused = false
  protected readonly stream: Duplex
  private readonly socket: Socket | undefined
  private failure: Error | undefined

  constructor(stream: Duplex, socket: Socket | undefined, remote: { host: string; port: number }) {
    this.stream = stream
    this.socket = socket
    this.remote = remote
  }

  get local() {
    return { host: this.socket?.localAddress ?? '', port: this.socket?.localPort ?? 0 }
  }

  get unflushedBytes(): number {
    return this.stream.writableLength
  }

  attach(sink: Sink): this {
    this.stream
      .on('drain', () => sink.drained())
      .on('error', error => {
        this.failure ??= error
      })
      .once('close', () => sink.closed(this.failure))
    return this
  }

  write(chunks: readonly Uint8Array[]): boolean {
    const { stream } = this
    if (stream.destroyed || stream.writableEnded) return true
    const [only] = chunks
    if (only && chunks.length === 1) return stream.write(only) || !stream.writableNeedDrain
    let flowing = true
    // Corked, the chunks leave in one writev.
    stream.cork()
    for (const chunk of chunks) flowing = stream.write(chunk)
    stream.uncork()
    return flowing || !stream.writableNeedDrain
  }

  pause(): void {
    this.paused = true
    this.stream.pause()
  }

  resume(): void {
    this.paused = false
    this.stream.resume()
  }

  close(): void {
    // Not waiting for the peer's own end: it may never come.
    this.stream.end(() => this.stream.destroy())
  }

  destroy(error?: Error): void {
    this.failure ??= error
    this.stream.destroy()
  }

  setReferenced(referenced: boolean): void {
    if (referenced) this.socket?.ref()
    else this.socket?.unref()
  }
}

/** A stream that pushes 'data': TLS, tunnels, accepted sockets. Its bytes are copied into the sink's space. */
class PushedTransport extends StreamTransport {
  constructor(stream: Duplex, remote: { host: string; port: number }) {
    super(stream, 'setNoDelay' in stream ? (stream as Socket) : undefined, remote)
  }

  override attach(sink: Sink): this {
    super.attach(sink)
    this.stream.on('data', (data: Uint8Array) => {
      for (let from = 0; from < data.length; ) {
        const space = sink.space()
        const n = Math.min(space.length, data.length - from)
        space.set(n === data.length ? data : data.subarray(from, from + n))
        from += n
        sink.filled(n)
      }
    })
    // A duplex without allowHalfOpen: false would stay half open for ever.
    this.stream.once('end', () => this.stream.end())
    return this
  }
}
