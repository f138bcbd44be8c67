import { CorruptRecordError } from '../../src/errors.ts'
import {
  CODECS as ALL,
  type Codec,
  compress,
  decompress,
  type JobRunner,
  OFFLOAD_BYTES,
} from '../../src/protocol/compression/index.ts'
import { crc32cPlain } from '../../src/protocol/records/crc32c.ts'
import { EncodedBatch, encodedBatches, type RecordBatch, readControlRecord } from '../../src/protocol/records/index.ts'
import { indexRecordsPlain, KEY_START, STRIDE, VALUE_END } from '../../src/protocol/records/record-index.ts'
import { nodeRuntime } from '../../src/runtime/node.ts'
import { damaged } from '../protocol/message-fuzz.ts'
import type { Random } from '../protocol/random-message.ts'
import { CODECS, noise, resealed, text, written } from './sample.ts'

const MAX_BYTES = 1 << 20
/** No execution may keep more memory outside the heap than this; what it takes meanwhile compression-memory.test.ts watches. */
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
/** Batches that are read in pieces: for the number of their records, and for their bytes, of which some records have several pieces. */
const large = await Promise.all(
  [
    Array.from({ length: 17_000 }, (_, i) => ({ key: null, value: Buffer.from(texts[i % 2]!), timestamp: i })),
    Array.from({ length: 40 }, (_, i) => ({
      key: Buffer.from(texts[i % 5]!),
      value: Buffer.alloc(i % 10 === 0 ? 300_000 : 30_000 + i, i),
      headers: withHeaders[2]![i % 30]!.headers,
      timestamp: i,
    })),
  ].map(set => written(2, 'none', set)),
)
/** Sets as they are, each all of one format, to be damaged before they are compressed. */
const plain = await Promise.all(
  ([2, 1, 0] as const).flatMap(magic => records.map(async set => ({ magic, set: await written(magic, 'none', set) }))),
)
interface Stream {
  readonly codec: Codec
  readonly bytes: Buffer
}
const streamsOf = (inputs: readonly Buffer[]): Promise<Stream[]> =>
  Promise.all(
    CODECS.slice(1).flatMap(codec =>
      inputs.map(async input => ({ codec, bytes: Buffer.from(await compress(codec, input, undefined, undefined)) })),
    ),
  )
const streams = await streamsOf([plain[2]!.set, Buffer.alloc(0)])
/** Streams that leave the loop: for their size, or for what they hold. */
const largeStreams = await streamsOf([
  Buffer.concat([text(40_000), noise(OFFLOAD_BYTES + 1000), text(40_000)]),
  Buffer.alloc(MAX_BYTES),
])

/** One execution: a damaged record set is read to the end, or refused with a CorruptRecordError. */
export function fuzzRecords(random: Random): void | Promise<void> {
  if (random.chance(0.005)) return samePieces(random)
  const bytes = random.chance(0.2) ? damagedWithin(random) : damagedWithout(random)
  const checkCrcs = random.chance(0.7)
  bounded(() => {
    for (const encoded of encodedBatches(bytes)) {
      const batch = encoded.open({ checkCrcs, maxBytes: MAX_BYTES })
      if (batch instanceof Promise) throw new Error('nothing is left to load')
      readAll(batch)
    }
  })
}

/** A damaged large batch is read in pieces as it is read in one go, or refused where that is. */
async function samePieces(random: Random): Promise<void> {
  const whole = random.pick(large)
  const body = whole.subarray(61)
  const bytes = Buffer.concat([whole.subarray(0, 61), random.chance(0.6) ? damaged(random, body) : body])
  bytes.writeInt32BE(bytes.length - 12, 8)
  const count = whole.readInt32BE(57) + (random.chance(0.3) ? random.below(3) - 1 : 0)
  bytes.writeInt32BE(count, 57)
  const rows = new Int32Array(count * STRIDE)
  let isSound = false
  try {
    isSound = indexRecordsPlain(bytes, 61, bytes.length, count, rows, 0) === bytes.length
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  if (random.chance(0.8)) resealed(bytes)
  isSound &&= bytes.readUInt32BE(17) === crc32cPlain(bytes, 21)
  const encoded = new EncodedBatch(bytes)
  try {
    const batch = await encoded.open({ checkCrcs: true, maxBytes: MAX_BYTES, offload: inSteps })
    if (!isSound) throw new Error('read, though it is damaged')
    for (let i = 0; i < count; i++)
      if (batch.keyStart(i) !== rows[i * STRIDE + KEY_START] || batch.valueEnd(i) !== rows[i * STRIDE + VALUE_END])
        throw new Error(`record ${i} is elsewhere`)
    readAll(batch)
  } catch (error) {
    if (!(error instanceof CorruptRecordError) || isSound) throw error
  }
}

function damagedWithout(random: Random): Buffer {
  const set = random.chance(0.2) ? Buffer.concat([random.pick(corpus), random.pick(corpus)]) : Buffer.from(random.pick(corpus))
  const bytes = random.chance(0.3) ? claims(random, set) : damaged(random, set)
  // Most damage has to get past the checksum.
  return random.chance(0.8) ? resealed(bytes) : bytes
}

/** Records that were damaged first and compressed then, so that every decompressor lets them pass. */
function damagedWithin(random: Random): Buffer {
  const { magic, set } = random.pick(plain)
  const codec = random.pick(CODECS.slice(1))
  const start = magic === 2 ? 61 : 0
  const packed = compress(codec, damaged(random, set.subarray(start)), undefined, undefined, magic === 0)
  if (packed instanceof Promise) throw new Error('nothing is left to load')
  if (magic === 2) {
    const bytes = Buffer.concat([set.subarray(0, start), packed])
    bytes.writeInt32BE(bytes.length - 12, 8)
    bytes[22] = CODECS.indexOf(codec)
    return resealed(bytes)
  }
  const lengths = 18 + 8 * magic
  const bytes = Buffer.concat([set.subarray(0, lengths), Buffer.alloc(8), packed])
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes[17] = CODECS.indexOf(codec)
  bytes.writeInt32BE(-1, lengths)
  bytes.writeInt32BE(packed.length, lengths + 4)
  return resealed(bytes)
}

/**
 * One execution: a damaged compressed stream, or several in a row, is decompressed, or refused with a CorruptRecordError; and off the
 * loop with the same result.
 */
export function fuzzDecompression(random: Random): void | Promise<void> {
  const isLarge = random.chance(0.05)
  const stream = random.pick(isLarge ? largeStreams : streams)
  const codec = random.chance(0.1) ? random.pick(ALL.slice(1)) : stream.codec
  const next = random.pick(streams)
  const bytes = damaged(random, random.chance(0.1) ? Buffer.concat([stream.bytes, next.bytes]) : stream.bytes)
  const legacy = random.chance(0.3)
  const here = bounded(() => {
    const output = decompress(codec, bytes, MAX_BYTES, undefined, legacy)
    if (output instanceof Promise) throw new Error('nothing is left to load')
    if (output.length > MAX_BYTES) throw new Error(`${output.length} bytes are more than allowed`)
    return output
  })
  return isLarge ? sameElsewhere(here, codec, bytes, legacy) : undefined
}

async function sameElsewhere(here: Buffer | undefined, codec: Codec, bytes: Buffer, legacy: boolean): Promise<void> {
  const [one, other] = await Promise.all(
    [nodeRuntime.offload, inSteps].map(async runner => {
      try {
        return await decompress(codec, bytes, MAX_BYTES, runner, legacy)
      } catch (error) {
        if (!(error instanceof CorruptRecordError)) throw error
        return undefined
      }
    }),
  )
  for (const elsewhere of [one, other])
    if (here === undefined ? elsewhere !== undefined : elsewhere === undefined || !here.equals(elsewhere))
      throw new Error(`${elsewhere?.length} bytes off the loop, ${here?.length} on it`)
}

/** Takes one step a turn, so that jobs are under way together. */
const inSteps: JobRunner = {
  async run(job) {
    if (!job.stepped) return nodeRuntime.offload.run(job)
    for (const work = job.stepped(); ; await undefined) {
      const { done, value } = work.next()
      if (done) return value
    }
  },
}

/** What `work` makes; undefined where it refuses. */
function bounded<T>(work: () => T): T | undefined {
  const before = process.memoryUsage().arrayBuffers
  let result: T | undefined
  try {
    result = work()
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
  }
  const allocated = process.memoryUsage().arrayBuffers - before
  if (allocated > MOST_ALLOCATED) throw new Error(`${allocated} bytes were allocated`)
  return result
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
