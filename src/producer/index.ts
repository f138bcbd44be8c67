/** Writing to Kafka. Public under `kafkawire/producer` and `kafkawire`. */
export type { ProducerOptionsInput, ProducerOwnOptions } from './options.ts'
export type { PartitionedRecord, PartitionedTopic, Partitioner } from './partitioner.ts'
export { murmur2, partitionOfKey } from './partitioner.ts'
export { Producer } from './producer.ts'
export type { HeadersInput, HeaderValue, ProducerRecord, RecordMetadata } from './record.ts'
