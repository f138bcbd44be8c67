import { connect, type Socket } from 'node:net'
import { FrameReader } from '../../src/net/frame-reader.ts'
import { decodeResponse, encodeRequest, peekCorrelationId } from '../../src/protocol/frame.ts'
import type { Api, Decoded, Encodable } from '../../src/protocol/schema.ts'

/** A client with no mind of its own: sends what it is told, in the version it is told. */
export class RawClient {
  private readonly socket: Socket
  private readonly waiting: { api: Api; version: number; correlationId: number; settle: (frame: Buffer | Error) => void }[] = []
  private nextId = 1
  /** Correlation ids in the order in which their answers came. */
  readonly answered: number[] = []
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.socket = socket
    const reader = new FrameReader(
      {
        frame: ({ buffer }) => {
          const copy = Buffer.from(buffer)
          if (copy.length >= 4) this.answered.push(peekCorrelationId(copy))
          this.waiting.shift()?.settle(copy)
          return true
        },
        failed: error => socket.destroy(error),
        drained: () => {},
        closed: () => {},
      },
      1 << 30,
    )
    socket.on('data', data => {
      for (let at = 0; at < data.length; ) {
        const space = reader.space()
        const n = Math.min(space.length, data.length - at)
        space.set(data.subarray(at, at + n))
        reader.filled(n)
        at += n
      }
    })
    socket.on('error', () => {})
    this.closed = new Promise(resolve =>
      socket.on('close', () => {
        for (const { settle } of this.waiting.splice(0)) settle(new Error('connection closed'))
        resolve()
      }),
    )
  }

  static async open(bootstrapServers: string): Promise<RawClient> {
    const [host, port] = bootstrapServers.split(',')[0]!.split(':')
    const socket = connect({ host: host!, port: Number(port), noDelay: true })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new RawClient(socket)
  }

  async request<A extends Api>(api: A, version: number, request: Encodable<A['request']>): Promise<Decoded<A['response']>> {
    const correlationId = this.nextId++
    const frame = new Promise<Buffer>((resolve, reject) =>
      this.waiting.push({
        api,
        version,
        correlationId,
        settle: outcome => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
      }),
    )
    this.send(api, version, request, correlationId)
    return decodeResponse(api, version, await frame)
  }

  /** Sends without waiting for an answer. */
  send<A extends Api>(api: A, version: number, request: Encodable<A['request']>, correlationId = this.nextId++): void {
    this.write(Buffer.concat(encodeRequest(api, version, { correlationId, clientId: 'raw' }, request)))
  }

  /** Waits for the next answer, whatever it is, as bytes. */
  nextFrame(): Promise<Buffer> {
    return new Promise((resolve, reject) =>
      this.waiting.push({
        api: undefined as never,
        version: 0,
        correlationId: 0,
        settle: outcome => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
      }),
    )
  }

  /** Takes nothing off the socket any more, until called with false. */
  ignoreAnswers(ignore = true): void {
    if (ignore) this.socket.pause()
    else this.socket.resume()
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  close(): void {
    this.socket.destroy()
  }
}
