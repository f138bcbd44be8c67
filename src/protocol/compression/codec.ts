/** What the low three bits of a batch's attributes name, in the order of their numbers. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

/** A piece of work that exists in two forms: `inline` blocks the loop, `pooled` runs on a thread pool. Same result. */
export interface Job<T> {
  inline(): T
  pooled(): Promise<T>
}
/** Who decides which form runs: the runtime's `Offload` (D4) is one. Without it everything runs inline. */
export interface JobRunner {
  run<T>(job: Job<T>): Promise<T>
}

/** A job that may be so quick that no pool is worth it. */
export type Work<T> = Pick<Job<T>, 'inline'> & Partial<Job<T>>

/** One compression format, as record batches use it. `legacy` asks for the variant that message format 0 has of it. */
export interface Compressor {
  compress(input: Uint8Array, level: number | undefined, legacy: boolean): Work<Uint8Array>
  /** Fails when the input is damaged or its output would exceed `maxBytes`. */
  decompress(input: Uint8Array, maxBytes: number, legacy: boolean): Work<Buffer>
}
