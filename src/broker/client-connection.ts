import { KafkaError, type ProtocolError } from '../errors.ts'
import { type Frame, type FrameHandler, FrameReader } from '../net/frame-reader.ts'
import { joined } from '../net/joined.ts'
import { decodeRequest, decodeRequestHeader, encodeResponse, type RequestEnvelope } from '../protocol/frame.ts'
import type { Api, Decoded, Encodable } from '../protocol/schema.ts'
import type { Timer, Transport } from '../runtime/runtime.ts'
import { addressText } from '../util/address.ts'
import type { Logger } from '../util/logger.ts'
import type { Answer, Handler, RequestContext } from './handler.ts'
import { answerUnsupported } from './handlers/18-api-versions.ts'
import { flexibleFrom } from './handlers/index.ts'
import type { Interception, Interceptor } from './intercept.ts'
import type { BrokerNode } from './node.ts'
import type { SaslServer } from './sasl/sasl-server.ts'

const API_VERSIONS = 18
/** Answers given in one turn leave in one write, unless they are more than this. */
const UNWRITTEN_BYTES = 64 << 10

type Outcome = Interception<Api>

/**
 * One connection of a client. Requests are served strictly one after the other, as a Kafka broker does: while one waits (a
 * fetch for data, a join for the group) or its answer is not taken off our hands, no further one is read. That bounds
 * the memory of a connection to one request and one answer, and answers cannot overtake one another.
 */
export class ClientConnection implements FrameHandler {
  readonly reader: FrameReader
  readonly node: BrokerNode
  readonly transport: Transport
  /** Authentication of this connection; undefined on a listener without. */
  readonly sasl: SaslServer | undefined
  private readonly logger: Logger
  private readonly closeListeners = new Set<() => void>()
  private state: 'open' | 'closed' = 'open'
  /** A request is being served, or a throttled client has to wait. */
  private busy = false
  private clogged = false
  /** Answers of this turn, not yet handed to the transport. */
  private unwritten: Uint8Array[] = []
  private unwrittenBytes = 0
  private muteTimer: Timer | undefined
  private paused = false
  /** What has to wait until the node is no longer frozen: a request to serve, or an answer to give. */
  private stalled: (() => void) | undefined

  constructor(node: BrokerNode, transport: Transport) {
    this.node = node
    this.transport = transport
    this.logger = node.cluster.logger
    this.sasl = node.saslServer()
    this.reader = new FrameReader(this, node.cluster.settings.number('socket.request.max.bytes'))
  }

  get isClosed(): boolean {
    return this.state === 'closed'
  }

  /** Calls back once when the connection is over; at once if it is. Returns how to take that back. */
  onClosed(listener: () => void): () => void {
    if (this.state === 'closed') {
      listener()
      return () => {}
    }
    this.closeListeners.add(listener)
    return () => this.closeListeners.delete(listener)
  }

  // ---- what the reader tells

  frame(frame: Frame): boolean {
    if (this.state === 'closed') return false
    if (this.node.state === 'frozen') {
      this.stalled = () => this.frame(frame)
      this.pause()
      return false
    }
    this.busy = true
    this.serve(frame)
    if (!this.blocked) return true
    this.pause()
    return false
  }

  failed(error: ProtocolError): void {
    this.fail(error, 'unreadable request')
  }

  drained(): void {
    this.clogged = false
    this.proceed()
  }

  closed(): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.muteTimer?.cancel()
    this.stalled = undefined
    this.node.forget(this)
    for (const listener of this.closeListeners) listener()
    this.closeListeners.clear()
  }

  // ---- what the node tells

  /** Goes on after the node was frozen. */
  thaw(): void {
    const { stalled } = this
    this.stalled = undefined
    stalled?.()
    this.proceed()
  }

  destroy(error?: Error): void {
    this.reader.stop()
    this.flush()
    this.transport.destroy(error)
  }

  /** Sends what is queued, then ends. */
  close(): void {
    this.reader.stop()
    this.flush()
    this.transport.close()
  }

  // ---- serving

  private serve(frame: Frame): void {
    if (this.sasl?.takesBareTokens) return this.serveToken(this.sasl, frame)
    let envelope: RequestEnvelope
    try {
      envelope = decodeRequestHeader(frame.buffer, flexibleFrom)
    } catch (error) {
      return this.fail(error, 'unreadable request header')
    }
    const { apiKey, apiVersion: version, correlationId, clientId } = envelope
    const { cluster } = this.node
    const handler = this.node.handlers.get(apiKey)
    const range = this.node.versions.get(apiKey)
    if (!handler || !range || version < range.min || version > range.max) {
      // A client that is too new learns from version 0 what to speak; any other request is a broken promise (KIP-35).
      if (handler && apiKey === API_VERSIONS) {
        this.write(encodeResponse(handler.api, 0, correlationId, answerUnsupported(this.node)))
        return this.done(frame)
      }
      return this.fail(
        new KafkaError('ERR_UNSUPPORTED_VERSION', `API key ${apiKey} version ${version} is not offered by node ${this.node.id}`),
        'unsupported request',
      )
    }
    const context: RequestContext = { cluster, node: this.node, connection: this, version, correlationId, clientId }
    let outcome: Outcome | Promise<Outcome>
    const interceptors = cluster.interceptors.of(apiKey, this.node.id)
    // An interceptor may hold on to the request, and so to the frame that it views.
    const keep = interceptors.length > 0
    try {
      if (this.sasl && !this.sasl.admits(apiKey)) {
        throw new KafkaError('ERR_AUTHENTICATION', `${handler.api.name} before authentication, or after it had expired`)
      }
      const request = decodeRequest(handler.api, version, frame.buffer, envelope.bodyOffset)
      outcome = keep ? this.intercepted(handler, interceptors, request, context) : handler.handle(request, context)
    } catch (error) {
      return this.fail(error, handler.api.name)
    }
    // A promise costs a turn; most requests are answered in this one.
    if (outcome instanceof Promise) {
      outcome.then(
        settled => this.answer(handler.api, context, settled, keep ? undefined : frame),
        error => this.fail(error, handler.api.name),
      )
    } else this.answer(handler.api, context, outcome, frame)
  }

  /** A token of an exchange that began with SaslHandshake v0: it travels without headers, and a failure has no words (KIP-152). */
  private serveToken(sasl: SaslServer, frame: Frame): void {
    sasl.authenticate(Buffer.from(frame.buffer)).then(
      ({ errorCode, authBytes }) => {
        if (errorCode !== 0) return this.fail(new KafkaError('ERR_AUTHENTICATION', 'the token was refused'), 'SASL')
        const length = Buffer.alloc(4)
        length.writeInt32BE(authBytes.length)
        this.write([length, authBytes])
        this.done(frame)
      },
      error => this.fail(error, 'SASL'),
    )
  }

  /** Lets each interceptor decide, the latest first; the handler is the last in the chain. */
  private async intercepted(
    handler: Handler,
    chain: readonly Interceptor<Api>[],
    request: Decoded<Api['request']>,
    context: RequestContext,
  ): Promise<Outcome> {
    const at = async (index: number): Promise<Outcome> => {
      const intercept = chain[index]
      if (!intercept) return handler.handle(request, context)
      let answer: Promise<Outcome> | undefined
      const next = () => (answer ??= at(index + 1)) as Promise<Answer<Api>>
      const outcome = await intercept(request, { ...context, next })
      return outcome === 'pass' ? next() : outcome
    }
    return at(0)
  }

  private answer(api: Api, context: RequestContext, outcome: Outcome, frame: Frame | undefined): void {
    if (this.state === 'closed') return
    if (this.node.state === 'frozen') {
      this.stalled = () => this.answer(api, context, outcome, frame)
      return
    }
    const { version, correlationId } = context
    if (outcome === 'close') return this.close()
    if (outcome instanceof Uint8Array) this.write([outcome])
    else if (typeof outcome !== 'string') {
      const throttleMs = this.node.cluster.throttleMs(api)
      const response = (throttleMs > 0 ? { ...outcome, throttleTimeMs: throttleMs } : outcome) as Encodable<Api['response']>
      try {
        this.write(encodeResponse(api, version, correlationId, response))
      } catch (error) {
        return this.fail(error, `the answer to ${api.name}`)
      }
      if (this.sasl?.hasFailed) return this.close()
      if (throttleMs > 0) return this.mute(throttleMs, frame)
    }
    this.done(frame)
  }

  private write(chunks: readonly Uint8Array[]): void {
    if (this.unwritten.length === 0) queueMicrotask(this.flush)
    for (const chunk of chunks) {
      this.unwritten.push(chunk)
      this.unwrittenBytes += chunk.length
    }
    if (this.unwrittenBytes > UNWRITTEN_BYTES) this.flush()
  }

  private readonly flush = (): void => {
    const { unwritten } = this
    if (unwritten.length === 0) return
    this.unwritten = []
    this.unwrittenBytes = 0
    if (this.state === 'open' && !this.transport.write(joined(unwritten))) this.clogged = true
  }

  /** Answers first and then reads nothing for a while, as brokers do since KIP-219. */
  private mute(ms: number, frame: Frame | undefined): void {
    this.muteTimer = this.node.cluster.runtime.clock.setTimer(ms, () => this.done(frame))
  }

  private done(frame: Frame | undefined): void {
    frame?.release()
    this.busy = false
    this.proceed()
  }

  private get blocked(): boolean {
    return this.busy || this.clogged || this.state === 'closed' || this.node.state === 'frozen'
  }

  private proceed(): void {
    if (this.blocked) return
    this.reader.resume()
    if (this.blocked || !this.paused) return
    this.paused = false
    this.transport.resume()
  }

  private pause(): void {
    if (this.paused) return
    this.paused = true
    this.transport.pause()
  }

  /** Whatever a peer sends, the worst that happens is the end of its connection. */
  private fail(error: unknown, where: string): void {
    if (this.state === 'closed') return
    const unexpected = !KafkaError.is(error)
    const fields = { err: error, node: this.node.id, client: addressText(this.transport.remote) }
    if (unexpected) this.logger.error(fields, `closing a connection: ${where}`)
    else this.logger.warn(fields, `closing a connection: ${where}`)
    this.destroy()
  }
}
