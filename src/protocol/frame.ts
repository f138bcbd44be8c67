/** Whole frames: header and body of one request or response. A frame on the wire is an int32 length and that many bytes. */

import { KafkaError, ProtocolError } from '../errors.ts'
import { codec } from './compile.ts'
import { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from './header.ts'
import { findMisfit } from './misfit.ts'
import type { Api, Decoded, Encodable, Message } from './schema.ts'
import { locateFault } from './trace.ts'
import { Reader, Writer } from './wire.ts'

export interface RequestEnvelope {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
  /** Where the body starts in the frame. */
  readonly bodyOffset: number
}

/**
 * The length prefix, header and body of a request, as chunks to write in order; large record sets are taken in by reference.
 * Throws UnsupportedVersionError where a field holds what the version has no place for, and KafkaError ERR_INVALID_ARGUMENT,
 * naming the field, for a value of the wrong type or range.
 */
export function encodeRequest<A extends Api>(
  api: A,
  version: number,
  { correlationId, clientId }: { correlationId: number; clientId: string | null },
  request: Encodable<A['request']>,
): Uint8Array[] {
  return framed(writer => {
    write(RequestHeader, requestHeaderVersion(api, version), writer, {
      requestApiKey: api.key,
      requestApiVersion: version,
      correlationId,
      clientId,
    })
    write(api.request, version, writer, request)
  })
}

/** The length prefix, header and body of an answer, as `encodeRequest` makes those of a request. */
export function encodeResponse<A extends Api>(
  api: A,
  version: number,
  correlationId: number,
  response: Encodable<A['response']>,
): Uint8Array[] {
  return framed(writer => {
    write(ResponseHeader, responseHeaderVersion(api, version), writer, { correlationId })
    write(api.response, version, writer, response)
  })
}

/** Correlation id of a response frame (without its length prefix). */
export function peekCorrelationId(frame: Buffer): number {
  if (frame.length < 4)
    throw new ProtocolError(
      `a response of ${frame.length} bytes has no correlation id: does another service listen on that port?`,
      { api: 'ResponseHeader', version: 0, path: 'correlationId', offset: 0 },
    )
  return frame.readInt32BE(0)
}

/** Body of a response frame (without its length prefix). Byte fields are views of `frame`. Throws ProtocolError. */
export function decodeResponse<A extends Api>(api: A, version: number, frame: Buffer): Decoded<A['response']> {
  const reader = new Reader(frame)
  skipResponseHeader(api, version, reader)
  return decodeWhole(api.response, version, reader)
}

/** By hand, as nobody asks for its values here: a codec for four bytes would cost each process 0.1 ms, and each answer an object. */
function skipResponseHeader(api: Api, version: number, reader: Reader): void {
  const headerVersion = responseHeaderVersion(api, version)
  try {
    reader.int32()
    if (headerVersion >= ResponseHeader.flexible) reader.tags({})
  } catch {
    read(ResponseHeader, headerVersion, new Reader(reader.buffer), { api: api.response.name, version }) // says what is wrong
  }
}

/** Header of a request frame (without its length prefix). `flexibleFrom` gives the first flexible version of an API key. */
export function decodeRequestHeader(frame: Buffer, flexibleFrom: (apiKey: number) => number): RequestEnvelope {
  if (frame.length < 4)
    throw new ProtocolError(`a request of ${frame.length} bytes names no API and version: is the peer a Kafka client?`, {
      api: 'RequestHeader',
      version: 1,
      path: frame.length < 2 ? 'requestApiKey' : 'requestApiVersion',
      offset: frame.length & 2,
    })
  const apiKey = frame.readInt16BE(0),
    version = frame.readInt16BE(2)
  const reader = new Reader(frame)
  const header = read(RequestHeader, version >= flexibleFrom(apiKey) ? 2 : 1, reader, {
    api: `request with API key ${apiKey}`,
    version,
  })
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
  const value = read(message, version, reader)
  return { value, end: reader.position }
}

/** One message on its own. Throws as `encodeRequest` does. */
export function encodeMessage<M extends Message>(message: M, version: number, value: Encodable<M>): Buffer {
  const writer = new Writer()
  write(message, version, writer, value)
  return writer.finish()
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

/** Encodes, and says of a value that does not fit which one it was. */
function write<M extends Message>(message: M, version: number, writer: Writer, value: Encodable<M>): void {
  const { encode } = codec(message, version)
  try {
    encode(writer, value)
  } catch (cause) {
    if (KafkaError.is(cause)) throw cause
    const misfit = findMisfit(message, version, value)
    const what = misfit ? `${misfit.path || 'the message'}: ${misfit.reason}` : (cause as Error).message
    throw new KafkaError('ERR_INVALID_ARGUMENT', `${message.name} v${version} cannot be written, correct ${what}`, { cause })
  }
}

function decodeWhole<M extends Message>(message: M, version: number, reader: Reader): Decoded<M> {
  const value = read(message, version, reader)
  if (reader.position !== reader.buffer.length) {
    throw new ProtocolError(
      `${message.name} v${version} ends at byte ${reader.position} of ${reader.buffer.length}: does the peer speak another version?`,
      { api: message.name, version, path: '', offset: reader.position },
    )
  }
  return value
}

/**
 * Decodes, and says of whatever goes wrong which message and field it was in and where. A header is part of a message `of`
 * its own name and version.
 */
function read<M extends Message>(
  message: M,
  version: number,
  reader: Reader,
  of?: { readonly api: string; readonly version: number },
): Decoded<M> {
  const { decode } = codec(message, version)
  const start = reader.position
  try {
    return decode(reader)
  } catch (cause) {
    const fault = locateFault(message, version, reader.buffer, start)
    const { offset, reason } = fault ?? { offset: reader.position, reason: (cause as Error).message }
    const path = [of && 'header', fault?.path].filter(Boolean).join('.')
    const whole = of ?? { api: message.name, version }
    throw new ProtocolError(
      `${whole.api} v${whole.version} cannot be read at byte ${offset} of ${reader.buffer.length}, ${path || 'the message'}: ${reason}; ` +
        'does the peer speak another version, or does something on the way change bytes?',
      { ...whole, path, offset },
      { cause },
    )
  }
}
