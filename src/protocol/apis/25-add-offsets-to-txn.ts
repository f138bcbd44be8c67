import { api, coordinator, errorCode, groupId, int16, producerId, throttleTimeMs, transactionalId } from '../schema.ts'

/** Adds a group's offsets to a transaction. */
export const AddOffsetsToTxn = api({
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexible: 3,
  route: coordinator('transaction', 'transactionalId'),
  clientThrottlesSince: 1,
  request: {
    /** Stable name of the transactional producer. */
    transactionalId,
    /** Id that the producer got from InitProducerId. */
    producerId,
    /** Incarnation of that producer id: an older epoch is fenced. */
    producerEpoch: int16,
    /** Group whose offsets join the transaction. */
    groupId,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
  },
})
