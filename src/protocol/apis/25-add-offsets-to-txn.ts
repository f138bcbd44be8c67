import { api, coordinator, errorCode, groupId, int16, producerId, throttleTimeMs, transactionalId } from '../schema.ts'

export const AddOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexible: 3,
  route: coordinator('transaction', 'transactionalId'),
  clientThrottlesSince: 1,
  request: {
    transactionalId: transactionalId,
    producerId: producerId,
    producerEpoch: int16,
    groupId: groupId,
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
  },
})
