import type { Api, Decoded, Encodable } from '../protocol/schema.ts'
import type { ClientConnection } from './client-connection.ts'
import type { Cluster } from './cluster.ts'
import type { BrokerNode } from './node.ts'

/** The request at hand: who asks whom, and in which version. */
export interface RequestContext {
  readonly cluster: Cluster
  /** The broker that was asked. */
  readonly node: BrokerNode
  readonly connection: ClientConnection
  readonly version: number
  readonly correlationId: number
  readonly clientId: string | null
}

/** `drop`: no answer is given, as for Produce with acks 0. `close`: the connection is closed instead of answering. */
export type Answer<A extends Api> = Encodable<A['response']> | 'drop' | 'close'

/** How one API is served. A handler reads and changes the cluster's state and does no I/O. */
export interface Handler<A extends Api = Api> {
  readonly api: A
  /** Lowest version that is served; below it the API has formats that this broker does not keep. */
  readonly minVersion: number
  readonly maxVersion: number
  /** Byte fields of `request` are views of the frame: whatever outlives the answer has to copy them. */
  readonly handle: (request: Decoded<A['request']>, context: RequestContext) => Answer<A> | Promise<Answer<A>>
}

export function handler<A extends Api>(
  api: A,
  handle: Handler<A>['handle'],
  { minVersion = api.request.versions[0], maxVersion = api.stable }: { minVersion?: number; maxVersion?: number } = {},
): Handler<A> {
  return { api, minVersion, maxVersion, handle }
}
