import type { RecordHeader } from './record-header.ts'

/** Where a key or value comes from or goes to. */
export interface SerdeContext {
  readonly topic: string
  /** Absent while producing: the partition is often chosen by the serialized key. */
  readonly partition?: number | undefined
  readonly part: 'key' | 'value'
  /** The headers of the record, in order, duplicates kept. */
  readonly headers?: readonly RecordHeader[] | undefined
}

/** What `prepare` gets to see before the records of a batch are read one by one. */
export interface SerdeBatch {
  readonly topic: string
  readonly partition: number
  readonly part: 'key' | 'value'
  readonly length: number
  /** The bytes of one key or value, a view of the fetched frame. */
  bytesAt(index: number): Uint8Array | null
}

/**
 * How values of one type become bytes and come back (D9). Both directions are synchronous and throw for what they
 * cannot do; the client adds topic, partition and offset to the error. `null` stands for Kafka's null (an absent key,
 * a tombstone): wrap a serde in `nullable` to let it through.
 */
export interface Serde<T> {
  serialize(value: T, context: SerdeContext): Uint8Array | null
  deserialize(bytes: Uint8Array | null, context: SerdeContext): T
  /** The same as `deserialize(buffer.subarray(start, end))`, without making that view; `end < start` is null. */
  deserializeRange?(buffer: Buffer, start: number, end: number, context: SerdeContext): T
  /** Awaited before the records of a batch are delivered: schemas to load, validators to run. */
  prepare?(batch: SerdeBatch): Promise<void> | undefined
}

/** The type that a serde reads and writes. */
export type SerdeType<S> = S extends Serde<infer T> ? T : never
