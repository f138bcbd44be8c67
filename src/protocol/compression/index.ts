/** @module gzip, snappy, lz4 and zstd behind one interface. */
import { CorruptRecordError, KafkaError } from '../../errors.ts'
import { type Codec, type Compressor, type Job, type JobRunner, OFFLOAD_OUTPUT_BYTES } from './codec.ts'
import { gzip } from './gzip.ts'
import { checkLevel } from './levels.ts'
import { lz4 } from './lz4.ts'
import { snappy } from './snappy.ts'
import { zstd } from './zstd.ts'

export { CODECS, type Codec, type Compressor, type Job, type JobRunner, jobOf } from './codec.ts'

/** Inputs from this size on leave the loop: below it the hand-over costs more than the work. */
export const OFFLOAD_BYTES = 16 * 1024

/**
 * Compresses with a codec other than `none`.
 * @param level As KIP-390 has them: gzip 1–9 or -1, lz4 1–17, zstd -131072…22; the codec's default otherwise.
 * @param runner Takes 16 KiB and more off the loop (gzip, zstd) or does them step by step (snappy, lz4); the result is then a promise.
 * @param legacy For a message set of format 0.
 * @throws KafkaError ERR_INVALID_ARGUMENT for a level the codec does not have, ERR_MISSING_CODEC where what it needs is not there.
 */
export function compress(
  codec: Codec,
  input: Uint8Array,
  level: number | undefined,
  runner: JobRunner | undefined,
  legacy = false,
): Uint8Array | Promise<Uint8Array> {
  checkLevel(codec, level)
  return withCompressor(codec, runner, compressor => start(compressor.compress(input, level, legacy), input.length, runner))
}

/**
 * Undoes `compress`, for bytes of any origin.
 * @param maxBytes What the output may hold at most. It also bounds the memory taken on the way, to little more than twice as much.
 * @throws CorruptRecordError for damaged input or too large an output; KafkaError ERR_MISSING_CODEC.
 */
export function decompress(
  codec: Codec,
  input: Uint8Array,
  maxBytes: number,
  runner: JobRunner | undefined,
  legacy = false,
): Buffer | Promise<Buffer> {
  const failed = (cause: unknown): never => {
    if (KafkaError.is(cause)) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CorruptRecordError(
      `${input.length} bytes of ${codec} do not decompress into at most ${maxBytes} bytes (${reason}): ` +
        'raise the limit if such batches are expected, otherwise they are damaged',
      {},
      { cause },
    )
  }
  try {
    const output = withCompressor(codec, runner, compressor =>
      start(compressor.decompress(input, maxBytes, legacy), input.length, runner),
    )
    return output instanceof Promise ? output.catch(failed) : output
  } catch (error) {
    return failed(error)
  }
}

function start<T>(job: Job<T>, inputBytes: number, runner: JobRunner | undefined): T | Promise<T> {
  const large = inputBytes >= OFFLOAD_BYTES || (job.mostBytes ?? 0) >= OFFLOAD_OUTPUT_BYTES
  return runner && large && (job.pooled || job.stepped) ? runner.run(job) : job.inline()
}

function withCompressor<T>(
  codec: Codec,
  runner: JobRunner | undefined,
  use: (compressor: Compressor) => T | Promise<T>,
): T | Promise<T> {
  const compressor = compressorOf(codec)
  // The one that may have to be loaded: each run of a simulation takes the same steps, whether it still has to be or not.
  if (codec === 'zstd' && runner?.loaded) return runner.loaded(Promise.resolve(compressor)).then(use)
  return compressor instanceof Promise ? compressor.then(use) : use(compressor)
}

function compressorOf(codec: Codec): Compressor | Promise<Compressor> {
  switch (codec) {
    case 'gzip':
      return gzip
    case 'snappy':
      return snappy
    case 'lz4':
      return lz4
    case 'zstd':
      return zstd()
    case 'none':
      throw new KafkaError('ERR_INVALID_ARGUMENT', 'the codec "none" compresses nothing: pass the bytes on as they are')
  }
}
