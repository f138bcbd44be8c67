/** The fixed-width and plain serdes. Their bytes are those of the Java serializers of the same types. */
import { unexpectedNull, unreadable, unserializable, wrongType } from './failure.ts'
import type { Serde, SerdeContext } from './serde.ts'

/** Bytes as they are: the default of every client. Null passes. Read bytes are views of the fetched frame. */
export const bytes: Serde<Uint8Array | null> = {
  serialize(value, context) {
    if (value === null || value === undefined) return null
    if (value instanceof Uint8Array) return value
    throw unserializable(
      `the ${context.part} is a ${typeof value}, not a Uint8Array or null: pass key/value serdes such as string or json() to the client`,
    )
  },
  deserialize: value => value,
  deserializeRange: (buffer, start, end) => (end < start ? null : buffer.subarray(start, end)),
}

/** UTF-8 text. Bytes that are not UTF-8 are read as U+FFFD, as Java does. */
export const string: Serde<string> = {
  serialize(value, context) {
    if (typeof value !== 'string') throw wrongType('string', value, context)
    return Buffer.from(value, 'utf8')
  },
  deserialize(value, context) {
    if (value === null) throw unexpectedNull('string', context)
    return asBuffer(value).toString('utf8')
  },
  deserializeRange(buffer, start, end, context) {
    if (end < start) throw unexpectedNull('string', context)
    return buffer.utf8Slice(start, end)
  },
}

/** A fixed number of big-endian bytes. */
function fixed<T>(
  name: string,
  size: number,
  accepts: (value: T) => boolean,
  range: string,
  write: (buffer: Buffer, value: T) => void,
  read: (buffer: Buffer, offset: number) => T,
): Serde<T> {
  const checkLength = (length: number, { part }: SerdeContext) => {
    if (length !== size)
      throw unreadable(`the ${part} has ${length} bytes where ${name} has ${size}: it was written with another serde`)
  }
  return {
    serialize(value, context) {
      if (value === null || value === undefined) throw wrongType(name, value, context)
      if (!accepts(value)) throw unserializable(`the ${context.part} ${String(value)} is not ${range}: ${name} cannot write it`)
      const buffer = Buffer.allocUnsafe(size)
      write(buffer, value)
      return buffer
    },
    deserialize(value, context) {
      if (value === null) throw unexpectedNull(name, context)
      checkLength(value.length, context)
      return read(asBuffer(value), 0)
    },
    deserializeRange(buffer, start, end, context) {
      if (end < start) throw unexpectedNull(name, context)
      checkLength(end - start, context)
      return read(buffer, start)
    },
  }
}

/** A signed 32-bit integer, 4 big-endian bytes (Java's IntegerSerializer). */
export const int32: Serde<number> = fixed<number>(
  'int32',
  4,
  value => typeof value === 'number' && (value | 0) === value,
  'a whole number of 32 bits',
  (buffer, value) => buffer.writeInt32BE(value),
  (buffer, offset) => buffer.readInt32BE(offset),
)

/** A signed 64-bit integer, 8 big-endian bytes (Java's LongSerializer). */
export const int64: Serde<bigint> = fixed<bigint>(
  'int64',
  8,
  value => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  'a bigint of 64 bits',
  (buffer, value) => buffer.writeBigInt64BE(value),
  (buffer, offset) => buffer.readBigInt64BE(offset),
)

/** An IEEE 754 double, 8 big-endian bytes (Java's DoubleSerializer). */
export const float64: Serde<number> = fixed<number>(
  'float64',
  8,
  value => typeof value === 'number',
  'a number',
  (buffer, value) => buffer.writeDoubleBE(value),
  (buffer, offset) => buffer.readDoubleBE(offset),
)

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** A UUID in its text form of 36 characters, which is also how Java's UUIDSerializer writes it. */
export const uuid: Serde<string> = {
  serialize(value, context) {
    if (typeof value !== 'string') throw wrongType('uuid', value, context)
    if (!UUID.test(value)) throw unserializable(`the ${context.part} '${value}' is not a UUID such as crypto.randomUUID() gives`)
    return Buffer.from(value, 'latin1')
  },
  deserialize(value, context) {
    if (value === null) throw unexpectedNull('uuid', context)
    const text = asBuffer(value).toString('latin1')
    if (!UUID.test(text)) throw unreadable(`the ${context.part} is not a UUID in text form: it was written with another serde`)
    return text
  },
}

/** Lets Kafka's null through as null: absent keys, tombstones. An empty string or value stays what it is. */
export function nullable<T>(serde: Serde<T>): Serde<T | null> {
  const range = serde.deserializeRange?.bind(serde)
  const prepare = serde.prepare?.bind(serde)
  return {
    serialize: (value, context) => (value === null || value === undefined ? null : serde.serialize(value, context)),
    deserialize: (value, context) => (value === null ? null : serde.deserialize(value, context)),
    ...(range && {
      deserializeRange: (buffer: Buffer, start: number, end: number, context: SerdeContext) =>
        end < start ? null : range(buffer, start, end, context),
    }),
    ...(prepare && { prepare }),
  }
}

const asBuffer = (value: Uint8Array): Buffer =>
  value instanceof Buffer ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
