import { api, bool, coordinator, errorCode, int16, producerId, throttleTimeMs, transactionalId } from '../schema.ts'

/** Commits or aborts a transaction. From v5 on the answer brings the epoch for the next one (KIP-890). */
export const EndTxn = api({
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
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
    /** True commits, false aborts. */
    committed: bool,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** Producer id for the next transaction; -1 when unchanged (KIP-890). */
    producerId: producerId.since(5).default(-1n).ignorable(),
    /** Epoch for the next transaction; -1 when unchanged (KIP-890). */
    producerEpoch: int16.since(5).default(-1).ignorable(),
  },
})
