export { type Address, bootstrapAddresses } from '../util/address.ts'
export type { BrokerMetadata, Lane } from './brokers.ts'
export { Client, type RequestOptions, type SendOptions } from './client.ts'
export type { CoordinatorKind } from './coordinators.ts'
export type { JavaProperties } from './java-options.ts'
export type { EnsureOptions, Metadata, PartitionMetadata, TopicMetadata } from './metadata.ts'
export {
  type ClientOptions,
  type ClientOptionsInput,
  type ClientRuleFields,
  clientOptionsShape,
  clientRules,
  javaNames,
} from './options.ts'
export { PartitionMap, type TopicPartition } from './partition-map.ts'
export type { SaslOption, TlsOption } from './security-options.ts'
export type { Leader } from './topic-cache.ts'
