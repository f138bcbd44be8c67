/** DeleteTopics. By name; from v6 on also by id (KIP-516). The records are gone at once, and waiting fetches learn of it. */
import { DeleteTopics } from '../../protocol/apis/20-delete-topics.ts'
import { ErrorCode } from '../../protocol/error-codes.ts'
import { NO_UUID } from '../../protocol/schema.ts'
import { handler } from '../handler.ts'

export const deleteTopics = handler(DeleteTopics, ({ topics, topicNames }, { cluster, version }) => {
  const wanted = version >= 6 ? topics : topicNames.map(name => ({ name, topicId: NO_UUID }))
  return {
    responses: wanted.map(({ name, topicId }) => {
      const topic = name !== null ? cluster.topic(name) : cluster.topicById(topicId)
      if (topic) {
        cluster.deleteTopic(topic)
        return { name: topic.name, topicId: topic.id, errorCode: ErrorCode.NONE }
      }
      const errorCode = name === null ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      return { name, topicId, errorCode, errorMessage: 'This server does not host this topic.' }
    }),
  }
})
