import type { Api, Decoded, Encodable } from '../protocol/schema.ts'
import type { Answer, RequestContext } from './handler.ts'

/**
 * What an interceptor may do with a request:
 * an answer to give in the broker's place; bytes, to be written to the socket as they are (a frame needs its length prefix);
 * `pass`: let the broker answer; `drop`: never answer, but go on with the next request; `close`: close the connection.
 * A promise that never settles makes the connection hang, since a broker answers in order.
 */
export type Interception<A extends Api> = Encodable<A['response']> | Uint8Array | 'pass' | 'drop' | 'close'

export interface InterceptContext extends RequestContext {
  /** Lets the broker act on the request now and gives its answer, to change, delay or withhold it. */
  next(): Promise<Answer<Api>>
}

export interface InterceptOptions {
  /** Stop after so many requests. Default: until removed. */
  readonly times?: number | undefined
  /** Only requests to this node. */
  readonly nodeId?: number | undefined
}

export type Interceptor<A extends Api> = (
  request: Decoded<A['request']>,
  context: Omit<InterceptContext, 'next'> & { next(): Promise<Answer<A>> },
) => Interception<A> | Promise<Interception<A>>

interface Entry {
  readonly run: Interceptor<Api>
  readonly nodeId: number | undefined
  left: number
}

/** Fault injection: functions that see requests before the broker does, the latest registered first. */
export class Interceptors {
  private readonly byKey = new Map<number, Entry[]>()

  add<A extends Api>(
    api: A,
    run: Interceptor<A>,
    { times = Number.POSITIVE_INFINITY, nodeId }: InterceptOptions = {},
  ): () => void {
    const entry: Entry = { run: run as unknown as Interceptor<Api>, nodeId, left: times }
    this.byKey.set(api.key, [entry, ...(this.byKey.get(api.key) ?? [])])
    return () => {
      entry.left = 0
    }
  }

  /** The interceptors that a request to a node goes through. Each one that runs is counted when it runs. */
  of(apiKey: number, nodeId: number): readonly Interceptor<Api>[] {
    const entries = this.byKey.get(apiKey)
    if (!entries) return none
    const alive = entries.filter(({ left }) => left > 0)
    if (alive.length === 0) this.byKey.delete(apiKey)
    else this.byKey.set(apiKey, alive)
    return alive
      .filter(entry => entry.nodeId === undefined || entry.nodeId === nodeId)
      .map(
        (entry): Interceptor<Api> =>
          (request, context) => {
            if (entry.left <= 0) return 'pass'
            entry.left--
            return entry.run(request, context)
          },
      )
  }

  clear(): void {
    this.byKey.clear()
  }
}

const none: readonly Interceptor<Api>[] = []
