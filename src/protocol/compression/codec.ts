/** What the low three bits of a batch's attributes name, in the order of their numbers. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

/** Inputs from which so much may come leave the loop, however small they are: some milliseconds of work. */
export const OFFLOAD_OUTPUT_BYTES = 1024 * 1024

/** A piece of work: `inline` blocks the loop; the other forms, of which a job has one, give way to others. Same result. */
export interface Job<T> {
  inline(): T
  /** On other threads: libuv's, or the runner's. What is left to do on the loop is done in steps. */
  pooled?(inThread: InThread, inSteps: InSteps): Promise<T>
  /** In steps of a few milliseconds at most, between which others may have their turn. */
  stepped?(): Iterator<void, T>
  /** What comes out at most, where that may be far more than went in. */
  readonly mostBytes?: number
}

/** Work that yields every few hundred microseconds, where others may have their turn: both forms of running it. */
export function jobOf<T>(steps: () => Generator<void, T, void>): Job<T> {
  return {
    inline() {
      const work = steps()
      for (;;) {
        const { done, value } = work.next()
        if (done) return value
      }
    },
    stepped: steps,
  }
}

/** Has a thread call what a module exports. undefined where no thread can be had. */
export type InThread = (module: string, name: string, input: Uint8Array, options: unknown) => Promise<Uint8Array | undefined>
/** Takes steps, between which others may have their turn. */
export type InSteps = <T>(steps: Iterator<void, T>) => Promise<T>
/** Who decides which form runs: the runtime's `Offload` (D4) is one. Without it everything runs inline. */
export interface JobRunner {
  run<T>(job: Job<T>): Promise<T>
  /** Awaits an import, where time must stand still meanwhile. */
  readonly loaded?: <T>(module: Promise<T>) => Promise<T>
}

/** One compression format, as record batches use it. `legacy` asks for the variant that message format 0 has of it. */
export interface Compressor {
  compress(input: Uint8Array, level: number | undefined, legacy: boolean): Job<Uint8Array>
  /** Fails when the input is damaged or its output would exceed `maxBytes`. */
  decompress(input: Uint8Array, maxBytes: number, legacy: boolean): Job<Buffer>
}
