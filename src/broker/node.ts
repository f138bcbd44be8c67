import type { Listener } from '../runtime/runtime.ts'
import { ClientConnection } from './client-connection.ts'
import type { Cluster } from './cluster.ts'
import { FetchSessions } from './fetch-sessions.ts'
import type { Handler } from './handler.ts'
import { handlers } from './handlers/index.ts'
import { offeredVersions, type Range } from './releases.ts'
import { SaslServer } from './sasl/sasl-server.ts'

export type NodeState = 'starting' | 'up' | 'frozen' | 'down'

/** One broker of the cluster: its listener and the connections to it. */
export class BrokerNode {
  readonly id: number
  readonly rack: string | null
  readonly cluster: Cluster
  readonly handlers: ReadonlyMap<number, Handler> = handlers
  readonly versions: ReadonlyMap<number, Range>
  fetchSessions: FetchSessions
  state: NodeState = 'down'
  port: number
  private host: string
  private listener: Listener | undefined
  private readonly connections = new Set<ClientConnection>()

  constructor(cluster: Cluster, id: number, port: number) {
    this.cluster = cluster
    this.id = id
    this.port = port
    const { host, racks, asVersion, maxVersions } = cluster.options
    this.host = host
    this.rack = racks[id - 1] ?? null
    this.versions = offeredVersions(handlers.values(), asVersion, maxVersions)
    this.fetchSessions = this.newFetchSessions()
  }

  /** What clients are told to connect to. */
  get endpoint(): { nodeId: number; host: string; port: number; rack: string | null } {
    return { nodeId: this.id, host: this.cluster.options.advertisedHost ?? this.host, port: this.port, rack: this.rack }
  }

  get connectionCount(): number {
    return this.connections.size
  }

  async start(): Promise<void> {
    if (this.state !== 'down') return
    this.state = 'starting'
    const { network } = this.cluster.runtime
    try {
      this.listener = await network.listen({ host: this.host, port: this.port, tls: this.cluster.options.tls }, transport => {
        const connection = new ClientConnection(this, transport)
        this.connections.add(connection)
        return connection.reader
      })
    } catch (error) {
      this.state = 'down'
      throw error
    }
    this.port = this.listener.port
    this.state = 'up'
  }

  /** Stops listening and cuts all connections, as a killed process does. */
  async stop(): Promise<void> {
    if (this.state === 'down') return
    this.state = 'down'
    const { listener } = this
    this.listener = undefined
    for (const connection of [...this.connections]) connection.destroy()
    this.fetchSessions = this.newFetchSessions()
    await listener?.close()
  }

  /** Neither reads nor answers until `thaw`, as a stopped process: the kernel still accepts connections. */
  freeze(): void {
    if (this.state === 'up') this.state = 'frozen'
  }

  thaw(): void {
    if (this.state !== 'frozen') return
    this.state = 'up'
    for (const connection of [...this.connections]) connection.thaw()
  }

  dropConnections(): void {
    for (const connection of [...this.connections]) connection.destroy()
  }

  saslServer(): SaslServer | undefined {
    return this.cluster.options.sasl && new SaslServer(this.cluster.options.sasl, this.cluster.runtime)
  }

  forget(connection: ClientConnection): void {
    this.connections.delete(connection)
  }

  private newFetchSessions(): FetchSessions {
    const { settings, runtime } = this.cluster
    return new FetchSessions(settings.number('max.incremental.fetch.session.cache.slots'), runtime)
  }
}
