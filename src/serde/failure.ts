import { KafkaError } from '../errors.ts'
import type { SerdeContext } from './serde.ts'

/** What a serde throws for a value or bytes that it cannot handle. */
export const unserializable = (message: string, cause?: unknown) => new KafkaError('ERR_SERIALIZATION', message, { cause })
export const unreadable = (message: string, cause?: unknown) => new KafkaError('ERR_DESERIALIZATION', message, { cause })

/** The null that a serde without `nullable` met while reading. */
export const unexpectedNull = (serde: string, { part }: SerdeContext) =>
  unreadable(`the ${part} is null, which ${serde} does not hold: use nullable(${serde}) to accept it`)

/** A value of another type than the serde's, which a caller outside the type checker may pass. */
export const wrongType = (serde: string, value: unknown, { part }: SerdeContext) =>
  value === null || value === undefined
    ? unserializable(`the ${part} is ${String(value)}, which ${serde} does not hold: use nullable(${serde}) to write a null`)
    : unserializable(
        `the ${part} is a ${typeof value}, which ${serde} cannot write: give it the type of its serde, or change the serde`,
      )
