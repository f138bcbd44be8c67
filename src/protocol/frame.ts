/** Whole frames: header and body of one request or response. A frame on the wire is an int32 length and that many bytes. */

import { ProtocolError } from '../errors.ts'
import { codec } from './compile.ts'
import { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from './header.ts'
import type { Api, Decoded, Encodable, Message } from './schema.ts'
import { Reader, Writer } from './wire.ts'

export interface RequestEnvelope {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** Where the body starts in the frame. */
  readonly bodyOffset: number
}

/** The length prefix, header and body of a request, as chunks to write in order; large record sets are taken in by reference. */
export function encodeRequest<A extends Api>(
  api: A,
  version: number,
  { correlationId, clientId }: { correlationId: number; clientId: string | null },
  request: Encodable<A['request']>,
): Uint8Array[] {
  return framed(writer => {
    codec(RequestHeader, requestHeaderVersion(api, version)).encode(writer, {
      requestApiKey: api.key,
      requestApiVersion: version,
      correlationId,
      clientId,
    })
    codec(api.request, version).encode(writer, request)
  })
}

/** The length prefix, header and body of an answer. */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  response: Encodable<A['response']>,
): Uint8Array[] {
  return framed(writer => {
    codec(ResponseHeader, responseHeaderVersion(api, version)).encode(writer, { correlationId })
    codec(api.response, version).encode(writer, response)
  })
}

/** Correlation id of a response frame (without its length prefix). */
export function peekCorrelationId(frame: Buffer): number {
  if (frame.length < 4)
    throw new ProtocolError(
      `a response of ${frame.length} bytes has no correlation id: does another service listen on that port?`,
    )
  return frame.readInt32BE(0)
}

/** Body of a response frame (without its length prefix). Byte fields are views of `frame`. Throws ProtocolError. */
export function decodeResponse<A extends Api>(api: A, version: number, frame: Buffer): Decoded<A['response']> {
  const reader = new Reader(frame)
  guarded(ResponseHeader, responseHeaderVersion(api, version), reader)
  return decodeWhole(api.response, version, reader)
}

/** Header of a request frame (without its length prefix). `flexibleFrom` gives the first flexible version of an API key. */
export function decodeRequestHeader(frame: Buffer, flexibleFrom: (apiKey: number) => number): RequestEnvelope {
  if (frame.length < 8)
    throw new ProtocolError(`a request of ${frame.length} bytes is shorter than its header: is the peer a Kafka client?`)
  const flexible = frame.readInt16BE(2) >= flexibleFrom(frame.readInt16BE(0))
  const reader = new Reader(frame)
  const header = guarded(RequestHeader, flexible ? 2 : 1, reader)
  return {
    apiKey: header.requestApiKey,
    apiVersion: header.requestApiVersion,
    correlationId: header.correlationId,
    clientId: header.clientId,
    bodyOffset: reader.position,
  }
}

/** Body of a request frame, from `bodyOffset` on. Byte fields are views of `frame`. Throws ProtocolError. */
export function decodeRequest<A extends Api>(api: A, version: number, frame: Buffer, bodyOffset: number): Decoded<A['request']> {
  return decodeWhole(api.request, version, new Reader(frame, bodyOffset))
}

/**
 * One message that starts at `offset` of a buffer and need not reach to its end: `end` is the offset behind it.
 * Byte fields are views of `buffer`. Throws ProtocolError.
 */
export function decodeMessage<M extends Message>(
  message: M,
  version: number,
  buffer: Buffer,
  offset = 0,
): { readonly value: Decoded<M>; readonly end: number } {
  const reader = new Reader(buffer, offset)
  const value = guarded(message, version, reader)
  return { value, end: reader.position }
}

function framed(write: (writer: Writer) => void): Uint8Array[] {
  const writer = new Writer()
  writer.int32(0)
  write(writer)
  const length = writer.length - 4
  const chunks = writer.chunks()
  const first = chunks[0]!
  new DataView(first.buffer, first.byteOffset, 4).setInt32(0, length)
  return chunks
}

function decodeWhole<M extends Message>(message: M, version: number, reader: Reader): Decoded<M> {
  const value = guarded(message, version, reader)
  if (reader.position !== reader.buffer.length) {
    throw new ProtocolError(
      `${message.name} v${version} ends at byte ${reader.position} of ${reader.buffer.length}: does the peer speak another version?`,
      { api: message.name, version, offset: reader.position },
    )
  }
  return value
}

/** Decodes, and says of whatever goes wrong which message it was in and where. */
function guarded<M extends Message>(message: M, version: number, reader: Reader): Decoded<M> {
  try {
    return codec(message, version).decode(reader)
  } catch (cause) {
    throw new ProtocolError(
      `${message.name} v${version} cannot be read at byte ${reader.position} of ${reader.buffer.length}: ${(cause as Error).message}`,
      { api: message.name, version, offset: reader.position },
      { cause },
    )
  }
}
