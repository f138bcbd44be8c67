import { ErrorCode } from '../../protocol/error-codes.ts'
import type { RequestContext } from '../handler.ts'
import type { CommittedOffset } from './committed-offsets.ts'

/** What a request says that commits offsets, whether at once or with a transaction. */
interface OffsetCommit {
  readonly topics: readonly {
    readonly name: string
    readonly topicId: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly committedOffset: bigint
      readonly committedLeaderEpoch: number
      readonly committedMetadata: string | null
    }[]
  }[]
}

/** Stores the offsets that may be stored, and answers topic by topic. `fault` is why none may, if a topic is known at all. */
export function commitOffsets(
  { topics }: OffsetCommit,
  { cluster, version }: RequestContext,
  fault: number,
  /** First version that names topics by id. */
  idsSince: number,
  store: (topic: string, partition: number, committed: CommittedOffset) => void,
) {
  const maxMetadata = cluster.settings.number('offset.metadata.max.bytes')
  const unknownTopic = version >= idsSince ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return topics.map(({ name, topicId, partitions }) => {
    const topic = cluster.topicOf({ name, topicId })
    return {
      name,
      topicId,
      partitions: partitions.map(({ partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata }) => {
        const answer = (errorCode: number) => ({ partitionIndex, errorCode })
        if (!topic) return answer(unknownTopic)
        if (!topic.partitions[partitionIndex]) return answer(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
        if (fault !== ErrorCode.NONE) return answer(fault)
        const metadata = committedMetadata ?? ''
        if (metadata.length > maxMetadata) return answer(ErrorCode.OFFSET_METADATA_TOO_LARGE)
        store(topic.name, partitionIndex, {
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata,
          committedAtMs: cluster.runtime.clock.now(),
        })
        return answer(ErrorCode.NONE)
      }),
    }
  })
}
