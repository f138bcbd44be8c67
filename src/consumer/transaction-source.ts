import type { PartitionMap } from '../client/partition-map.ts'
import type { CheckedOffset, GroupMetadata } from './offsets.ts'

/**
 * What a transaction needs to know of the consumer it takes records from (D8: consume, transform, produce): a snapshot of
 * what an explicit `commit()` would send, and what to do when the transaction has ended.
 */
export interface TransactionSource {
  /** The identity under which the records were handed out (KIP-447). */
  readonly group: GroupMetadata
  readonly offsets: PartitionMap<CheckedOffset>
  /** False once one of the partitions was revoked or lost, or the group has moved on: then abort. */
  isCurrent(): boolean
  /** The transaction is committed, and with it `offsets`. */
  committed(): void
  /** The transaction is aborted: reads on from what the group has committed. */
  rewind(): void
}
