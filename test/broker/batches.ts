import { BatchBuilder, encodedBatches } from '../../src/protocol/records/index.ts'

export interface BatchOf {
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly timestamp?: number
  readonly key?: string | null
}

/** One batch of the given values. */
export function batch(values: readonly string[], { timestamp = 1_000, key = 'k', ...meta }: BatchOf = {}): Buffer {
  const builder = new BatchBuilder({ codec: 'none' })
  values.forEach((value, i) => {
    builder.append({ key: key === null ? null : Buffer.from(key), value: Buffer.from(value), timestamp: timestamp + i })
  })
  const bytes = builder.finish(meta)
  if (bytes instanceof Promise) throw new Error('an uncompressed batch is finished at once')
  return Buffer.from(bytes)
}

/** `offset:value` of every record of a fetched record set. */
export function readBack(records: Uint8Array | null): string[] {
  const texts: string[] = []
  for (const encoded of encodedBatches(Buffer.from(records ?? []))) {
    const opened = encoded.open({ checkCrcs: true, maxBytes: 1 << 20 })
    if (opened instanceof Promise) throw new Error('an uncompressed batch opens at once')
    for (let i = 0; i < opened.length; i++) texts.push(`${opened.offsetAt(i)}:${opened.valueAt(i)}`)
  }
  return texts
}
