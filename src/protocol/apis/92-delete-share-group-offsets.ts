import { api, array, coordinator, errorCode, groupId, string, throttleTimeMs, topicName, uuid } from '../schema.ts'

/** Deletes the start offsets of a share group (KIP-932). */
export const DeleteShareGroupOffsets = api({
  key: 92,
  name: 'DeleteShareGroupOffsets',
  versions: [0, 0],
  flexible: 0,
  route: coordinator('group', 'groupId'),
  request: {
    /** Id of the group. */
    groupId,
    /** Topics whose start offsets are deleted. */
    topics: array({
      /** Name of the topic. */
      topicName,
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error of the request as a whole; 0 is success. */
    errorCode,
    /** The broker's own text about the error; null when there is none. */
    errorMessage: string.nullable().default(null),
    /** What became of it, by topic. */
    responses: array({
      /** Name of the topic. */
      topicName,
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid,
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable().default(null),
    }),
  },
})
