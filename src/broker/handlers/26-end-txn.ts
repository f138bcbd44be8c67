/**
 * EndTxn. Commits or aborts: a marker in each partition, and the offsets of each group, settled together. v2 brought
 * PRODUCER_FENCED, v5 a new epoch with each end (KIP-890), by which a repeated request is recognised.
 */
import { EndTxn } from '../../protocol/apis/26-end-txn.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

const FENCED_SINCE = 2
const BUMPS_SINCE = 5

export const endTxn = handler(EndTxn, ({ transactionalId, committed, ...claimed }, { cluster, node, version }) => {
  const { transactions } = cluster
  const fault = transactions.fault(transactionalId, node)
  if (fault !== ErrorCode.NONE) return { throttleTimeMs: 0, errorCode: fault }
  const { errorCode, ...producer } = transactions.finish(transactionalId, claimed, committed, version >= BUMPS_SINCE)
  const told = errorCode === ErrorCode.PRODUCER_FENCED && version < FENCED_SINCE ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode
  return { throttleTimeMs: 0, errorCode: told, ...(version >= BUMPS_SINCE && producer) }
})
