/**
 * InitProducerId. Gives an idempotent producer its id. A transactional one keeps the id of its transactional id, with an epoch
 * raised each time, which fences whoever used it before; a transaction it left open is aborted first, and until then the answer
 * is CONCURRENT_TRANSACTIONS. v3 lets a producer continue its own id and epoch (KIP-360).
 */
import { InitProducerId } from '../../protocol/apis/22-init-producer-id.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

export const initProducerId = handler(InitProducerId, (request, { cluster, node }) => {
  const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
  const refuse = (errorCode: number) => ({ throttleTimeMs: 0, errorCode, producerId: -1n, producerEpoch: -1 })
  if (transactionalId === null)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId: cluster.newProducerId(), producerEpoch: 0 }
  const fault = cluster.transactions.fault(transactionalId, node)
  if (fault !== ErrorCode.NONE) return refuse(fault)
  if (transactionTimeoutMs <= 0 || transactionTimeoutMs > cluster.settings.number('transaction.max.timeout.ms'))
    return refuse(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
  if (producerId >= 0n !== producerEpoch >= 0) return refuse(ErrorCode.INVALID_REQUEST)
  const claimed = producerId >= 0n ? { producerId, producerEpoch } : undefined
  return { throttleTimeMs: 0, ...cluster.transactions.init(transactionalId, transactionTimeoutMs, claimed) }
})
