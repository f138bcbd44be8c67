import { DeleteTopics } from '../../protocol/apis/20-delete-topics.ts'
import { NO_UUID } from '../../protocol/schema.ts'
import type { Operation } from './operation.ts'
import { checkDistinct, collect } from './results.ts'

/** A topic by its name, or by its id: the latter never hits a topic that was created anew under the name (KIP-516). */
export type TopicReference = string | { readonly topicId: string }

const isName = (topic: TopicReference): topic is string => typeof topic === 'string'
const keyOf = (topic: TopicReference): string => (isName(topic) ? topic : topic.topicId)

export const deleteTopics: Operation<typeof DeleteTopics, readonly TopicReference[], void> = {
  api: DeleteTopics,
  // Ids came with version 6, which has no place for a list of names only.
  versions: topics => (topics.every(isName) ? { maxVersion: 5 } : { minVersion: 6 }),
  build(topics, timeoutMs) {
    checkDistinct('topics', topics.map(keyOf))
    if (topics.every(isName)) return { topicNames: topics, timeoutMs }
    return {
      topics: topics.map(topic => (isName(topic) ? { name: topic, topicId: NO_UUID } : { name: null, topicId: topic.topicId })),
      timeoutMs,
    }
  },
  read(answer, topics) {
    const byKey = new Map(answer.responses.flatMap(each => [[each.topicId, each] as const, [each.name ?? '', each] as const]))
    collect('topics', 'DeleteTopics', topics.map(keyOf), byKey, () => undefined)
  },
}
