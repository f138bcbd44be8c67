// Asks a broker who it is, over a socket of its own: the harness must not lean on the client under test.
import { connect, type Socket } from 'node:net'
import {
  type Api,
  ApiVersions,
  type Decoded,
  decodeResponse,
  type Encodable,
  encodeRequest,
  Metadata,
} from '../../src/protocol/index.ts'

export interface Probe {
  readonly clusterId: string | null
  readonly nodeIds: readonly number[]
  readonly controllerId: number
  /** Highest version of each API, by key. */
  readonly maxVersions: ReadonlyMap<number, number>
  /** Kafka release as far as its answers tell, such as `4.4` or `2.8`. */
  readonly release: string
}

/** ApiVersions and Metadata of one broker. Rejects when it is not there, or not yet able to answer both. */
export async function probe(host: string, port: number, timeoutMs = 2_000): Promise<Probe> {
  const socket = connect({ host, port })
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`${host}:${port} did not answer within ${timeoutMs} ms`)))
  const frames = framesOf(socket)
  const ask = async <A extends Api>(
    api: A,
    version: number,
    request: Encodable<A['request']>,
  ): Promise<Decoded<A['response']>> => {
    for (const chunk of encodeRequest(api, version, { correlationId: 1, clientId: 'kafkawire-harness' }, request))
      socket.write(chunk)
    const { value, done } = await frames.next()
    if (done) throw new Error(`${host}:${port} closed the connection`)
    return decodeResponse(api, version, value)
  }
  try {
    const { apiKeys } = await ask(ApiVersions, 0, {})
    const maxVersions = new Map(apiKeys.map(({ apiKey, maxVersion }) => [apiKey, maxVersion]))
    const metadata = await ask(Metadata, Math.min(maxVersions.get(Metadata.key) ?? 0, 2), { topics: [] })
    const nodeIds = metadata.brokers.map(({ nodeId }) => nodeId)
    return {
      clusterId: metadata.clusterId,
      nodeIds,
      controllerId: metadata.controllerId,
      maxVersions,
      release: releaseOf(maxVersions),
    }
  } finally {
    socket.destroy()
  }
}

/** Waits until every node answers and knows of all `nodes`; rejects at once when `dead` settles, or after `timeoutMs`. */
export async function untilReady(
  addresses: readonly { host: string; port: number }[],
  { nodes, timeoutMs, dead }: { nodes: number; timeoutMs: number; dead?: Promise<string> },
): Promise<Probe> {
  const deadline = performance.now() + timeoutMs
  let died: string | undefined
  void dead?.then(how => {
    died = how
  })
  for (;;) {
    let reason: unknown
    try {
      const answers = await Promise.all(addresses.map(({ host, port }) => probe(host, port)))
      if (answers.every(({ nodeIds, controllerId }) => nodeIds.length >= nodes && controllerId >= 0)) return answers[0]!
      reason = `it knows ${answers.map(({ nodeIds }) => nodeIds.length).join('/')} of ${nodes} nodes`
    } catch (error) {
      reason = error
    }
    if (died !== undefined) throw new Error(`the broker ended while starting (${died})`, { cause: reason })
    if (performance.now() > deadline)
      throw new Error(`the broker was not ready within ${timeoutMs} ms: ${String(reason)}`, { cause: reason })
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** First release that has this version of this API: the newest one that applies names the broker. */
const marks: readonly (readonly [release: string, apiKey: number, version: number])[] = [
  ['4.4', 93, 0],
  ['4.3', 91, 0],
  ['4.1', 90, 0],
  ['4.0', 0, 12],
  ['3.9', 1, 17],
  ['3.7', 0, 10],
  ['3.0', 10, 4],
  ['2.8', 60, 0],
  ['2.4', 3, 9],
  ['1.1', 1, 7],
  ['1.0', 0, 5],
  ['0.11', 0, 3],
  ['0.10.2', 3, 2],
  ['0.10', 18, 0],
]

function releaseOf(maxVersions: ReadonlyMap<number, number>): string {
  return marks.find(([, key, version]) => (maxVersions.get(key) ?? -1) >= version)?.[0] ?? 'unknown'
}

async function* framesOf(socket: Socket): AsyncGenerator<Buffer, undefined> {
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of socket) {
    held = Buffer.concat([held, chunk as Buffer])
    while (held.length >= 4 && held.length >= 4 + held.readInt32BE(0)) {
      const end = 4 + held.readInt32BE(0)
      yield held.subarray(4, end)
      held = held.subarray(end)
    }
  }
  return undefined
}
