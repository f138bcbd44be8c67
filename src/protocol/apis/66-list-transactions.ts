import { api, array, eachBroker, errorCode, int64, producerId, string, throttleTimeMs, transactionalId } from '../schema.ts'

export const ListTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexible: 0,
  route: eachBroker('transactionStates'),
  request: {
    stateFilters: array(string),
    producerIdFilters: array(producerId),
    durationFilter: int64.since(1).default(-1n),
    transactionalIdPattern: string.since(2).nullable().default(null),
  },
  response: {
    throttleTimeMs: throttleTimeMs,
    errorCode: errorCode,
    unknownStateFilters: array(string),
    transactionStates: array({
      transactionalId: transactionalId,
      producerId: producerId,
      transactionState: string,
    }),
  },
})
