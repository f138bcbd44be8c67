import { FrameReader } from '../../src/net/frame-reader.ts'
import { ApiVersions } from '../../src/protocol/apis/18-api-versions.ts'
import { decodeRequest, decodeRequestHeader, encodeResponse, type RequestEnvelope } from '../../src/protocol/frame.ts'
import { allApis, apiByKey } from '../../src/protocol/registry.ts'
import type { Api, Decoded, Encodable, Message, Shape } from '../../src/protocol/schema.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import type { Runtime, TlsOptions, Transport } from '../../src/runtime/runtime.ts'

export interface Received {
  readonly envelope: RequestEnvelope
  readonly api: Api
  // biome-ignore lint/suspicious/noExplicitAny: the script knows which request it answers
  readonly request: any
  readonly transport: Transport
  /** The whole frame as it came, without its length. */
  readonly frame: Buffer
  /** Counted per connection, from 0. */
  readonly index: number
  readonly connection: number
}

/** What the script wants done: bytes as they are, silence, the end, or the fallback answer. */
export type Reaction = Uint8Array | 'silence' | 'close' | 'default' | undefined

/** A broker whose every answer a test decides on. Unless told otherwise it serves all APIs and answers ApiVersions. */
export class ScriptedBroker {
  readonly received: Received[] = []
  readonly transports: Transport[] = []
  /** What went wrong in the script itself. */
  readonly faults: unknown[] = []
  connections = 0
  openConnections = 0
  port = 0
  script: (received: Received) => Reaction | PromiseLike<Reaction> = () => 'default'
  /** Called for frames that are not requests, such as bare SASL tokens, when it returns an answer. */
  raw: ((frame: Buffer, connection: number) => Uint8Array | undefined) | undefined
  apiKeys: Decoded<typeof ApiVersions.response>['apiKeys'] = allApis.map(({ key, request }) => ({
    apiKey: key,
    minVersion: request.versions[0],
    maxVersion: request.versions[1],
  }))
  private readonly runtime: Runtime
  private closeListener: () => Promise<void> = async () => {}

  constructor(runtime: Runtime = nodeRuntime) {
    this.runtime = runtime
  }

  async listen({ host = '127.0.0.1', port = 0, tls }: { host?: string; port?: number; tls?: TlsOptions } = {}): Promise<this> {
    const listener = await this.runtime.network.listen({ host, port, tls }, transport => this.accept(transport))
    this.port = listener.port
    this.closeListener = () => listener.close()
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const transport of this.transports) transport.destroy()
    await this.closeListener()
  }

  private accept(transport: Transport): FrameReader {
    const connection = this.connections++
    this.openConnections++
    this.transports.push(transport)
    let index = 0
    // One request after the other, as Kafka does.
    let turn = Promise.resolve()
    return new FrameReader(
      {
        frame: ({ buffer }) => {
          const mine = index++
          turn = turn
            .then(() => this.answer(buffer, transport, connection, mine))
            .catch(error => {
              this.faults.push(error)
              transport.destroy(error)
            })
          return true
        },
        failed: error => transport.destroy(error),
        drained: () => {},
        closed: () => this.openConnections--,
      },
      100 << 20,
    )
  }

  private async answer(frame: Buffer, transport: Transport, connection: number, index: number): Promise<void> {
    const token = this.raw?.(frame, connection)
    if (token) {
      transport.write([lengthOf(token), token])
      return
    }
    const envelope = decodeRequestHeader(frame, key => apiByKey(key)!.request.flexible)
    const api = apiByKey(envelope.apiKey)!
    const known = envelope.apiVersion <= api.request.versions[1]
    const request = known ? decodeRequest(api, envelope.apiVersion, frame, envelope.bodyOffset) : undefined
    const received = { envelope, api, request, transport, frame, index, connection }
    this.received.push(received)
    const reaction = await this.script(received)
    if (reaction === 'close') transport.destroy()
    else if (reaction instanceof Uint8Array) transport.write([reaction])
    else if (reaction === 'default' && api.key === ApiVersions.key) transport.write([this.apiVersions(received)])
    else if (reaction === 'default') transport.write([answerTo(received, {} as never)])
  }

  /** The usual answer to ApiVersions, with changes. */
  apiVersions(received: Received, changes: Partial<Encodable<typeof ApiVersions.response>> = {}): Buffer {
    return answerTo(received, { apiKeys: this.apiKeys, ...changes } as never)
  }
}

/** The bytes of an answer; `version` when it is not that of the request. */
export function answerTo(
  { api, envelope }: Pick<Received, 'api' | 'envelope'>,
  response: Encodable<Api['response']>,
  { version = envelope.apiVersion, correlationId = envelope.correlationId } = {},
): Buffer {
  return Buffer.concat(encodeResponse(api, version, correlationId, withDefaults(api, response)))
}

const ZERO: Record<string, unknown> = {
  int64: 0n,
  string: '',
  legacyString: '',
  bool: false,
  bytes: Buffer.alloc(0),
  uuid: 'AAAAAAAAAAAAAAAAAAAAAA',
}

/** Top-level fields that a script leaves out are zero or empty. */
function withDefaults(api: Api, response: Record<string, unknown>): Encodable<Api['response']> {
  const full: Record<string, unknown> = { ...response }
  for (const [name, { wire, presence }] of Object.entries((api.response as Message<Shape>).shape)) {
    if (name in full || presence.fallback !== undefined) continue
    if (wire.kind === 'array') full[name] = []
    else if (wire.kind === 'primitive') full[name] = presence.nullableSince === 0 ? null : (ZERO[wire.primitive] ?? 0)
  }
  return full as never
}

const lengthOf = (token: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeInt32BE(token.length)
  return length
}
