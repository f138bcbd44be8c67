import type { Produce } from '../protocol/apis/00-produce.ts'
import { type Decoded, type Encodable, NO_UUID } from '../protocol/schema.ts'
import type { PartitionQueue } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'

export type ProduceRequest = Encodable<(typeof Produce)['request']>
export type ProduceResponse = Decoded<(typeof Produce)['response']>
export type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number]

/** A batch and its encoded bytes; at most one per partition, as the broker demands. */
export interface EncodedProducerBatch {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
  readonly bytes: Uint8Array
}

export interface BuiltRequest {
  readonly request: ProduceRequest
  /** Whether every topic has an id, which versions from 13 on go by (KIP-516). */
  readonly hasIds: boolean
  /** The batches by topic, then partition. */
  readonly byName: ReadonlyMap<string, ReadonlyMap<number, ProducerBatch>>
  readonly byId: ReadonlyMap<string, ReadonlyMap<number, ProducerBatch>>
}

/** One Produce request. The bytes of the batches are not copied. */
export function buildProduceRequest(
  batches: readonly EncodedProducerBatch[],
  options: { acks: number; timeoutMs: number; topicId: (topic: string) => string },
): BuiltRequest {
  const topics = new Map<string, { name: string; topicId: string; partitionData: { index: number; records: Uint8Array }[] }>()
  const byName = new Map<string, Map<number, ProducerBatch>>()
  const byId = new Map<string, Map<number, ProducerBatch>>()
  let hasIds = true
  for (const { batch, bytes } of batches) {
    let topic = topics.get(batch.topic)
    let byPartition = byName.get(batch.topic)
    if (!topic || !byPartition) {
      const topicId = options.topicId(batch.topic)
      topic = { name: batch.topic, topicId, partitionData: [] }
      topics.set(batch.topic, topic)
      byPartition = new Map()
      byName.set(batch.topic, byPartition)
      if (topicId === NO_UUID) hasIds = false
      else byId.set(topicId, byPartition)
    }
    topic.partitionData.push({ index: batch.partition, records: bytes })
    byPartition.set(batch.partition, batch)
  }
  return {
    request: { acks: options.acks, timeoutMs: options.timeoutMs, topicData: [...topics.values()] },
    hasIds,
    byName,
    byId,
  }
}

/** The answer to each batch; none for a batch that the broker passed over. Repeated and unasked answers count for nothing. */
export function readProduceResponse(
  { byName, byId }: BuiltRequest,
  response: ProduceResponse,
): ReadonlyMap<ProducerBatch, PartitionAnswer> {
  const answers = new Map<ProducerBatch, PartitionAnswer>()
  for (const topic of response.responses) {
    const byPartition = topic.topicId === NO_UUID ? byName.get(topic.name) : byId.get(topic.topicId)
    if (!byPartition) continue
    for (const answer of topic.partitionResponses) {
      const batch = byPartition.get(answer.index)
      if (batch && !answers.has(batch)) answers.set(batch, answer)
    }
  }
  return answers
}
