/** Looking after a cluster. Public under `kafkawire/admin` and `kafkawire`. */
export { Admin } from './admin.ts'
export type { CreatedTopic, CreateTopicsOptions, NewTopic } from './operations/create-topics.ts'
export type { TopicReference } from './operations/delete-topics.ts'
export type { PartitionDescription, TopicDescription } from './operations/describe-topics.ts'
export type { ListTopicsOptions, TopicListing } from './operations/list-topics.ts'
export type { CallOptions } from './operations/operation.ts'
export type { AdminOptionsInput } from './options.ts'
