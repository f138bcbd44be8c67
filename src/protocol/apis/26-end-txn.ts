import { api, bool, coordinator, errorCode, int16, producerId, throttleTimeMs, transactionalId } from '../schema.ts'

export const EndTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexible: 3,
  route: coordinator('transaction', 'transactionalId'),
  clientThrottlesSince: 1,
  request: {
    transactionalId: transactionalId,
    producerId: producerId,
    producerEpoch: int16,
    committed: bool,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    producerId: producerId.since(5).default(-1n).ignorable(),
    producerEpoch: int16.since(5).default(-1).ignorable(),
  },
})
