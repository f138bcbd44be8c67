import { api, bool, coordinator, errorCode, int16, int32, producerId, throttleTimeMs, transactionalId } from '../schema.ts'

export const InitProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 6],
  flexible: 2,
  stable: 5,
  route: coordinator('transaction', 'transactionalId'),
  clientThrottlesSince: 1,
  request: {
    transactionalId: transactionalId.nullable(),
    transactionTimeoutMs: int32,
    producerId: producerId.since(3).default(-1n),
    producerEpoch: int16.since(3).default(-1),
    enable2Pc: bool.since(6),
    keepPreparedTxn: bool.since(6),
  },
  response: {
    throttleTimeMs: throttleTimeMs.ignorable(),
    errorCode: errorCode,
    producerId: producerId.default(-1n),
    producerEpoch: int16,
    ongoingTxnProducerId: producerId.since(6).default(-1n),
    ongoingTxnProducerEpoch: int16.since(6).default(-1),
  },
})
