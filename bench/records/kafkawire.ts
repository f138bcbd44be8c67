/**
 * Our side: the whole matrix. Decoding as the consumer does it, to the records that it hands out; encoding as the producer does.
 * Compression happens on the loop here, where the work is measured and not the way to a thread.
 */
import { ConsumerBatch } from '../../src/consumer/index.ts'
import { RecordReader } from '../../src/consumer/record.ts'
import { BatchMemory } from '../../src/producer/batch-memory.ts'
import { BatchBuilder, encodedBatches, type RecordBatch } from '../../src/protocol/records/index.ts'
import { bytes, json, type Serde, string } from '../../src/serde/index.ts'
import type { Side } from '../rounds.ts'
import { batchOf, type Cell, caseName, MATRIX, OPERATIONS, type Operation, recordsOf, sizeOf } from './cells.ts'

const IN_FLIGHT = 5
const OPEN = { checkCrcs: true, maxBytes: 64 << 20 }
const sink = { total: 0 }
const ORIGIN = { highWatermark: 0n, epoch: 0, isCurrent: () => true, release() {} }

/** As `consumer.batches()` hands it out, with bytes as keys and this serde for the values. */
function handedOut<V>(value: Serde<V>): (records: RecordBatch) => ConsumerBatch<Uint8Array | null, V> {
  const reader = new RecordReader('orders', 0, bytes, value)
  return records => new ConsumerBatch(reader, [{ records, from: 0, to: records.length }], records.encoded.lastOffset + 1n, ORIGIN)
}
const withBytes = handedOut(bytes)
const withText = handedOut(string)
const withJson = handedOut(json())

/** What is done with an opened batch: checked, decompressed and indexed it is already. */
const uses: { readonly [O in Operation]?: (records: RecordBatch) => void } = {
  'decode, index only'(records) {
    sink.total += records.length
  },
  'decode, records'(records) {
    for (const record of withBytes(records)) sink.total += record ? 1 : 0
  },
  'decode, key and value bytes'(records) {
    for (const record of withBytes(records)) sink.total += record.key![0]! + record.value![0]!
  },
  'decode, value as string'(records) {
    for (const record of withText(records)) sink.total += record.value.length
  },
  'decode, value as JSON'(records) {
    for (const record of withJson(records)) sink.total += (record.value as { id: number }).id
  },
}

async function prepare(operation: Operation, cell: Cell): Promise<(n: number) => unknown> {
  const use = uses[operation]
  if (!use) {
    const records = recordsOf(cell)
    // As the producer, with a batchSize of its default or of the batch: memory of batches of which it is half full or more is used
    // again once they are acknowledged, here when five others are in flight. Less than that is fresh.
    const size = sizeOf(cell)
    const batchSize = Math.max(16_384, size)
    const memory = new BatchMemory(batchSize, IN_FLIGHT * batchSize)
    const inFlight: Buffer[] = []
    const encode = () => {
      const builder = new BatchBuilder({ codec: cell.codec, memory: memory.take(size > batchSize / 2 ? batchSize : size) })
      for (const record of records) builder.append(record)
      if (inFlight.push(builder.memory) > IN_FLIGHT) memory.give(inFlight.shift()!)
      return builder.finish({})
    }
    await encode() // loads what the codec needs
    return n => {
      for (let i = 0; i < n; i++) sink.total += (encode() as Uint8Array).length
    }
  }
  const batch = await batchOf(cell)
  const open = () => encodedBatches(batch).next().value!.open(OPEN) as RecordBatch
  if (open().length !== cell.count) throw new Error(`${open().length} records, not ${cell.count}`)
  return n => {
    for (let i = 0; i < n; i++) use(open())
  }
}

export default {
  name: 'kafkawire',
  crc: 'verified',
  // Large batches first: they have the code compiled by the time it is measured on small ones.
  cases: Object.fromEntries(
    OPERATIONS.flatMap(operation => MATRIX.toReversed().map(cell => [caseName(operation, cell), () => prepare(operation, cell)])),
  ),
} satisfies Side
