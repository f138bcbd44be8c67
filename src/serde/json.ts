import { unexpectedNull, unreadable, unserializable } from './failure.ts'
import type { Serde, SerdeContext } from './serde.ts'
import { describeIssues, type StandardSchema } from './standard-schema.ts'

export interface JsonOptions {
  /** Reads each written text back through the schema before it is sent, at the price of a parse. Default false. */
  readonly checkWrites?: boolean
}

/** JSON of anything: what is read is `unknown` until a schema says more. */
export function json(): Serde<unknown>
/**
 * JSON text in UTF-8, checked by any Standard Schema (zod, valibot, arktype) when it is read; a schema may transform
 * what it reads. Schemas that answer with a promise are refused.
 */
export function json<T>(schema: StandardSchema<unknown, T>, options?: JsonOptions): Serde<T>
export function json<T>(schema: StandardSchema<never, T>, options?: JsonOptions): Serde<T>
export function json(schema?: StandardSchema, { checkWrites = false }: JsonOptions = {}): Serde<unknown> {
  const parse = (text: string, { part }: SerdeContext): unknown => {
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      throw unreadable(`the ${part} is not JSON: it was written with another serde`, error)
    }
    if (!schema) return value
    const result = schema['~standard'].validate(value)
    if (result instanceof Promise) {
      // Its outcome is of no interest any more; without a handler a rejection would end the process.
      result.catch(() => {})
      throw unreadable(`the schema of the ${part} answers with a promise: json() needs one that checks synchronously`)
    }
    if (result.issues) throw unreadable(`the ${part} does not fit its schema (${describeIssues(result.issues)})`)
    return result.value
  }
  const serde: Serde<unknown> = {
    serialize(value, context) {
      let text: string | undefined
      try {
        text = JSON.stringify(value)
      } catch (error) {
        throw unserializable(`the ${context.part} has no JSON form (bigints and cycles have none)`, error)
      }
      if (text === undefined)
        throw unserializable(`the ${context.part} has no JSON form: it is ${typeof value}; use nullable(json()) to write a null`)
      if (checkWrites) {
        try {
          parse(text, context)
        } catch (error) {
          throw unserializable(
            `the ${context.part} would not be readable: ${error instanceof Error ? error.message : String(error)}`,
            error,
          )
        }
      }
      return Buffer.from(text, 'utf8')
    },
    deserialize(bytes, context) {
      if (bytes === null) throw unexpectedNull('json()', context)
      return parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'), context)
    },
    deserializeRange(buffer, start, end, context) {
      if (end < start) throw unexpectedNull('json()', context)
      return parse(buffer.utf8Slice(start, end), context)
    },
  }
  return serde
}
