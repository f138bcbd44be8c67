/** The public interface of the package. */

export {
  type BrokerMetadata,
  Client,
  type ClientOptions,
  type ClientOptionsInput,
  PartitionMap,
  type PartitionMetadata,
  type RequestOptions,
  type SaslOption,
  type TlsOption,
  type TopicMetadata,
  type TopicPartition,
} from './client/index.ts'
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
  ProtocolError,
  TimeoutError,
  UnsupportedVersionError,
} from './errors.ts'
export { Kafka } from './kafka.ts'
export type { ClientHooks } from './telemetry/hooks.ts'
export type { Logger } from './util/logger.ts'
