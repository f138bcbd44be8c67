import { api, array, controller, errorCode, string, throttleTimeMs, timeoutMs, topicName, uuid } from '../schema.ts'

/** Deletes topics. v6 takes ids as well as names. */
export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  versions: [0, 6],
  flexible: 4,
  route: controller,
  clientThrottlesSince: 2,
  request: {
    /** Topics to delete, by name or by id. */
    topics: array({
      /** Name of the topic; null to delete by id. */
      name: topicName.nullable().default(null),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid,
    }).since(6),
    /** Names of the topics to delete. */
    topicNames: array(topicName).until(5).ignorable(),
    /** How long the broker may work on this before it answers with what it has, in milliseconds. */
    timeoutMs,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(1).ignorable(),
    /** What became of each topic. */
    responses: array({
      /** Name of the topic; null when an unknown id was given. */
      name: topicName.nullableSince(6).mapKey(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(6).ignorable(),
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.since(5).nullable().default(null).ignorable(),
    }),
  },
})
