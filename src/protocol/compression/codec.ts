/** What the low three bits of a batch's attributes name, in the order of their numbers. */
export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

/** A piece of work: `inline` blocks the loop; the other forms, of which a job has one, give way to others. Same result. */
export interface Job<T> {
  inline(): T
  /** On a thread pool. */
  pooled?(): Promise<T>
  /** In steps of a few milliseconds at most, between which others may have their turn. */
  stepped?(): Iterator<void, T>
}
/** Who decides which form runs: the runtime's `Offload` (D4) is one. Without it everything runs inline. */
export interface JobRunner {
  run<T>(job: Job<T>): Promise<T>
}

/** One compression format, as record batches use it. `legacy` asks for the variant that message format 0 has of it. */
export interface Compressor {
  compress(input: Uint8Array, level: number | undefined, legacy: boolean): Job<Uint8Array>
  /** Fails when the input is damaged or its output would exceed `maxBytes`. */
  decompress(input: Uint8Array, maxBytes: number, legacy: boolean): Job<Buffer>
}
