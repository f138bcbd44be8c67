import { ErrorCode, errorRow } from '../protocol/error-codes.ts'

/** What becomes of a batch after the broker's answer. */
export type Verdict =
  /** It is in the log, since now or since an earlier attempt. */
  | 'stored'
  /** Again, after the backoff. */
  | 'retry'
  /** Again, once the metadata says where. */
  | 'relocate'
  /** The sequence has a gap: again, numbered anew under the next epoch (KIP-360). */
  | 'next-epoch'
  /** The producer id itself is of no use any more. */
  | 'new-id'
  /** Too large for the topic: again, in halves (KIP-126). */
  | 'split'
  | 'fail'

/** The verdict on an error code of a partition, for a producer without transactions. */
export function verdictOn(code: number, { records, numbered }: { records: number; numbered: boolean }): Verdict {
  switch (code) {
    case ErrorCode.NONE:
    // The broker has it already, but no longer knows at which offset.
    case ErrorCode.DUPLICATE_SEQUENCE_NUMBER:
      return 'stored'
    case ErrorCode.MESSAGE_TOO_LARGE:
    case ErrorCode.RECORD_LIST_TOO_LARGE:
      return records > 1 ? 'split' : 'fail'
    case ErrorCode.INVALID_PRODUCER_EPOCH:
      return numbered ? 'new-id' : 'fail'
  }
  const { action, retriable } = errorRow(code)
  switch (action) {
    case 'refresh-metadata':
      return retriable ? 'relocate' : 'fail'
    case 'bump-epoch':
      return numbered ? 'next-epoch' : 'fail'
    case 'none':
    case 'retry':
    case 'find-coordinator':
    case 'fail':
    case 'rejoin':
    case 'new-member-id':
    case 'reset-offset':
    case 'abort':
    case 'fence':
      return retriable ? 'retry' : 'fail'
    default:
      return action satisfies never
  }
}
