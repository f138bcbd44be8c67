import { Client } from './client/client.ts'
import { type ClientOptionsInput, parseClientOptions } from './client/options.ts'
import type { Runtime } from './runtime/runtime.ts'

/**
 * A validated profile: which cluster, how to reach it. It holds no socket; what it makes does.
 *
 *     const kafka = new Kafka({ bootstrapServers: 'localhost:9092', clientId: 'shop' })
 *     await using producer = kafka.producer()
 */
export class Kafka {
  private readonly options: ClientOptionsInput
  private readonly runtime: Runtime | undefined

  /** Throws ConfigError. */
  constructor(options: ClientOptionsInput, runtime?: Runtime) {
    parseClientOptions(options)
    this.options = { ...options }
    this.runtime = runtime
  }

  /** A client of its own: any request of the protocol, routed. Close it when done. */
  client(options: Partial<ClientOptionsInput> = {}): Client {
    return new Client({ ...this.options, ...options }, this.runtime)
  }
}
