/** @module gzip, snappy, lz4 and zstd behind one interface. */
import { CorruptRecordError, KafkaError } from '../../errors.ts'
import { CODECS, type Codec, type Compressor, type Job, type JobRunner } from './codec.ts'
import { gzip } from './gzip.ts'

export { CODECS, type Codec, type Compressor, type Job, type JobRunner } from './codec.ts'

/** Inputs from this size on leave the loop: below it the hand-over costs more than the work. */
export const OFFLOAD_BYTES = 16 * 1024

/**
 * Compresses with a codec other than `none`.
 * @param runner Takes inputs of 16 KiB and more off the loop; the result is then a promise.
 * @throws KafkaError ERR_MISSING_CODEC where the codec's package is not installed.
 */
export function compress(
  codec: Codec,
  input: Uint8Array,
  level: number | undefined,
  runner: JobRunner | undefined,
  legacy = false,
): Uint8Array | Promise<Uint8Array> {
  return start(compressorOf(codec).compress(input, level, legacy), input.length, runner)
}

/**
 * Undoes `compress`, for bytes of any origin.
 * @param maxBytes What the output may hold at most; nothing near more than that is ever allocated.
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
      `${input.length} bytes of ${codec} could not be decompressed into at most ${maxBytes}: ${reason}`,
      {},
      { cause },
    )
  }
  try {
    const output = start(compressorOf(codec).decompress(input, maxBytes, legacy), input.length, runner)
    return output instanceof Promise ? output.catch(failed) : output
  } catch (error) {
    return failed(error)
  }
}

function start<T>(job: Job<T>, inputBytes: number, runner: JobRunner | undefined): T | Promise<T> {
  return runner && inputBytes >= OFFLOAD_BYTES ? runner.run(job) : job.inline()
}

function compressorOf(codec: Codec): Compressor {
  if (codec === 'gzip') return gzip
  throw new KafkaError('ERR_MISSING_CODEC', `no ${codec} here (${CODECS.join(', ')} are the codecs)`)
}
