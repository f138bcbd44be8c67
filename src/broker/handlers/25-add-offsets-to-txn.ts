/** AddOffsetsToTxn. Takes a group's offsets into a producer's transaction before it commits them. v2 brought PRODUCER_FENCED. */
import { AddOffsetsToTxn } from '../../protocol/apis/25-add-offsets-to-txn.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

const FENCED_SINCE = 2

export const addOffsetsToTxn = handler(
  AddOffsetsToTxn,
  ({ transactionalId, groupId, ...claimed }, { cluster, node, version }) => {
    const { transactions } = cluster
    const errorCode =
      transactions.fault(transactionalId, node) || transactions.add(transactionalId, claimed, { groups: [groupId] })
    const told = errorCode === ErrorCode.PRODUCER_FENCED && version < FENCED_SINCE ? ErrorCode.INVALID_PRODUCER_EPOCH : errorCode
    return { throttleTimeMs: 0, errorCode: told }
  },
)
