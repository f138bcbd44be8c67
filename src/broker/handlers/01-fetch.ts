/**
 * Fetch. Reads batches as they lie in the log, waiting up to maxWaitMs for minBytes. v4 brought format 2 and isolation levels,
 * before which batches are converted to older formats; v7 sessions (KIP-227), v9 leader epochs (KIP-320), v11 reading from followers (KIP-392),
 * v12 diverging epochs (KIP-595), v13 topic ids (KIP-516), v16 leader hints (KIP-951).
 */
import { Fetch } from '../../protocol/apis/01-fetch.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/schema.ts'
import { type FetchTerms, isUrgent, moreToRead, type PartitionRead, readAll } from '../fetch-read.ts'
import { type FetchInterest, type FetchSession, interestKey } from '../fetch-sessions.ts'
import { handler, type RequestContext } from '../handler.ts'
import { LeaderHints } from '../leader-hints.ts'
import { downConverted } from '../legacy-formats.ts'

type Request = Decoded<typeof Fetch.request>

const FORMAT_2_SINCE = 4
const SESSIONS_SINCE = 7
const IDS_SINCE = 13
const HINTS_SINCE = 16

export const fetch = handler(Fetch, (request, context) => {
  const { cluster, node, version } = context
  const usesTopicIds = version >= IDS_SINCE
  const step =
    version < SESSIONS_SINCE ? SESSIONLESS : node.fetchSessions.step(request.sessionId, request.sessionEpoch, usesTopicIds)
  if (step.kind === 'error') return { errorCode: step.code, sessionId: 0, responses: [] }
  const session = step.kind === 'incremental' ? step.session : undefined
  if (session) update(session, request)
  const interests = session ? [...session.partitions.values()].map(({ interest }) => interest) : interestsOf(request)
  const terms: FetchTerms = {
    isolationLevel: request.isolationLevel,
    maxBytes: Math.min(request.maxBytes, cluster.settings.number('fetch.max.bytes')),
    rackId: request.rackId,
  }
  const finish = (reads: readonly PartitionRead[]) => {
    if (session) return session.partitions.size === 0 ? ended(session, context) : incremental(session, reads, context)
    const opened = step.kind === 'full' ? node.fetchSessions.open(interests.length, usesTopicIds) : undefined
    if (opened) for (const read of reads) remember(opened, read)
    return respond(opened?.id ?? 0, reads, context)
  }
  const answer = (reads: readonly PartitionRead[]) =>
    version >= FORMAT_2_SINCE ? finish(reads) : inOldFormat(reads, version).then(finish)
  const reads = readAll(interests, terms, context)
  const { minBytes, maxWaitMs, isolationLevel } = request
  const bytes = reads.reduce((sum, read) => sum + read.records.length, 0)
  if (maxWaitMs <= 0 || bytes >= minBytes || reads.length === 0 || reads.some(isUrgent)) return answer(reads)
  return moreToRead(reads, minBytes, maxWaitMs, isolationLevel, context).then(() => answer(readAll(interests, terms, context)))
})

/** Before v4 a client reads format 1, before v2 format 0 only. Before v3 a batch above the limit is cut off, not sent whole. */
const inOldFormat = (reads: readonly PartitionRead[], version: number) =>
  Promise.all(
    reads.map(async read => {
      const records = await downConverted(read.records, version < 2 ? 0 : 1)
      return { ...read, records: version < 3 ? records.subarray(0, read.interest.partitionMaxBytes) : records }
    }),
  )

const SESSIONLESS = { kind: 'sessionless' } as const

const interestsOf = ({ topics }: Pick<Request, 'topics'>): FetchInterest[] =>
  topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(({ partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, partitionMaxBytes }) => ({
      topic,
      topicId,
      partition,
      currentLeaderEpoch,
      fetchOffset,
      lastFetchedEpoch,
      partitionMaxBytes,
    })),
  )

function update(session: FetchSession, request: Request): void {
  for (const interest of interestsOf(request)) session.want(interest)
  for (const { topic, topicId, partitions } of request.forgottenTopicsData)
    for (const partition of partitions) session.forget({ topic, topicId, partition })
}

function remember(
  session: FetchSession,
  { interest, highWatermark, lastStableOffset, logStartOffset, errorCode }: PartitionRead,
): void {
  const key = interestKey(interest)
  if (!session.partitions.has(key)) session.partitions.set(key, { interest, told: undefined })
  session.partitions.get(key)!.told = { highWatermark, lastStableOffset, logStartOffset, errorCode }
}

/** A session from which the client took the last partition is over. */
function ended(session: FetchSession, { node }: RequestContext) {
  node.fetchSessions.close(session)
  return { errorCode: ErrorCode.NONE, sessionId: 0, responses: [] }
}

/** Only what the client does not know yet. An error is told again each time, until it is gone. */
function incremental(session: FetchSession, reads: readonly PartitionRead[], context: RequestContext) {
  const news = reads.filter(read => {
    const told = session.partitions.get(interestKey(read.interest))?.told
    return (
      read.records.length > 0 ||
      isUrgent(read) ||
      !told ||
      told.errorCode !== read.errorCode ||
      told.highWatermark !== read.highWatermark ||
      told.lastStableOffset !== read.lastStableOffset ||
      told.logStartOffset !== read.logStartOffset
    )
  })
  for (const read of news) {
    remember(session, read)
    if (read.records.length > 0) session.toTheEnd(interestKey(read.interest))
  }
  return respond(session.id, news, context)
}

function respond(sessionId: number, reads: readonly PartitionRead[], context: RequestContext) {
  const hints = new LeaderHints(context)
  const responses: { topic: string; topicId: string; partitions: ReturnType<typeof partitionData>[] }[] = []
  for (const read of reads) {
    const { topic, topicId } = read.interest
    let group = responses.at(-1)
    if (group?.topic !== topic || group.topicId !== topicId) responses.push((group = { topic, topicId, partitions: [] }))
    group.partitions.push(partitionData(read, context.version, hints))
  }
  return {
    errorCode: ErrorCode.NONE,
    sessionId,
    responses,
    ...(context.version >= HINTS_SINCE && { nodeEndpoints: hints.endpoints }),
  }
}

function partitionData(read: PartitionRead, version: number, hints: LeaderHints) {
  const currentLeader = version >= 12 ? hints.of(read.partition, read.errorCode) : undefined
  return {
    partitionIndex: read.interest.partition,
    errorCode: read.errorCode,
    highWatermark: read.highWatermark,
    lastStableOffset: read.lastStableOffset,
    logStartOffset: read.logStartOffset,
    abortedTransactions: read.abortedTransactions,
    preferredReadReplica: read.preferredReadReplica,
    records: read.records,
    ...(read.divergingEpoch && version >= 12 && { divergingEpoch: read.divergingEpoch }),
    ...(currentLeader && { currentLeader }),
  }
}
