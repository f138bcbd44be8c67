import { type InspectOptions, inspect } from 'node:util'
import { DeserializationError } from '../errors.ts'
import type { RecordBatch, RecordHeader } from '../protocol/records/index.ts'
import { bytes, type Serde, type SerdeContext } from '../serde/index.ts'

/**
 * How the records of one partition are read: shared by all of them, so that a record itself stays three words. The bytes
 * serde is recognised and read past, straight from the frame.
 */
export class RecordReader<K, V> {
  readonly topic: string
  readonly partition: number
  private readonly key: Serde<K>
  private readonly value: Serde<V>
  private readonly plainKey: boolean
  private readonly plainValue: boolean
  private readonly keyContext: SerdeContext
  private readonly valueContext: SerdeContext

  constructor(topic: string, partition: number, key: Serde<K>, value: Serde<V>) {
    this.topic = topic
    this.partition = partition
    this.key = key
    this.value = value
    this.plainKey = (key as Serde<unknown>) === bytes
    this.plainValue = (value as Serde<unknown>) === bytes
    this.keyContext = { topic, partition, part: 'key' }
    this.valueContext = { topic, partition, part: 'value' }
  }

  keyOf(batch: RecordBatch, index: number): K {
    // The bytes serde gives `Uint8Array | null`, which is K then.
    if (this.plainKey) return batch.keyAt(index) as K
    return this.read(this.key, this.keyContext, batch, index, batch.keyStart(index), batch.keyEnd(index))
  }

  valueOf(batch: RecordBatch, index: number): V {
    if (this.plainValue) return batch.valueAt(index) as V
    return this.read(this.value, this.valueContext, batch, index, batch.valueStart(index), batch.valueEnd(index))
  }

  /** As `keyOf` and `valueOf`, from a copy of the bytes: what a serde gives may hold views of them. */
  detached(batch: RecordBatch, index: number): { readonly key: K; readonly value: V } {
    const { key, value, keyContext, valueContext } = this
    return {
      key: this.read(key, keyContext, batch, index, batch.keyStart(index), batch.keyEnd(index), true),
      value: this.read(value, valueContext, batch, index, batch.valueStart(index), batch.valueEnd(index), true),
    }
  }

  private read<T>(
    serde: Serde<T>,
    context: SerdeContext,
    batch: RecordBatch,
    index: number,
    start: number,
    end: number,
    detach = false,
  ): T {
    try {
      if (end < start) return serde.deserialize(null, context)
      if (detach) return serde.deserialize(copied(batch.buffer.subarray(start, end)), context)
      return serde.deserializeRange
        ? serde.deserializeRange(batch.buffer, start, end, context)
        : serde.deserialize(batch.buffer.subarray(start, end), context)
    } catch (cause) {
      const { topic, partition } = this
      throw new DeserializationError({ topic, partition, offset: batch.offsetAt(index), part: context.part, cause })
    }
  }
}

/**
 * One record, read lazily from the bytes it came in: a property costs something only when it is read. Keeping a record
 * keeps its whole fetch response in memory; `detach()` copies what is worth keeping.
 */
export class ConsumerRecord<K = Uint8Array | null, V = Uint8Array | null> {
  private readonly reader: RecordReader<K, V>
  private readonly batch: RecordBatch
  private readonly index: number

  constructor(reader: RecordReader<K, V>, batch: RecordBatch, index: number) {
    this.reader = reader
    this.batch = batch
    this.index = index
  }

  get topic(): string {
    return this.reader.topic
  }
  get partition(): number {
    return this.reader.partition
  }
  get offset(): bigint {
    return this.batch.offsetAt(this.index)
  }
  /** Milliseconds since the epoch; -1 when the record has none. */
  get timestamp(): number {
    return this.batch.timestampAt(this.index)
  }
  /** The same as the int64 of the wire. */
  get timestampExact(): bigint {
    return this.batch.timestampExactAt(this.index)
  }
  /** Who set the timestamp: the producer, or the broker at append (`message.timestamp.type`). */
  get timestampType(): 'create' | 'log-append' {
    return this.batch.encoded.timestampType
  }
  /** Deserialised at each read. Throws DeserializationError. */
  get key(): K {
    return this.reader.keyOf(this.batch, this.index)
  }
  /** Deserialised at each read: keep it in a variable if it is needed twice. Throws DeserializationError. */
  get value(): V {
    return this.reader.valueOf(this.batch, this.index)
  }
  /** In the order they were written, duplicates and null values kept. */
  get headers(): readonly RecordHeader[] {
    return this.batch.headersAt(this.index)
  }
  /** Epoch of the leader that appended the record; -1 when it has none. */
  get leaderEpoch(): number {
    return this.batch.encoded.partitionLeaderEpoch
  }

  /** A plain copy that keeps nothing else alive: bytes are copied out of the fetch response. */
  detach(): DetachedRecord<K, V> {
    return {
      topic: this.topic,
      partition: this.partition,
      offset: this.offset,
      timestamp: this.timestamp,
      timestampExact: this.timestampExact,
      timestampType: this.timestampType,
      ...this.reader.detached(this.batch, this.index),
      headers: this.headers.map(({ key, value }) => ({ key, value: value && copied(value) })),
      leaderEpoch: this.leaderEpoch,
    }
  }

  /** For JSON.stringify and loggers: the offset as a decimal string, bytes as base64. */
  toJSON(): Record<string, unknown> {
    return {
      topic: this.topic,
      partition: this.partition,
      offset: this.offset.toString(),
      timestamp: this.timestamp,
      key: jsonable(this.key),
      value: jsonable(this.value),
      headers: this.headers.map(({ key, value }) => ({ key, value: jsonable(value) })),
    }
  }

  /** For console.log: what the record says, not the bytes it lies in. */
  [inspect.custom](_: number, options: InspectOptions): string {
    if (this.batch.isReleased) return `ConsumerRecord ${this.topic}-${this.partition} (released)`
    const { topic, partition, offset, timestamp, headers } = this
    const [key, value] = [shown(() => this.key), shown(() => this.value)]
    return `ConsumerRecord ${inspect({ topic, partition, offset, timestamp, key, value, headers }, options)}`
  }
}

/** What `ConsumerRecord.detach()` gives. */
export interface DetachedRecord<K = Uint8Array | null, V = Uint8Array | null> {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: number
  readonly timestampExact: bigint
  readonly timestampType: 'create' | 'log-append'
  readonly key: K
  readonly value: V
  readonly headers: readonly RecordHeader[]
  readonly leaderEpoch: number
}

function copied(bytes: Uint8Array): Uint8Array {
  // In memory of its own: the pool that Node takes short buffers from would keep others' bytes alive.
  const own = Buffer.allocUnsafeSlow(bytes.length)
  own.set(bytes)
  return own
}

function jsonable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')
  return typeof value === 'bigint' ? value.toString() : value
}

/** What cannot be read is shown as its error: looking at a record must not throw. */
function shown(read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    return error
  }
}
