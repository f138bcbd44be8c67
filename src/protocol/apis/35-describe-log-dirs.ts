import { api, array, bool, eachBroker, errorCode, int32, int64, string, throttleTimeMs, topicName } from '../schema.ts'

/** Describes the log directories of the asked broker and what lies in them. */
export const DescribeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [0, 5],
  flexible: 2,
  route: eachBroker('results'),
  clientThrottlesSince: 1,
  request: {
    /** Topics to look for; null for all. */
    topics: array({
      /** Name of the topic. */
      topic: topicName.mapKey(),
      /** Partition numbers. */
      partitions: array(int32),
    }).nullable(),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs,
    /** Error code; 0 is success. */
    errorCode: errorCode.since(3).ignorable(),
    /** One element for each log directory of the broker. */
    results: array({
      /** Error code; 0 is success. */
      errorCode,
      /** Absolute path of the directory on the broker. */
      logDir: string,
      /** What lies there, by topic. */
      topics: array({
        /** Name of the topic. */
        name: topicName,
        /** What lies there, by partition. */
        partitions: array({
          /** Partition number, from 0. */
          partitionIndex: int32,
          /** Size of the log, in bytes. */
          partitionSize: int64,
          /** How many offsets the replica's end is behind the high watermark, or a future replica's behind the current one's. */
          offsetLag: int64,
          /** Whether this is the copy being built by AlterReplicaLogDirs. */
          isFutureKey: bool,
        }),
      }),
      /** Size of the volume, in bytes; -1 for unknown. */
      totalBytes: int64.since(4).default(-1n).ignorable(),
      /** Free space of the volume, in bytes; -1 for unknown. */
      usableBytes: int64.since(4).default(-1n).ignorable(),
      /** Whether the directory takes no new replicas (KIP-1066). */
      isCordoned: bool.since(5).ignorable(),
    }),
  },
})
