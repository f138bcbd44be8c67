/** Our side: the whole matrix, through what the consumer and the producer use. */
import { BatchBuilder, encodedBatches, type RecordBatch } from '../../src/protocol/records/index.ts'
import type { Side } from '../rounds.ts'
import { batchOf, type Cell, caseName, MATRIX, OPERATIONS, type Operation, recordsOf } from './cells.ts'

/** The one small object per record that a consumer hands out. */
class Record {
  readonly batch: RecordBatch
  readonly i: number
  constructor(batch: RecordBatch, i: number) {
    this.batch = batch
    this.i = i
  }
  get key() {
    return this.batch.keyAt(this.i)
  }
  get value() {
    return this.batch.valueAt(this.i)
  }
}

const OPEN = { checkCrcs: true, maxBytes: 64 << 20 }
const sink = { total: 0 }

/** What is done with each record of an opened batch. */
const uses: { readonly [O in Operation]?: (batch: RecordBatch) => void } = {
  'decode, records'(batch) {
    for (let i = 0; i < batch.length; i++) sink.total += new Record(batch, i).i
  },
  'decode, key and value bytes'(batch) {
    for (let i = 0; i < batch.length; i++) {
      const record = new Record(batch, i)
      sink.total += (record.key?.[0] ?? 0) + (record.value?.[0] ?? 0)
    }
  },
  'decode, value as string'(batch) {
    for (let i = 0; i < batch.length; i++) {
      const record = new Record(batch, i)
      sink.total += batch.buffer.utf8Slice(batch.valueStart(record.i), batch.valueEnd(record.i)).length
    }
  },
  'decode, value as JSON'(batch) {
    for (let i = 0; i < batch.length; i++) {
      const record = new Record(batch, i)
      sink.total += JSON.parse(batch.buffer.utf8Slice(batch.valueStart(record.i), batch.valueEnd(record.i))).id
    }
  },
}

async function prepare(operation: Operation, cell: Cell): Promise<(n: number) => unknown> {
  const use = uses[operation]
  if (!use) {
    const records = recordsOf(cell)
    const encode = () => {
      const builder = new BatchBuilder({
        codec: cell.codec,
        capacityBytes: Math.min(cell.count * (cell.valueBytes + 20), 16 * 1024),
      })
      for (const record of records) builder.append(record)
      return builder.finish({})
    }
    await encode() // loads what the codec needs
    return n => {
      for (let i = 0; i < n; i++) sink.total += (encode() as Uint8Array).length
    }
  }
  const bytes = await batchOf(cell)
  return n => {
    for (let i = 0; i < n; i++) for (const encoded of encodedBatches(bytes)) use(encoded.open(OPEN) as RecordBatch)
  }
}

export default {
  name: 'kafkawire',
  crc: 'verified',
  cases: Object.fromEntries(
    OPERATIONS.flatMap(operation => MATRIX.map(cell => [caseName(operation, cell), () => prepare(operation, cell)])),
  ),
} satisfies Side
