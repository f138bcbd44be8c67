import type { Client } from '../client/client.ts'
import { CorruptRecordError, KafkaError } from '../errors.ts'
import type { Fetch } from '../protocol/apis/01-fetch.ts'
import { brokerError, ErrorCode, errorRow } from '../protocol/error-codes.ts'
import type { OpenOptions } from '../protocol/records/index.ts'
import type { Decoded } from '../protocol/schema.ts'
import { AbortedTransactions } from './aborted-transactions.ts'
import type { PartitionState } from './assignment.ts'
import { endOfBatches, FetchedData, type SharedFrame } from './fetched-data.ts'
import type { OffsetReset } from './options.ts'

type FetchResponse = Decoded<(typeof Fetch)['response']>
type PartitionData = FetchResponse['responses'][number]['partitions'][number]

export interface FetchContext {
  readonly client: Client
  readonly readCommitted: boolean
  readonly open: OpenOptions
  readonly reset: OffsetReset
  readonly arrived: () => void
}

/** Applies what a broker answered for one partition whose fetch is still current. */
export function acceptPartition(
  context: FetchContext,
  state: PartitionState,
  data: PartitionData,
  frame: SharedFrame,
  endpoints: FetchResponse['nodeEndpoints'],
  nodeId: number,
): void {
  const { client } = context
  if (data.errorCode !== ErrorCode.NONE) {
    failed(context, state, data, endpoints, nodeId)
    return
  }
  state.failures = 0
  if (data.highWatermark >= 0n) state.highWatermark = data.highWatermark
  if (data.lastStableOffset >= 0n) state.lastStableOffset = data.lastStableOffset
  if (data.logStartOffset >= 0n) state.logStartOffset = data.logStartOffset
  if (data.preferredReadReplica >= 0 && data.preferredReadReplica !== nodeId) {
    const { nodeId: leader } = client.metadata.leaderOf(state.topic, state.partition) ?? {}
    const until = client.runtime.clock.monotonic() + (client.options.metadataMaxAgeMs || 300_000)
    state.preferred = data.preferredReadReplica === leader ? undefined : { nodeId: data.preferredReadReplica, until }
    return
  }
  const bytes = data.records as Buffer | null
  if (!bytes || bytes.length === 0) return
  const end = endOfBatches(bytes)
  const aborted =
    context.readCommitted && data.abortedTransactions?.length ? new AbortedTransactions(data.abortedTransactions) : undefined
  const fetched = new FetchedData(bytes, state.fetchPosition, data.highWatermark, frame, context.open, aborted, context.arrived)
  if (end) {
    if (end.next > state.fetchPosition) state.fetchPosition = end.next
  } else if (bytes.length >= 17) {
    // Not even one whole batch, from a broker that does not send the first one whole (before 0.10.1), or nonsense.
    fetched.error = new KafkaError(
      'ERR_RECORD_TOO_LARGE',
      `the next batch of ${state.topic}-${state.partition} at offset ${state.fetchPosition} is larger than one fetch may bring: raise maxPartitionFetchBytes and fetchMaxBytes`,
    )
  }
  state.queue.push(fetched)
}

function failed(
  { client, reset }: FetchContext,
  state: PartitionState,
  data: PartitionData,
  endpoints: FetchResponse['nodeEndpoints'],
  nodeId: number,
): void {
  const now = client.runtime.clock.monotonic()
  const { topic, partition } = state
  const { errorCode } = data
  const fromFollower = state.preferred?.nodeId === nodeId
  state.preferred = undefined
  // Errors concern the offset that was read ahead to; what is queued comes first, and the answer may differ by then.
  const ahead = state.queue.length > 0
  state.retryAt = now + client.retryBackoffMs(++state.failures)
  const { action } = errorRow(errorCode)
  switch (action) {
    case 'reset-offset':
      // A follower may lag behind, or have a shorter log: the leader decides.
      if (fromFollower || ahead) return
      if (reset === 'none') {
        state.error = new KafkaError(
          'ERR_OFFSET_OUT_OF_RANGE',
          `offset ${state.fetchPosition} of ${topic}-${partition} is not in the log, and autoOffsetReset is none: seek to an offset between beginningOffsets and endOffsets`,
        )
        return
      }
      client.logger.warn({ topic, partition, offset: state.fetchPosition, reset }, 'the position is not in the log: resetting it')
      state.lookUp(reset)
      return
    case 'refresh-metadata':
    case 'fence':
    case 'retry':
      if (data.currentLeader.leaderId >= 0) client.metadata.hint(topic, partition, data.currentLeader, endpoints)
      if (action !== 'retry')
        void client.metadata.refresh(`Fetch of ${topic}-${partition}: ${errorRow(errorCode).name}`).catch(() => {})
      return
    case 'none':
      return
    case 'fail':
    case 'rejoin':
    case 'find-coordinator':
    case 'new-member-id':
    case 'bump-epoch':
    case 'abort':
      if (!ahead) state.error = brokerError(errorCode, { api: 'Fetch', topic, partition })
      return
    default:
      action satisfies never
  }
}

/** What is wrong with the data at the position, with the place of it and the way past it. */
export function located(error: Error, { topic, partition }: PartitionState): Error {
  if (!(error instanceof CorruptRecordError)) return error
  const way =
    error.baseOffset === undefined ? 'seek past it' : `seek({ topic: '${topic}', partition: ${partition} }, …) goes past it`
  return new CorruptRecordError(
    `${topic}-${partition}: ${error.message}; ${way}`,
    { offset: error.offset, baseOffset: error.baseOffset },
    { cause: error },
  )
}
