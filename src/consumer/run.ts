import type { ConsumerBatch } from './batch.ts'
import type { ConsumerRecord } from './record.ts'

export interface HandlerContext {
  /** Aborts when the partition is revoked or lost, or the consumer closes: finish soon, what comes after will not count. */
  readonly signal: AbortSignal
}
interface RunCommon {
  /** How many handlers run at once. Default 1. */
  readonly concurrency?: number
  /** Ends `run` after the handlers that are running. */
  readonly signal?: AbortSignal
}
export type RunOptions<K, V> = RunCommon &
  (
    | {
        readonly eachRecord: (record: ConsumerRecord<K, V>, context: HandlerContext) => unknown
        /** Whose records are handled one after the other: a partition's (default) or, with more parallelism, a key's. */
        readonly orderBy?: 'partition' | 'key'
        readonly eachBatch?: undefined
      }
    | {
        readonly eachBatch: (batch: ConsumerBatch<K, V>, context: HandlerContext) => unknown
        readonly orderBy?: 'partition'
        readonly eachRecord?: undefined
      }
  )
