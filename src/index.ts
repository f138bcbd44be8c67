/** @module kafkawire: Apache Kafka's clients. Everything public is listed here. */

export {
  Admin,
  type AdminOptionsInput as AdminOptions,
  type CreatedTopic,
  type CreateTopicsOptions,
  type ListTopicsOptions,
  type NewTopic,
  type PartitionDescription,
  type TopicDescription,
  type TopicListing,
  type TopicReference,
} from './admin/index.ts'
export {
  type BrokerMetadata,
  Client,
  type ClientOptionsInput as ClientOptions,
  PartitionMap,
  type PartitionMetadata,
  type RequestOptions,
  type SaslOption,
  type TlsOption,
  type TopicMetadata,
  type TopicPartition,
} from './client/index.ts'
export {
  type CommittedOffset,
  Consumer,
  ConsumerBatch,
  type ConsumerOptionsInput as ConsumerOptions,
  ConsumerRecord,
  ConsumerRecords,
  type DetachedRecord,
  type GroupMetadata,
  type HandlerContext,
  type OffsetAtTime,
  type OffsetReset,
  type OffsetsInput,
  type OffsetToCommit,
  type PollOptions,
  type RebalanceListener,
  type RunOptions,
  type SubscribeOptions,
} from './consumer/index.ts'
export {
  BrokerError,
  ClosedError,
  ConfigError,
  ConnectionError,
  CorruptRecordError,
  DeserializationError,
  type ErrorCode,
  FencedError,
  KafkaError,
  type Outcome,
  PartialFailureError,
  ProtocolError,
  TimeoutError,
  UnsupportedVersionError,
} from './errors.ts'
export { Kafka } from './kafka.ts'
export type { SaslAuthenticator, SaslContext, SaslOptions, SaslSession } from './net/sasl/index.ts'
export {
  type HeadersInput,
  murmur2,
  type PartitionedRecord,
  type PartitionedTopic,
  type Partitioner,
  Producer,
  type ProducerOptionsInput as ProducerOptions,
  type ProducerRecord,
  partitionOfKey,
  type RecordMetadata,
} from './producer/index.ts'
export {
  bytes,
  float64,
  int32,
  int64,
  type JsonOptions,
  json,
  nullable,
  type RecordHeader,
  type Serde,
  type SerdeBatch,
  type SerdeContext,
  type StandardSchema,
  string,
  uuid,
} from './serde/index.ts'
export type { ClientHooks } from './telemetry/hooks.ts'
export type { Metric } from './telemetry/metrics.ts'
export type { Logger } from './util/logger.ts'
