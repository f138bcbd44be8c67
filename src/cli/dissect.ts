/** Kafka traffic as text: each request and response of a byte stream as a tree with offsets, down to the byte where it breaks. */
import { ApiVersions } from '../protocol/apis/18-api-versions.ts'
import { ErrorCode } from '../protocol/error-codes.ts'
import { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from '../protocol/header.ts'
import { encodedBatches } from '../protocol/records/index.ts'
import { apiByKey } from '../protocol/registry.ts'
import type { Api, Message } from '../protocol/schema.ts'
import { faultOf, type TraceNode, trace } from '../protocol/trace.ts'

/** Which request a response answers: responses do not say it themselves. */
export interface Asked {
  readonly api: Api
  readonly version: number
}

const MAX_FRAME_BYTES = 0x7fff_ffff
/** Values longer than this are cut short. */
const SHOWN_BYTES = 32
const SHOWN_CHARACTERS = 120

/** Reads one direction of a connection, frame by frame. */
export class StreamDissector {
  private readonly bytes: Buffer
  private at = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** The next frame without its length prefix and where it starts; text instead where there is none: the reason. */
  next(): { readonly start: number; readonly frame: Buffer } | string | undefined {
    const { bytes, at } = this
    if (at === bytes.length) return undefined
    this.at = bytes.length
    if (bytes.length - at < 4) return `✗ byte ${at}: ${bytes.length - at} bytes are left, a frame begins with a length of 4`
    const size = bytes.readInt32BE(at)
    if (isTls(bytes, at)) return `✗ byte ${at}: this is TLS; capture a plain-text listener, or decrypt first`
    if (size < (this.bareTokens ? 0 : 4) || size > MAX_FRAME_BYTES)
      return `✗ byte ${at}: a frame of ${size} bytes makes no sense: is this the start of a frame?`
    if (bytes.length - at - 4 < size)
      return `✗ byte ${at}: the frame claims ${size} bytes, ${bytes.length - at - 4} follow\n${this.cutShort(bytes.subarray(at + 4), at + 4)}`
    this.at = at + 4 + size
    return { start: at + 4, frame: bytes.subarray(at + 4, this.at) }
  }

  /** Whether the frames are the bytes of a SASL mechanism, which may be none. */
  bareTokens = false
  /** What to say of the frame that the end of the bytes cuts in two. */
  cutShort: (frame: Buffer, start: number) => string = () => ''
}

const isTls = (bytes: Buffer, at: number): boolean => bytes[at] === 0x16 && bytes[at + 1] === 3 && bytes[at + 2]! <= 4

/** A request as text; `asked` is what its response has to be read with. */
export function dissectRequest(
  frame: Buffer,
  start: number,
): { readonly text: string; readonly asked?: Asked; readonly correlationId?: number } {
  if (frame.length < 8) return { text: `✗ byte ${start}: ${frame.length} bytes are too few for a request header` }
  const key = frame.readInt16BE(0)
  const version = frame.readInt16BE(2)
  const correlationId = frame.readInt32BE(4)
  const api = apiByKey(key)
  if (!api)
    return {
      text: `✗ byte ${start}: API key ${key} is unknown (version ${version}, correlation ${correlationId})`,
      correlationId,
    }
  const title = `→ ${api.name} v${version} request · correlation ${correlationId} · ${frame.length} bytes`
  const [min, max] = api.request.versions
  if (version < min || version > max)
    return { text: `${title}\n✗ byte ${start + 2}: ${api.name} has versions ${min} to ${max}`, correlationId }
  const text = [
    title,
    ...message(frame, start, [RequestHeader, requestHeaderVersion(api, version)], [api.request, version]),
  ].join('\n')
  return { text, asked: { api, version }, correlationId }
}

/** A response as text. */
export function dissectResponse(frame: Buffer, start: number, { api, version: requested }: Asked): string {
  // A broker that does not know the version of an ApiVersions request says so in version 0 (KIP-511).
  const refused = api.key === ApiVersions.key && frame.length >= 6 && frame.readInt16BE(4) === ErrorCode.UNSUPPORTED_VERSION
  const version = refused ? 0 : requested
  const title = `← ${api.name} v${version} response · correlation ${frame.readInt32BE(0)} · ${frame.length} bytes`
  return [title, ...message(frame, start, [ResponseHeader, responseHeaderVersion(api, version)], [api.response, version])].join(
    '\n',
  )
}

type Versioned = readonly [message: Message, version: number]

function* message(frame: Buffer, start: number, ...parts: readonly Versioned[]): Generator<string> {
  let at = 0
  for (const [part, version] of parts) {
    const root = trace(part, version, frame, at)
    for (const child of root.children) yield* lines(child, start, 1)
    const fault = faultOf(root)
    if (fault) {
      yield `✗ byte ${start + fault.offset}: ${part.name} v${version}${fault.path ? `, ${fault.path}` : ''}: ${fault.reason}`
      return
    }
    at = root.end
  }
  if (at < frame.length) yield `✗ byte ${start + at}: ${frame.length - at} bytes follow the end of the message: another version?`
}

function* lines(node: TraceNode, start: number, depth: number): Generator<string> {
  if (node.type === 'tags' && node.children.length === 0) return
  const place = `${String(start + node.start).padStart(8)} ${String(node.end - node.start).padStart(6)}`
  yield `${place}  ${'  '.repeat(depth)}${node.name}${node.tag === undefined ? '' : ` (tag ${node.tag})`}${described(node)}`
  for (const child of node.children) yield* lines(child, start, depth + 1)
}

function described(node: TraceNode): string {
  if (node.error !== undefined) return ' ✗'
  if (node.value === null) return ' null'
  if (node.type === 'array') return ` [${node.children.length}]`
  if (node.type === 'records') return ` ${batches(node.value as Buffer)}`
  if (node.value === undefined) return ''
  if (node.value instanceof Uint8Array) return ` ${bytesText(Buffer.from(node.value))}`
  if (typeof node.value === 'string') return ` ${JSON.stringify(cut(node.value))}`
  return ` ${node.value}${node.name === 'requestApiKey' || node.name === 'apiKey' ? ` (${apiByKey(Number(node.value))?.name ?? 'unknown'})` : ''}`
}

const cut = (text: string): string => (text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text)
export const bytesText = (bytes: Buffer): string =>
  `<${bytes.toString('hex', 0, SHOWN_BYTES)}${bytes.length > SHOWN_BYTES ? '…' : ''}>`

function batches(records: Buffer): string {
  const found: string[] = []
  try {
    for (const batch of encodedBatches(records)) {
      found.push(
        `format ${batch.magic}, offsets ${batch.baseOffset}–${batch.lastOffset}, ${batch.count} records, ${batch.codec}, ${batch.sizeBytes} bytes`,
      )
    }
  } catch (error) {
    found.push(`✗ ${(error as Error).message}`)
  }
  return `{ ${found.length > 0 ? found.join('; ') : 'no whole batch'} }`
}
