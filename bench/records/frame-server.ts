/**
 * A broker of one topic, whose log never ends: `node frame-server.ts MIB` prints its port. Each fetch is answered with so many MiB
 * of records from the offset asked for, whatever limits the request names, in pieces of 64 KiB: the next is written when the
 * one before has left.
 */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { ApiVersions, Fetch, ListOffsets, Metadata } from '../../src/protocol/apis/index.ts'
import { decodeRequest, decodeRequestHeader, encodeResponse } from '../../src/protocol/frame.ts'
import { setBaseOffset } from '../../src/protocol/records/index.ts'
import { apiByKey } from '../../src/protocol/registry.ts'
import { batchOf, PLAIN } from './cells.ts'

const PIECE_BYTES = 64 * 1024
const [, , mib] = process.argv
const batch = await batchOf(PLAIN)
const batches = Math.max(1, Math.floor((Number(mib) * 2 ** 20) / batch.length))
const records = Buffer.concat(Array.from({ length: batches }, () => batch))
const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const topic = 'endless'

function answer(frame: Buffer): Uint8Array[] {
  const { apiKey, apiVersion, correlationId, bodyOffset } = decodeRequestHeader(
    frame,
    key => apiByKey(key)?.request.flexible ?? 0,
  )
  switch (apiKey) {
    case ApiVersions.key:
      return encodeResponse(ApiVersions, apiVersion, correlationId, {
        errorCode: 0,
        apiKeys: [ApiVersions, Metadata, ListOffsets, Fetch].map(({ key, request: { versions } }) => ({
          apiKey: key,
          minVersion: versions[0],
          maxVersion: versions[1],
        })),
      })
    case Metadata.key:
      return encodeResponse(Metadata, apiVersion, correlationId, {
        brokers: [{ nodeId: 1, host: '127.0.0.1', port }],
        clusterId: 'endless',
        controllerId: 1,
        topics: [
          {
            errorCode: 0,
            name: topic,
            topicId,
            partitions: [
              {
                errorCode: 0,
                partitionIndex: 0,
                leaderId: 1,
                leaderEpoch: 0,
                replicaNodes: [1],
                isrNodes: [1],
                offlineReplicas: [],
              },
            ],
          },
        ],
      })
    case ListOffsets.key:
      return encodeResponse(ListOffsets, apiVersion, correlationId, {
        topics: [{ name: topic, partitions: [{ partitionIndex: 0, errorCode: 0, timestamp: -1n, offset: 0n, leaderEpoch: 0 }] }],
      })
    case Fetch.key: {
      const asked = decodeRequest(Fetch, apiVersion, frame, bodyOffset).topics[0]?.partitions[0]
      const from = asked?.fetchOffset ?? 0n
      // No answer is still on its way when the next is asked for: there is one reader, with one request at a time.
      for (let i = 0; i < batches; i++) setBaseOffset(records.subarray(i * batch.length), from + BigInt(i * PLAIN.count))
      const end = from + BigInt(batches * PLAIN.count)
      const partition = {
        partitionIndex: 0,
        errorCode: 0,
        highWatermark: end,
        lastStableOffset: end,
        logStartOffset: 0n,
        abortedTransactions: null,
        records,
      }
      const responses = asked ? [{ topicId, topic, partitions: [partition] }] : []
      return encodeResponse(Fetch, apiVersion, correlationId, { sessionId: 0, responses })
    }
  }
  throw new Error(`no answer to API ${apiKey}`)
}

async function serve(socket: Socket): Promise<void> {
  let waiting = Buffer.alloc(0)
  for await (const bytes of socket as AsyncIterable<Buffer>) {
    waiting = Buffer.concat([waiting, bytes])
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
      const length = 4 + waiting.readInt32BE(0)
      for (const chunk of answer(waiting.subarray(4, length)))
        for (let at = 0; at < chunk.length; at += PIECE_BYTES)
          await new Promise(written => socket.write(chunk.subarray(at, at + PIECE_BYTES), written))
      waiting = waiting.subarray(length)
    }
  }
}

// The reader's end is the end of its connection, in whatever state.
const server = createServer({ noDelay: true }, socket => void serve(socket).catch(() => {}))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as { port: number }
console.log(port)
process.stdin.on('end', () => process.exit(0)).resume()
