/** Kafka traffic as text: each request and response as a tree with offsets, down to the byte where it breaks. */
import { CorruptRecordError } from '../errors.ts'
import { ApiVersions } from '../protocol/apis/18-api-versions.ts'
import { ErrorCode } from '../protocol/error-codes.ts'
import { RequestHeader, ResponseHeader, requestHeaderVersion, responseHeaderVersion } from '../protocol/header.ts'
import { encodedBatches } from '../protocol/records/index.ts'
import { apiByKey } from '../protocol/registry.ts'
import type { Api, Message } from '../protocol/schema.ts'
import { faultOf, type TraceNode, trace } from '../protocol/trace.ts'
import type { Versioned } from './trial.ts'

/** Something to print. */
export interface Finding {
  readonly text: string
  /** Whether something in it could not be read. */
  readonly broken: boolean
}

export const note = (text: string): Finding => ({ text, broken: false })
/** `where` names the stream the offset counts in, and ends with a comma and a space; it is empty where there is but one. */
export const fault = (where: string, offset: number, reason: string): Finding => ({
  text: `✗ ${where}byte ${offset}: ${reason}`,
  broken: true,
})

/** A request or response without the length in front of it. */
export interface Frame {
  /** As `fault` takes it. */
  readonly where: string
  /** Offset of its first byte in the stream. */
  readonly start: number
  /** Bytes it claims to have. */
  readonly size: number
  /** Those that there are. */
  readonly bytes: Buffer
}

/** Which request a response answers: responses do not say it themselves. */
export interface Asked {
  readonly api: Api
  /** As the request claims: perhaps one that is not known here. */
  readonly version: number
}

/** Values longer than this are cut short. */
const SHOWN_BYTES = 32
const SHOWN_CHARACTERS = 120

const REQUEST_START_BYTES = 8

/** What every version of every request begins with. */
export function requestStart(frame: Buffer, at = 0): { key: number; version: number; correlationId: number } | undefined {
  if (frame.length - at < REQUEST_START_BYTES) return undefined
  return { key: frame.readInt16BE(at), version: frame.readInt16BE(at + 2), correlationId: frame.readInt32BE(at + 4) }
}

export const knows = ({ api, version }: Asked): boolean =>
  version >= api.request.versions[0] && version <= api.request.versions[1]

export function dissectRequest(frame: Frame): Finding {
  const text = new Text(frame)
  const start = requestStart(frame.bytes)
  if (!start) {
    text.fault(0, `${frame.bytes.length} bytes are too few for a request header`)
    return text.finding()
  }
  const { key, version, correlationId } = start
  const api = apiByKey(key)
  if (!api) {
    text.fault(0, `API key ${key} is unknown (version ${version}, correlation ${correlationId})`)
    return text.finding()
  }
  text.add(`→ ${api.name} v${version} request · correlation ${correlationId} · ${frame.size} bytes`)
  if (knows({ api, version })) {
    text.messages([RequestHeader, requestHeaderVersion(api, version)], [api.request, version])
  } else {
    // Every version of the header begins like this one (KIP-511).
    text.message(0, RequestHeader, 1)
    text.fault(2, unknownVersion({ api, version }))
  }
  return text.finding()
}

export function dissectResponse(frame: Frame, { api, version: requested }: Asked): Finding {
  const { bytes } = frame
  const text = new Text(frame)
  if (bytes.length < 4) {
    text.fault(0, `${bytes.length} bytes are too few for a response header`)
    return text.finding()
  }
  const version = answeredVersion(bytes, { api, version: requested })
  text.add(`← ${api.name} v${version} response · correlation ${bytes.readInt32BE(0)} · ${frame.size} bytes`)
  if (knows({ api, version })) text.messages([ResponseHeader, responseHeaderVersion(api, version)], [api.response, version])
  else text.fault(4, unknownVersion({ api, version }))
  return text.finding()
}

/** A broker that does not know the version of an ApiVersions request says so in version 0 (KIP-511). */
export const answeredVersion = (response: Buffer, { api, version }: Asked): number =>
  api.key === ApiVersions.key && response.length >= 6 && response.readInt16BE(4) === ErrorCode.UNSUPPORTED_VERSION ? 0 : version

const unknownVersion = ({ api }: Asked): string => `${api.name} has versions ${api.request.versions.join(' to ')}`

/** A frame as opaque bytes. */
export function dissectToken(arrow: string, { start, bytes, size }: Frame): Finding {
  return note(`${arrow} SASL token · ${size} bytes\n${place(start, bytes.length)}    ${bytesText(bytes)}`)
}

/** Lines about one frame. */
class Text {
  private readonly frame: Frame
  private readonly lines: string[] = []
  private broken = false

  constructor(frame: Frame) {
    this.frame = frame
    const { start, size, bytes } = frame
    if (bytes.length < size)
      this.fault(-4, `the frame claims ${size} bytes, ${bytes.length} follow, up to byte ${start + bytes.length}`)
  }

  finding(): Finding {
    return { text: this.lines.join('\n'), broken: this.broken }
  }

  add(line: string): void {
    this.lines.push(line)
  }

  fault(offset: number, reason: string): void {
    this.broken = true
    this.lines.push(fault(this.frame.where, Math.max(0, this.frame.start + offset), reason).text)
  }

  /** Messages that fill the frame. */
  messages(...parts: readonly Versioned[]): void {
    const { bytes, size } = this.frame
    let at: number | undefined = 0
    for (const part of parts) {
      at = this.message(at, ...part)
      if (at === undefined) return
    }
    if (at < size && at < bytes.length) this.fault(at, `${size - at} bytes follow the end of the message: another version?`)
  }

  /** Where the message ends; undefined if it cannot be read. */
  message(at: number, part: Message, version: number): number | undefined {
    const root = trace(part, version, this.frame.bytes, at)
    for (const child of root.children) this.node(child, 1)
    const broke = faultOf(root)
    if (!broke) return root.end
    this.fault(broke.offset, `${part.name} v${version}${broke.path ? `, ${broke.path}` : ''}: ${broke.reason}`)
    return undefined
  }

  private node(node: TraceNode, depth: number): void {
    if (node.type === 'tags' && node.children.length === 0) return
    const name = `${node.name}${node.tag === undefined ? '' : ` (tag ${node.tag})`}`
    const records = node.value instanceof Buffer && node.type === 'records' ? batches(node.value) : undefined
    this.add(
      `${place(this.frame.start + node.start, node.end - node.start)}  ${'  '.repeat(depth)}${name}${records?.text ?? described(node)}`,
    )
    if (records?.error) {
      const { message, offset = 0 } = records.error
      this.fault(node.end - (node.value as Buffer).length + offset, `${node.path}: ${message}`)
    }
    for (const child of node.children) this.node(child, depth + 1)
    if (node.leftOut) this.add(`${' '.repeat(15)}  ${'  '.repeat(depth + 1)}… and ${node.leftOut} more`)
  }
}

const place = (start: number, size: number): string => `${String(start).padStart(8)} ${String(size).padStart(6)}`

function described(node: TraceNode): string {
  if (node.error !== undefined) return ' ✗'
  if (node.value === null) return ' null'
  if (node.type === 'array') return ` [${node.children.length + (node.leftOut ?? 0)}]`
  if (node.value === undefined) return ''
  if (node.value instanceof Uint8Array) return ` ${bytesText(Buffer.from(node.value))}`
  if (typeof node.value === 'string') return ` ${quoted(node.value)}`
  return ` ${node.value}${node.name === 'requestApiKey' || node.name === 'apiKey' ? ` (${apiByKey(Number(node.value))?.name ?? 'unknown'})` : ''}`
}

/** Nothing of a text from the wire reaches the terminal that could steer it or hide something: controls, bidi marks, line separators. */
const quoted = (text: string): string =>
  JSON.stringify(text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text).replace(
    /[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}]/gu,
    character => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  )

const bytesText = (bytes: Buffer): string => `<${bytes.toString('hex', 0, SHOWN_BYTES)}${bytes.length > SHOWN_BYTES ? '…' : ''}>`

/** The batches of a `records` field; the last of a fetch may be cut short, which is no error. */
function batches(records: Buffer): { readonly text: string; readonly error?: CorruptRecordError } {
  const found: string[] = []
  const text = (more: string[] = []) => ` { ${[...found, ...more].join('; ') || 'empty'} }`
  let rest = records.length
  try {
    for (const batch of encodedBatches(records)) {
      rest -= batch.sizeBytes
      found.push(
        `format ${batch.magic}, offsets ${batch.baseOffset}–${batch.lastOffset}, ${batch.count} records, ${batch.codec}, ${batch.sizeBytes} bytes`,
      )
    }
  } catch (error) {
    if (error instanceof CorruptRecordError) return { text: text(['✗']), error }
    throw error
  }
  return { text: text(rest > 0 ? [`${rest} bytes of a batch cut short`] : []) }
}
