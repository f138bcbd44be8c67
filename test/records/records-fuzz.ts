import { CorruptRecordError } from '../../src/errors.ts'
import { CODECS as ALL, decompress } from '../../src/protocol/compression/index.ts'
import { encodedBatches, type RecordBatch, readControlRecord } from '../../src/protocol/records/index.ts'
import { damaged } from '../protocol/message-fuzz.ts'
import type { Random } from '../protocol/random-message.ts'
import { CODECS, resealed, written } from './sample.ts'

const MAX_BYTES = 1 << 20
/** No execution may take more memory outside the heap than this. */
const MOST_ALLOCATED = 24 << 20

const texts = ['', 'a', 'some text that repeats, some text that repeats, some text', 'x'.repeat(300), '\u0000\u0001ÿ'.repeat(50)]
const records = [1, 2, 30].map(count =>
  Array.from({ length: count }, (_, i) => ({
    key: i % 3 === 0 ? null : Buffer.from(texts[i % 5]!),
    value: i % 7 === 0 ? null : Buffer.from(texts[(i * 3) % 5]!),
    timestamp: i % 5 === 0 ? 2 ** 40 + i : i,
  })),
)
const withHeaders = records.map(set =>
  set.map((record, i) => ({
    ...record,
    headers:
      i % 2
        ? [
            { key: texts[i % 5]!, value: null },
            { key: 'k', value: Buffer.from('v') },
          ]
        : [],
  })),
)

/** Record sets of each format and codec; compressing them also loads what the codecs need, so that fuzzing is synchronous. */
const corpus: Buffer[] = []
for (const codec of CODECS) {
  for (const set of [...records, ...withHeaders]) corpus.push(await written(2, codec, set, { baseOffset: 7n, producerId: 3n }))
  if (codec !== 'zstd')
    for (const magic of [0, 1] as const) for (const set of records) corpus.push(await written(magic, codec, set))
}
const streams = await Promise.all(
  CODECS.slice(1).map(async codec => ({ codec, bytes: Buffer.from((await written(2, codec, records[2]!)).subarray(61)) })),
)

/** One execution: a damaged record set is read to the end, or refused with a CorruptRecordError. */
export function fuzzRecords(random: Random): void {
  const set = random.chance(0.2) ? Buffer.concat([random.pick(corpus), random.pick(corpus)]) : Buffer.from(random.pick(corpus))
  let bytes = random.chance(0.3) ? claims(random, set) : damaged(random, set)
  // Most damage has to get past the checksum.
  if (random.chance(0.8)) bytes = resealed(bytes)
  const checkCrcs = random.chance(0.7)
  bounded(() => {
    for (const encoded of encodedBatches(bytes)) {
      const batch = encoded.open({ checkCrcs, maxBytes: MAX_BYTES })
      if (batch instanceof Promise) throw new Error('nothing is left to load')
      readAll(batch)
    }
  })
}

/** One execution: a damaged compressed stream is decompressed, or refused with a CorruptRecordError. */
export function fuzzDecompression(random: Random): void {
  const stream = random.pick(streams)
  const codec = random.chance(0.1) ? random.pick(ALL.slice(1)) : stream.codec
  const bytes = damaged(random, stream.bytes)
  bounded(() => {
    const output = decompress(codec, bytes, MAX_BYTES, undefined, random.chance(0.3))
    if (output instanceof Promise) throw new Error('nothing is left to load')
    if (output.length > MAX_BYTES) throw new Error(`${output.length} bytes are more than allowed`)
  })
}

function bounded(work: () => void): void {
  const before = process.memoryUsage().arrayBuffers
  try {
    work()
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
  }
  const allocated = process.memoryUsage().arrayBuffers - before
  if (allocated > MOST_ALLOCATED) throw new Error(`${allocated} bytes were allocated`)
}

/** Overwrites a number in the header with one that makes trouble. */
function claims(random: Random, set: Buffer): Buffer {
  const [at, bytes] = random.pick([
    [8, 4],
    [16, 1],
    [21, 2],
    [23, 4],
    [57, 4],
    [26, 4],
    [18, 4],
    [30, 4],
    [61, 1],
    [62, 1],
  ] as const)
  if (at + bytes > set.length) return set
  const value = random.integer(bytes * 8)
  set.writeIntBE(Math.max(-(2 ** (8 * bytes - 1)), Math.min(value, 2 ** (8 * bytes - 1) - 1)), at, bytes)
  return set
}

function readAll(batch: RecordBatch): void {
  for (let i = 0; i < batch.length; i++) {
    const { length } = batch.buffer
    for (const [start, end] of [
      [batch.keyStart(i), batch.keyEnd(i)],
      [batch.valueStart(i), batch.valueEnd(i)],
    ] as const)
      if (start < 0 || end > length || end < start - 1) throw new Error(`record ${i} is at ${start}–${end} of ${length}`)
    batch.offsetAt(i)
    batch.timestampAt(i)
    batch.timestampExactAt(i)
    batch.keyAt(i)
    batch.valueAt(i)
    for (const { key, value } of batch.headersAt(i))
      if (typeof key !== 'string' || (value && value.length > length)) throw new Error('a header')
    if (batch.encoded.isControl) readControlRecord(batch, i)
  }
  batch.firstIndexAtOrAfter(0n)
}
