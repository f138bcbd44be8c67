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
  if (data.highWatermark >= 0n) state.highWatermark = data.highWatermark
  if (data.lastStableOffset >= 0n) state.lastStableOffset = data.lastStableOffset
  if (data.logStartOffset >= 0n) state.logStartOffset = data.logStartOffset
  const bytes = data.records as Buffer | null
  const isEmpty = bytes === null || bytes.length === 0
  const { preferredReadReplica: preferred } = data
  if (preferred >= 0 && preferred !== nodeId) {
    if (client.metadata.brokers().some(broker => broker.nodeId === preferred)) {
      const { nodeId: leader } = client.metadata.leaderOf(state.topic, state.partition) ?? {}
      const until = client.runtime.clock.monotonic() + (client.options.metadataMaxAgeMs || 300_000)
      state.preferred = preferred === leader ? undefined : { nodeId: preferred, until }
      return
    }
    void client.metadata
      .refresh(`broker ${preferred}, to read ${state.topic}-${state.partition} from, is unknown`)
      .catch(() => {})
    if (isEmpty) {
      // Asked again at once, it would say the same.
      backOff(client, state)
      return
    }
  }
  if (isEmpty) {
    state.failures = 0
    return
  }
  const asked = state.fetchPosition
  try {
    state.fetchPosition = endOf(bytes, state)
    state.failures = 0
  } catch (error) {
    state.preferred = undefined
    if (!backOff(client, state)) state.error = located(error as Error, state)
    return
  }
  const aborted =
    context.readCommitted && data.abortedTransactions?.length ? new AbortedTransactions(data.abortedTransactions) : undefined
  state.queue.push(new FetchedData(bytes, asked, data.highWatermark, frame, context.open, aborted, context.arrived))
}

/** How far the answer to a fetch takes us. Throws where it brings bytes, but nothing to read or to pass over. */
function endOf(bytes: Buffer, { topic, partition, fetchPosition }: PartitionState): bigint {
  const end = endOfBatches(bytes, fetchPosition)
  // Brokers before 0.10.1 do not send the first batch whole whatever its size.
  if (end === undefined)
    throw new KafkaError(
      'ERR_RECORD_TOO_LARGE',
      `of ${topic}-${partition} at offset ${fetchPosition} came ${bytes.length} bytes and not one whole batch: raise maxPartitionFetchBytes and fetchMaxBytes above its size; if they are, the log is damaged there, and seek({ topic: '${topic}', partition: ${partition} }, …) goes past it`,
    )
  if (end > fetchPosition) return end
  throw new CorruptRecordError(
    `the answer to a fetch from offset ${fetchPosition} on brings ${bytes.length} bytes and no batch that reaches so far, the last ends at ${end}: ` +
      'the log is damaged there, or the broker wrong',
  )
}

/** Not at once again. Returns whether something is queued: it comes first, and the answer may differ by then. */
function backOff(client: Client, state: PartitionState): boolean {
  state.retryAt = client.runtime.clock.monotonic() + client.retryBackoffMs(++state.failures)
  return state.queue.length > 0
}

function failed(
  { client, reset }: FetchContext,
  state: PartitionState,
  data: PartitionData,
  endpoints: FetchResponse['nodeEndpoints'],
  nodeId: number,
): void {
  const { topic, partition } = state
  const { errorCode } = data
  const fromFollower = state.preferred?.nodeId === nodeId
  state.preferred = undefined
  // Errors concern the offset that was read ahead to.
  const ahead = backOff(client, state)
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
export function located(error: Error, { topic, partition, position }: PartitionState): Error {
  if (error instanceof CorruptRecordError)
    return new CorruptRecordError(
      `${topic}-${partition}: ${error.message}; seek({ topic: '${topic}', partition: ${partition} }, …) goes past it`,
      { offset: error.offset, baseOffset: error.baseOffset },
      { cause: error },
    )
  if (KafkaError.is(error) && error.code === 'ERR_MISSING_CODEC')
    return new KafkaError(error.code, `${topic}-${partition} at offset ${position?.offset}: ${error.message}`, { cause: error })
  return error
}
