/**
 * ListTransactions. The transactional ids that this node coordinates; v1 filters by age (KIP-664). v2 filters
 * by a regular expression of the client's, which must not be run on a loop that others share: it is not served.
 */
import { ListTransactions } from '../../protocol/apis/66-list-transactions.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { handler } from '../handler.ts'

/** Kafka's states; those that take no time here never show. */
const STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
]

export const listTransactions = handler(
  ListTransactions,
  (request, { cluster, node }) => {
    const { stateFilters, producerIdFilters, durationFilter } = request
    const answer = { throttleTimeMs: 0, unknownStateFilters: stateFilters.filter(state => !STATES.includes(state)) }
    const now = cluster.runtime.clock.now()
    return {
      ...answer,
      errorCode: ErrorCode.NONE,
      transactionStates: cluster.transactions
        .list()
        .filter(
          ({ id, state, producerId, startedAtMs }) =>
            cluster.coordinatorOf('transaction', id) === node &&
            (stateFilters.length === 0 || stateFilters.includes(state)) &&
            (producerIdFilters.length === 0 || producerIdFilters.includes(producerId)) &&
            (durationFilter < 0n || (state === 'Ongoing' && now - startedAtMs >= Number(durationFilter))),
        )
        .map(({ id, producerId, state }) => ({ transactionalId: id, producerId, transactionState: state })),
    }
  },
  { maxVersion: 1 },
)
