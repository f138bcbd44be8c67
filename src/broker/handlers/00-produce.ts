/**
 * Produce. Appends one batch per partition and answers with the offset of its first record. v3 brought format 2, to which
 * older ones are converted; v10 leader hints (KIP-951), v13 topic ids (KIP-516). All replicas share one log, so acks 1 and -1
 * differ only by min.insync.replicas; acks 0 is not answered, and an error then closes the connection.
 */
import { Produce } from '../../protocol/apis/00-produce.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import type { Decoded } from '../../protocol/schema.ts'
import { type Appended, appendProduced, firstWithoutKey } from '../append.ts'
import { handler, type RequestContext } from '../handler.ts'
import { LeaderHints } from '../leader-hints.ts'
import { upConverted } from '../legacy-formats.ts'
import type { Partition, Topic } from '../topic.ts'
import { topicConfig } from '../topic-configs.ts'
import type { ProducerIdentity } from '../transactions/transactions.ts'

type Request = Decoded<typeof Produce.request>
type PartitionData = Request['topicData'][number]['partitionData'][number]

const FORMAT_2_SINCE = 3
const FIRST_WITH_ZSTD = 7
/** KIP-890: an error that only the abort of the transaction mends, and writing without AddPartitionsToTxn. */
const ABORTABLE_SINCE = 11
const IMPLICIT_SINCE = 12

export const produce = handler(Produce, (request, context) =>
  context.version < FORMAT_2_SINCE ? converted(request, context) : checked(request, context),
)

/** Brings record sets of older formats to format 2 first; what cannot be read stays as it is, and is refused for that. */
async function converted(request: Request, context: RequestContext) {
  for (const { partitionData } of request.topicData) {
    for (const data of partitionData) if (data.records) data.records = (await upConverted(data.records as Buffer)) ?? data.records
  }
  return checked(request, context)
}

function checked(request: Request, context: RequestContext) {
  const compacted = request.topicData.some(topic => isCompacted(context.cluster.topicOf(topic), context))
  return compacted ? withKeysChecked(request, context) : append(request, context, none)
}

async function withKeysChecked(request: Request, context: RequestContext) {
  const faults = new Map<PartitionData, number>()
  for (const topic of request.topicData) {
    if (!isCompacted(context.cluster.topicOf(topic), context)) continue
    for (const data of topic.partitionData) {
      const index = await firstWithoutKey((data.records ?? empty) as Buffer)
      if (index >= 0) faults.set(data, index)
    }
  }
  return append(request, context, faults)
}

/** `faults`: partitions with a record that lacks its key, by the record's index. */
function append(
  { acks, topicData, transactionalId }: Request,
  context: RequestContext,
  faults: ReadonlyMap<PartitionData, number>,
) {
  const { cluster, version } = context
  const hints = new LeaderHints(context)
  const written: { changed(): void }[] = []
  let failed = false
  const responses = topicData.map(({ name, topicId, partitionData }) => {
    const topic = cluster.topicOf({ name, topicId })
    return {
      name,
      topicId,
      partitionResponses: partitionData.map(data => {
        const { index } = data
        const partition = topic?.partitions[index]
        const refusal = refusalOf()
        const result: Appended =
          !partition || refusal !== ErrorCode.NONE
            ? { errorCode: refusal, baseOffset: -1n, logAppendTimeMs: -1n }
            : appendProduced(cluster, partition, data.records as Buffer, producer => transactionFault(producer, partition))
        if (result.errorCode !== ErrorCode.NONE) failed = true
        else if (partition) written.push(partition.log)
        const badRecord = faults.get(data)
        const currentLeader = hints.of(partition, result.errorCode)
        return {
          index,
          errorCode: result.errorCode,
          baseOffset: result.baseOffset,
          logAppendTimeMs: result.logAppendTimeMs,
          logStartOffset: partition && result.errorCode === ErrorCode.NONE ? partition.log.logStartOffset : -1n,
          recordErrors:
            badRecord === undefined
              ? []
              : [{ batchIndex: badRecord, batchIndexErrorMessage: 'a record without a key in a compacted topic' }],
          errorMessage: result.errorMessage ?? null,
          ...(version >= 10 && currentLeader && { currentLeader }),
        }

        function transactionFault(producer: ProducerIdentity, partition: Partition): number {
          if (transactionalId === null) return ErrorCode.INVALID_TXN_STATE
          if (version >= IMPLICIT_SINCE) return cluster.transactions.add(transactionalId, producer, { partitions: [partition] })
          if (cluster.transactions.includes(transactionalId, producer, partition)) return ErrorCode.NONE
          return version >= ABORTABLE_SINCE ? ErrorCode.TRANSACTION_ABORTABLE : ErrorCode.INVALID_TXN_STATE
        }

        function refusalOf(): number {
          if (acks !== -1 && acks !== 0 && acks !== 1) return ErrorCode.INVALID_REQUIRED_ACKS
          if (!topic) return version >= 13 ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
          if (!partition) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
          if (partition.leaderId !== context.node.id) return ErrorCode.NOT_LEADER_OR_FOLLOWER
          if (
            acks === -1 &&
            cluster.inSyncReplicas(partition).length < Number(topicConfig(topic, cluster.settings, 'min.insync.replicas'))
          )
            return ErrorCode.NOT_ENOUGH_REPLICAS
          if (data.records === null || faults.has(data)) return ErrorCode.INVALID_RECORD
          // The lowest three bits of the attributes name the codec; 4 is zstd (KIP-110).
          if (version >= FORMAT_2_SINCE && version < FIRST_WITH_ZSTD && (data.records[22]! & 7) === 4)
            return ErrorCode.UNSUPPORTED_COMPRESSION_TYPE
          return ErrorCode.NONE
        }
      }),
    }
  })
  // Only now: a fetch that waits for one byte should find all of this request.
  for (const log of written) log.changed()
  if (acks === 0) return failed ? 'close' : 'drop'
  return { responses, ...(version >= 10 && { nodeEndpoints: hints.endpoints }) }
}

const isCompacted = (topic: Topic | undefined, { cluster }: RequestContext): boolean =>
  topic !== undefined && topicConfig(topic, cluster.settings, 'cleanup.policy').includes('compact')

const none: ReadonlyMap<PartitionData, number> = new Map()
const empty = Buffer.alloc(0)
