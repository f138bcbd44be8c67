import { FrameReader } from '../../src/net/frame-reader.ts'
import { ApiVersions, Metadata } from '../../src/protocol/apis/index.ts'
import { decodeRequest, decodeRequestHeader, encodeResponse } from '../../src/protocol/frame.ts'
import { apiByKey } from '../../src/protocol/registry.ts'
import type { Api, Decoded, Encodable } from '../../src/protocol/schema.ts'
import type { SimulatedRuntime } from '../../src/runtime/simulated/index.ts'

/** A broker that knows nothing by itself: for APIs that the embedded one does not serve. */
export class ScriptedBroker {
  readonly requests: { api: string; version: number }[] = []
  readonly address: string
  /** Stops listening; open connections are the network's to end. */
  stop: () => Promise<void> = async () => {}
  private readonly handlers = new Map<number, (request: never) => Encodable<Api['response']>>()

  private constructor(address: string) {
    this.address = address
  }

  static async listen(sim: SimulatedRuntime, host: string): Promise<ScriptedBroker> {
    const broker = new ScriptedBroker(`${host}:9092`)
    broker.on(ApiVersions, () => ({
      errorCode: 0,
      apiKeys: [...broker.handlers.keys()].map(apiKey => {
        const [minVersion, maxVersion] = apiByKey(apiKey)?.request.versions ?? [0, 0]
        return { apiKey, minVersion, maxVersion }
      }),
    }))
    broker.on(Metadata, () => ({
      brokers: [{ nodeId: 1, host, port: 9092 }],
      clusterId: 'scripted',
      controllerId: 1,
      topics: [],
    }))
    const listener = await sim.on(host).network.listen({ host, port: 9092 }, transport => {
      const reader: FrameReader = new FrameReader(
        {
          frame: ({ buffer }) => {
            transport.write(broker.answer(buffer))
            return true
          },
          failed: () => transport.destroy(),
          drained: () => {},
          closed: () => {},
        },
        1 << 20,
      )
      return reader
    })
    broker.stop = () => listener.close()
    return broker
  }

  on<A extends Api>(api: A, handle: (request: Decoded<A['request']>) => Encodable<A['response']>): this {
    this.handlers.set(api.key, handle as (request: never) => Encodable<Api['response']>)
    return this
  }

  private answer(frame: Buffer): Uint8Array[] {
    const header = decodeRequestHeader(frame, apiKey => apiByKey(apiKey)?.request.flexible ?? 0)
    const api = apiByKey(header.apiKey)
    const handle = this.handlers.get(header.apiKey)
    if (!api || !handle) throw new Error(`no script for API ${header.apiKey}`)
    this.requests.push({ api: api.name, version: header.apiVersion })
    const request = decodeRequest(api, header.apiVersion, frame, header.bodyOffset)
    return encodeResponse(api, header.apiVersion, header.correlationId, handle(request as never))
  }
}
