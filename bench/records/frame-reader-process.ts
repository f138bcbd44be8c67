/** Reads fetch responses from frame-server.ts: `node frame-reader-process.ts PORT ROUNDS WARM_UP_ROUNDS` prints a line of JSON. */
import { FrameReader } from '../../src/net/frame-reader.ts'
import { Fetch } from '../../src/protocol/apis/index.ts'
import { decodeResponse } from '../../src/protocol/frame.ts'
import { encodedBatches, type RecordBatch } from '../../src/protocol/records/index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { openThreadClock } from '../turn-meter.ts'

const OPEN = { checkCrcs: true, maxBytes: 64 << 20 }
/** Time of our own on the processor, so that what else runs on the machine does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
/** Of the main thread alone: what the loop had to wait for. */
const thread = openThreadClock()
/** As the consumer does: after so long, pending I/O has its turn. */
const STEP_MS = 4
const [, , port, rounds, warmUp] = process.argv

class Record {
  readonly batch: RecordBatch
  readonly i: number
  constructor(batch: RecordBatch, i: number) {
    this.batch = batch
    this.i = i
  }
}

let arrived: (buffer: { buffer: Buffer; release(): void }) => void
const reader = new FrameReader(
  {
    frame(frame) {
      arrived(frame)
      return true
    },
    failed(error) {
      throw error
    },
    drained() {},
    closed() {},
  },
  100 << 20,
)
const transport = await nodeRuntime.network.dial({ address: '127.0.0.1', host: '127.0.0.1', port: Number(port) }, reader)

const samples: number[] = []
let records = 0
let longestStepMs = 0
for (let round = -Number(warmUp); round < Number(rounds); round++) {
  const began = cpuMs()
  transport.write([Buffer.from([1])])
  const frame = await new Promise<{ buffer: Buffer; release(): void }>(resolve => {
    arrived = resolve
  })
  records = 0
  let sum = 0
  let step = thread.read()
  const { responses } = decodeResponse(Fetch, 16, frame.buffer)
  for (const topic of responses)
    for (const partition of topic.partitions)
      for (const encoded of encodedBatches((partition.records ?? Buffer.alloc(0)) as Buffer)) {
        const batch = encoded.open(OPEN) as RecordBatch
        for (let i = 0; i < batch.length; i++) {
          const record = new Record(batch, i)
          sum += record.batch.buffer[record.batch.valueStart(record.i)]!
        }
        records += batch.length
        const now = thread.read()
        if (now - step < STEP_MS) continue
        if (round >= 0) longestStepMs = Math.max(longestStepMs, now - step)
        await new Promise<void>(resolve => nodeRuntime.clock.soon(resolve))
        step = thread.read()
      }
  frame.release()
  if (sum === 0) throw new Error('nothing was read')
  if (round >= 0) samples.push(cpuMs() - began)
}
transport.destroy()
samples.sort((a, b) => a - b)
console.log(JSON.stringify({ records, ms: samples[samples.length >> 1], longestStepMs, rssMb: process.memoryUsage().rss / 1e6 }))
