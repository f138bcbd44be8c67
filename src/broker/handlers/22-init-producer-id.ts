/**
 * InitProducerId. Gives an idempotent producer its id. A transactional one keeps the id of its transactional id, with an epoch
 * raised by one each time, which fences whoever used it before; v3 lets it continue its own id and epoch (KIP-360). The
 * other APIs of transactions are not served yet.
 */
import { InitProducerId } from '../../protocol/apis/22-init-producer-id.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

const LAST_EPOCH = 0x7fff - 1

export const initProducerId = handler(InitProducerId, (request, { cluster, node }) => {
  const { transactionalId, transactionTimeoutMs, producerId, producerEpoch } = request
  if (transactionalId === null)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId: cluster.newProducerId(), producerEpoch: 0 }
  if (transactionalId === '') return refused(ErrorCode.INVALID_REQUEST)
  if (cluster.coordinatorOf('transaction', transactionalId) !== node) return refused(ErrorCode.NOT_COORDINATOR)
  if (transactionTimeoutMs <= 0 || transactionTimeoutMs > cluster.settings.number('transaction.max.timeout.ms'))
    return refused(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
  const known = cluster.transactionalIds.get(transactionalId)
  if (known && producerId >= 0n && (producerId !== known.producerId || producerEpoch !== known.producerEpoch))
    return refused(ErrorCode.PRODUCER_FENCED)
  const next =
    known && known.producerEpoch < LAST_EPOCH
      ? { producerId: known.producerId, producerEpoch: known.producerEpoch + 1 }
      : { producerId: cluster.newProducerId(), producerEpoch: 0 }
  cluster.transactionalIds.set(transactionalId, next)
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, ...next }
})

const refused = (errorCode: number) => ({ throttleTimeMs: 0, errorCode, producerId: -1n, producerEpoch: -1 })
