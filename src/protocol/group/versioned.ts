import { ProtocolError } from '../../errors.ts'
import { decodeMessage, encodeMessage } from '../frame.ts'
import type { Decoded, Encodable, Message } from '../schema.ts'

/** A message behind its int16 version. */
export function encodeVersioned<M extends Message>(message: M, version: number, value: Encodable<M>): Buffer {
  const prefix = Buffer.alloc(2)
  prefix.writeInt16BE(version)
  return Buffer.concat([prefix, encodeMessage(message, version, value)])
}

/**
 * Reads a message behind its int16 version. One newer than those known here is read as the newest, and what follows is left
 * alone: members of a group never remove or move fields. Throws ProtocolError.
 */
export function decodeVersioned<M extends Message>(message: M, bytes: Uint8Array): Decoded<M> & { readonly version: number } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const version = buffer.length < 2 ? -1 : buffer.readInt16BE(0)
  if (version < message.versions[0]) {
    throw new ProtocolError(
      `${message.name} of ${buffer.length} bytes has no usable version: do other clients use this group id?`,
      { api: message.name, version, path: '', offset: 0 },
    )
  }
  const { value } = decodeMessage(message, Math.min(version, message.versions[1]), buffer, 2)
  return Object.assign(value, { version })
}
