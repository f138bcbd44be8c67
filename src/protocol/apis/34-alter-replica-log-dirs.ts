import { anyBroker, api, array, errorCode, int32, string, throttleTimeMs, topicName } from '../schema.ts'

/** Moves replicas between log directories of one broker, which the caller has to name (`nodeId`). */
export const AlterReplicaLogDirs = api({
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [0, 2],
  flexible: 2,
  route: anyBroker,
  clientThrottlesSince: 1,
  request: {
    /** Where replicas are to go, by log directory. */
    dirs: array({
      /** Absolute path of the directory on the broker. */
      path: string.mapKey(),
      /** What is to go there, by topic. */
      topics: array({
        /** Name of the topic. */
        name: topicName.mapKey(),
        /** Partition numbers. */
        partitions: array(int32),
      }),
    }),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** What became of it, by topic. */
    results: array({
      /** Name of the topic. */
      topicName,
      /** What became of it, by partition. */
      partitions: array({
        /** Partition number, from 0. */
        partitionIndex: int32,
        /** Error code; 0 is success. */
        errorCode,
      }),
    }),
  },
})
