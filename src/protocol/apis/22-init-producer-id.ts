import { api, bool, coordinator, errorCode, int16, int32, producerId, throttleTimeMs, transactionalId } from '../schema.ts'

/** Gets a producer id and epoch, fencing whoever used the transactional id before. v6 adds two-phase commit and is not stable yet. */
export const InitProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 6],
  flexible: 2,
  stable: 5,
  route: coordinator('transaction', 'transactionalId'),
  clientThrottlesSince: 1,
  request: {
    /** Transactional id to claim; null for idempotence alone. */
    transactionalId: transactionalId.nullable(),
    /** After how long the coordinator aborts an idle transaction of this producer, in milliseconds. */
    transactionTimeoutMs: int32,
    /** Id the producer has, to get a higher epoch of it; -1 for a new one (KIP-360). */
    producerId: producerId.since(3).default(-1n),
    /** Epoch the producer has; -1 for none. */
    producerEpoch: int16.since(3).default(-1),
    /** Whether transactions take part in a two-phase commit, and so never time out (KIP-939). */
    enable2Pc: bool.since(6),
    /** Whether a prepared transaction is kept rather than aborted (KIP-939). */
    keepPreparedTxn: bool.since(6),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.ignorable(),
    /** Error code; 0 is success. */
    errorCode,
    /** Id to produce with; -1 on error. */
    producerId: producerId.default(-1n),
    /** Epoch to produce with. */
    producerEpoch: int16,
    /** Producer id of the transaction that was kept; -1 for none. */
    ongoingTxnProducerId: producerId.since(6).default(-1n),
    /** Epoch of the transaction that was kept; -1 for none. */
    ongoingTxnProducerEpoch: int16.since(6).default(-1),
  },
})
