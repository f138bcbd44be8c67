/** Keys and values: how they become bytes and come back. Public under `kafkawire/serde` and `kafkawire`. */
export { type JsonOptions, json } from './json.ts'
export { bytes, float64, int32, int64, nullable, string, uuid } from './primitives.ts'
export type { RecordHeader } from './record-header.ts'
export type { Serde, SerdeBatch, SerdeContext, SerdeType } from './serde.ts'
export type { StandardSchema } from './standard-schema.ts'
