/** @module kafkawire/broker: a Kafka cluster inside the process, for tests and local work. */
export { Broker, type GroupInfo, type PartitionState, startBroker } from './broker.ts'
export type { GroupState } from './groups/state.ts'
export type { Answer, RequestContext } from './handler.ts'
export type { InterceptContext, Interception, InterceptOptions, Interceptor } from './intercept.ts'
export type { CompactOptions } from './log/compaction.ts'
export type { BrokerRecord } from './log/stored-records.ts'
export type { BrokerOptionsInput as BrokerOptions } from './options.ts'
export type { Release } from './releases.ts'
