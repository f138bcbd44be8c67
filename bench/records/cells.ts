import { BatchBuilder, type Codec, type RecordInput } from '../../src/protocol/records/index.ts'

export const OPERATIONS = [
  'decode, index only',
  'decode, records',
  'decode, key and value bytes',
  'decode, value as string',
  'decode, value as JSON',
  'encode',
] as const
export type Operation = (typeof OPERATIONS)[number]
export const CODECS: readonly Codec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** What a batch is made of. */
export interface Cell {
  readonly valueBytes: number
  readonly count: number
  readonly headers: number
  readonly codec: Codec
}

export const MATRIX: readonly Cell[] = [100, 1024, 10_240].flatMap(valueBytes =>
  [1, 10, 100, 1000].flatMap(count => [0, 2, 5].flatMap(headers => CODECS.map(codec => ({ valueBytes, count, headers, codec })))),
)

export const caseName = (operation: Operation, { valueBytes, count, headers, codec }: Cell): string =>
  `${operation} | ${valueBytes < 1024 ? `${valueBytes} B` : `${valueBytes / 1024} KB`} × ${count}, ${headers} headers, ${codec}`

/** The batch that is compared most. */
export const PLAIN = { valueBytes: 100, count: 1000, headers: 0, codec: 'none' } as const satisfies Cell
/** What the peers do in the same run. */
export const HEADLINES: readonly (readonly [Operation, Cell])[] = [
  ['decode, index only', PLAIN],
  ['decode, records', PLAIN],
  ['decode, key and value bytes', PLAIN],
  ['decode, value as string', PLAIN],
  ['decode, value as JSON', PLAIN],
  ['decode, records', { ...PLAIN, headers: 2 }],
  ['decode, key and value bytes', { ...PLAIN, valueBytes: 1024 }],
  ['decode, key and value bytes', { ...PLAIN, count: 10 }],
  ['decode, key and value bytes', { ...PLAIN, codec: 'gzip' }],
  ['decode, key and value bytes', { ...PLAIN, codec: 'snappy' }],
  ['decode, key and value bytes', { ...PLAIN, codec: 'lz4' }],
  ['decode, key and value bytes', { ...PLAIN, codec: 'zstd' }],
  ['encode', PLAIN],
  ['encode', { ...PLAIN, headers: 2 }],
  ['encode', { ...PLAIN, count: 10 }],
]

export const KEY = Buffer.from('order-4711')
const HEADERS = [
  { key: 'trace-id', value: Buffer.from('4bf92f3577b34da6a3ce929d0e0e4736') },
  { key: 'source', value: Buffer.from('web') },
  { key: 'content-type', value: Buffer.from('application/json') },
  { key: 'schema', value: Buffer.from('7') },
  { key: 'empty', value: null },
]

/** Keys of 10 bytes, values that are JSON, timestamps of a busy producer. */
export function recordsOf({ valueBytes, count, headers }: Cell): RecordInput[] {
  return Array.from({ length: count }, (_, i) => {
    const start = `{"id":${i},"user":"user-${(i * 7919) % 1000}","amount":${(i * 31) % 9973},"note":"`
    const filler = 'lorem ipsum dolor sit amet consectetur '.repeat(300).slice(i % 40)
    return {
      key: KEY,
      value: Buffer.from(`${start}${filler.slice(0, valueBytes - start.length - 2)}"}`),
      timestamp: 1_700_000_000_000 + (i >> 6),
      ...(headers > 0 ? { headers: HEADERS.slice(0, headers) } : {}),
    }
  })
}

export async function batchOf(cell: Cell): Promise<Buffer> {
  const builder = new BatchBuilder({ codec: cell.codec })
  for (const record of recordsOf(cell)) builder.append(record)
  return Buffer.from(await builder.finish({}))
}

/** Bytes of the batch, uncompressed. */
export function sizeOf(cell: Cell): number {
  const builder = new BatchBuilder({ codec: 'none' })
  for (const record of recordsOf(cell)) builder.append(record)
  return builder.sizeBytes
}
