import { api, array, controller, errorCode, string, throttleTimeMs, timeoutMs, topicName, uuid } from '../schema.ts'

export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [0, 6],
  flexible: 4,
  route: controller,
  clientThrottlesSince: 2,
  request: {
    topics: array({
      name: topicName.nullable().default(null),
      topicId: uuid,
    }).since(6),
    topicNames: array(topicName).until(5).ignorable(),
    timeoutMs: timeoutMs,
  },
  response: {
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    responses: array({
      name: topicName.nullableSince(6).mapKey(),
      topicId: uuid.since(6).ignorable(),
      errorCode: errorCode,
      errorMessage: string.since(5).nullable().default(null).ignorable(),
    }),
  },
})
