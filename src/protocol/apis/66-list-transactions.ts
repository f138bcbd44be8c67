import { api, array, eachBroker, errorCode, int64, producerId, string, throttleTimeMs, transactionalId } from '../schema.ts'

/** Lists the transactions that one broker coordinates (KIP-664). */
export const ListTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexible: 0,
  route: eachBroker('transactionStates'),
  request: {
    /** Only transactions in these states; empty for all. */
    stateFilters: array(string),
    /** Only transactions of these producer ids; empty for all. */
    producerIdFilters: array(producerId),
    /** Only transactions open for longer than this, in milliseconds; -1 for all. */
    durationFilter: int64.since(1).default(-1n),
    /** Only ids that match this pattern (RE2/J); null or empty for all (KIP-1152). */
    transactionalIdPattern: string.since(2).nullable().default(null),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode,
    /** State filters that this broker does not know. */
    unknownStateFilters: array(string),
    /** The transactions that this broker coordinates. */
    transactionStates: array({
      /** Stable name of the transactional producer. */
      transactionalId,
      /** Id that the producer got from InitProducerId. */
      producerId,
      /** State of the transaction, such as Ongoing or CompleteCommit. */
      transactionState: string,
    }),
  },
})
