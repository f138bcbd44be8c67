import {
  api,
  array,
  bool,
  brokerId,
  controller,
  errorCode,
  int8,
  int16,
  int32,
  string,
  throttleTimeMs,
  timeoutMs,
  topicName,
  uuid,
} from '../schema.ts'

/** Creates topics. */
export const CreateTopics = api({
  key: 19,
  name: 'CreateTopics',
  versions: [0, 7],
  flexible: 5,
  route: controller,
  clientThrottlesSince: 3,
  request: {
    /** Topics to create. */
    topics: array({
      /** Name of the topic. */
      name: topicName.mapKey(),
      /** How many partitions; -1 for the broker's default or with `assignments`. */
      numPartitions: int32,
      /** How many replicas each partition gets; -1 for the broker's default or with `assignments`. */
      replicationFactor: int16,
      /** Which brokers hold which partition; empty lets the controller decide. */
      assignments: array({
        /** Partition number, from 0. */
        partitionIndex: int32.mapKey(),
        /** Brokers that hold the replicas; the first is the preferred leader. */
        brokerIds: array(brokerId),
      }),
      /** Configuration of the topic. */
      configs: array({
        /** Name of the entry, such as retention.ms. */
        name: string.mapKey(),
        /** Value of the entry; null for the default. */
        value: string.nullable(),
      }),
    }),
    /** How long the broker may work on this before it answers with what it has, in milliseconds. */
    timeoutMs: timeoutMs.default(60000),
    /** True for a rehearsal: everything is checked and nothing is changed. */
    validateOnly: bool.since(1),
  },
  response: {
    /** How long the quota asks the client to stay quiet, in milliseconds; 0 for no throttling (KIP-219). */
    throttleTimeMs: throttleTimeMs.since(2).ignorable(),
    /** What became of each topic. */
    topics: array({
      /** Name of the topic. */
      name: topicName.mapKey(),
      /** Id of the topic, kept for its whole life and not given to a later topic of that name (KIP-516). */
      topicId: uuid.since(7).ignorable(),
      /** Error code; 0 is success. */
      errorCode,
      /** The broker's own text about the error; null when there is none. */
      errorMessage: string.since(1).nullable().ignorable(),
      /** Why the configuration is left out; 0 when it is there. */
      topicConfigErrorCode: int16.since(5).tag(0).ignorable(),
      /** How many partitions it has; -1 for not told. */
      numPartitions: int32.since(5).default(-1).ignorable(),
      /** How many replicas each partition has; -1 for not told. */
      replicationFactor: int16.since(5).default(-1).ignorable(),
      /** The configuration it ends up with; null for not told. */
      configs: array({
        /** Name of the entry. */
        name: string,
        /** Value of the entry; null when it is a secret. */
        value: string.nullable(),
        /** Whether the entry cannot be changed. */
        readOnly: bool,
        /** Where the value comes from: 1 topic, 2 broker (dynamic), 3 cluster-wide dynamic default, 4 static file, 5 built-in default, 6 broker logger, 7 client metrics, 8 group. */
        configSource: int8.default(-1).ignorable(),
        /** Whether the value is a secret, and so left out. */
        isSensitive: bool,
      })
        .since(5)
        .nullable()
        .ignorable(),
    }),
  },
})
