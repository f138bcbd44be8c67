/** Serves one fetch response, over and over: `node frame-server.ts MIB` prints its port; each byte received asks for a response. */
import { createServer } from 'node:net'
import { Fetch } from '../../src/protocol/apis/index.ts'
import { encodeResponse } from '../../src/protocol/frame.ts'
import { batchOf } from './cells.ts'

const PIECE_BYTES = 64 * 1024
const [, , mib] = process.argv
const batch = await batchOf({ valueBytes: 100, count: 1000, headers: 0, codec: 'none' })
const records = Buffer.concat(
  Array.from({ length: Math.max(1, Math.floor((Number(mib) * 2 ** 20) / batch.length)) }, () => batch),
)
const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const partition = {
  partitionIndex: 0,
  errorCode: 0,
  highWatermark: 0n,
  lastStableOffset: 0n,
  logStartOffset: 0n,
  abortedTransactions: null,
  preferredReadReplica: -1,
  records,
}
const frame = Buffer.concat(
  encodeResponse(Fetch, 16, 1, {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: 0,
    responses: [{ topicId, partitions: [partition] }],
  }),
)

const server = createServer(socket => {
  socket.on('data', asked => {
    for (let left = asked.length; left > 0; left--)
      for (let at = 0; at < frame.length; at += PIECE_BYTES) socket.write(frame.subarray(at, at + PIECE_BYTES))
  })
  socket.on('error', () => {})
})
server.listen(0, '127.0.0.1', () => console.log((server.address() as { port: number }).port))
process.stdin.on('end', () => process.exit(0)).resume()
