import {
  api,
  array,
  bool,
  brokerId,
  controller,
  errorCode,
  int32,
  string,
  throttleTimeMs,
  timeoutMs,
  topicName,
} from '../schema.ts'

/** Gives topics more partitions. */
export const CreatePartitions = api({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexible: 2,
  route: controller,
  clientThrottlesSince: 1,
  request: {
    /** Topics to give more partitions. */
    topics: array({
      /** Name of the topic. */
      name: topicName.mapKey(),
      /** How many partitions the topic is to have in all. */
      count: int32,
      /** Which brokers hold the new partitions, in order; null lets the controller decide. */
      assignments: array({
        /** Brokers that hold the replicas; the first is the preferred leader. */
        brokerIds: array(brokerId),
      }).nullable(),
    }),
    /** How long the broker may work on this before it answers with what it has, in milliseconds. */
    timeoutMs,
    /** True for a rehearsal: everything is checked and nothing is changed. */
    validateOnly: bool,
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What became of each topic. */
    results: array({
      /** Name of the topic. */
      name: topicName,
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.nullable().default(null),
    }),
  },
})
