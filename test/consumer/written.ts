import type { Broker } from '../../src/broker/index.ts'
import { BatchBuilder, type BatchMeta, type Codec, endTransactionMarker } from '../../src/protocol/records/index.ts'

interface WriteOptions extends BatchMeta {
  readonly perBatch?: number
  readonly codec?: Codec
  readonly keepOffsets?: boolean
  readonly key?: (value: string) => string | null
  readonly timestamp?: (index: number) => number
}

/** Appends values to a partition, `perBatch` records to a batch. */
export async function write(
  broker: Broker,
  topic: string,
  partition: number,
  values: readonly string[],
  options: WriteOptions = {},
) {
  const {
    perBatch = values.length,
    codec = 'none',
    keepOffsets = false,
    key = () => null,
    timestamp = () => 1_000,
    ...meta
  } = options
  for (let start = 0; start < values.length; start += perBatch) {
    const builder = new BatchBuilder({ codec })
    values.slice(start, start + perBatch).forEach((value, i) => {
      const name = key(value)
      builder.append({
        key: name === null ? null : Buffer.from(name),
        value: Buffer.from(value),
        timestamp: timestamp(start + i),
      })
    })
    await broker.appendRaw(topic, partition, await builder.finish(meta), { keepOffsets })
  }
}

export async function writeMarker(
  broker: Broker,
  topic: string,
  partition: number,
  type: 'commit' | 'abort',
  producerId: bigint,
) {
  const builder = new BatchBuilder({ codec: 'none' })
  builder.append({ ...endTransactionMarker(type, 0), timestamp: 1_000 })
  const bytes = await builder.finish({ producerId, producerEpoch: 0, isTransactional: true, isControl: true })
  await broker.appendRaw(topic, partition, bytes)
}

export const numbered = (count: number, prefix = 'v') => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
