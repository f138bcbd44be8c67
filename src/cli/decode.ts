/** `kafkawire decode`: shows captured Kafka traffic, request by request. */
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Produce } from '../protocol/apis/00-produce.ts'
import { SaslHandshake } from '../protocol/apis/17-sasl-handshake.ts'
import { decodeRequest, decodeRequestHeader } from '../protocol/frame.ts'
import { allApis } from '../protocol/registry.ts'
import { isCapture, type Stream, segmentsOf, streamsOf } from './capture.ts'
import { type Asked, bytesText, dissectRequest, dissectResponse, StreamDissector } from './dissect.ts'

export const summary = 'shows Kafka traffic (hex, a binary file or a pcap) as trees of fields with byte offsets'

export const usage = `kafkawire decode [FILE | HEX] [options]

Reads a pcap or pcapng file, a file of bytes or of hex digits, hex digits on the command line, or any of these from
standard input, and prints each request and response with the offset, size, name and value of each field. Input that
is cut short or wrong is shown up to the byte where it breaks, with the reason.

  --response API@VERSION   the bytes are responses to that request, such as Metadata@12 (a capture pairs them by itself)
  --bare                   the bytes are one message without the length in front of it
  --port PORT              only connections to this port of a capture
`

/** Runs the command; the exit code is 1 when anything could not be read. */
export async function run(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { response: { type: 'string' }, bare: { type: 'boolean' }, port: { type: 'string' } },
  })
  const bytes = input(positionals)
  if (bytes.length === 0) throw new Error('there are no bytes to decode: give a file, hex digits, or pipe them in')
  let failed = false
  for (const text of isCapture(bytes)
    ? conversations(bytes, values.port)
    : stream(bytes, asked(values.response), values.bare === true)) {
    if (text.includes('✗')) failed = true
    print(text)
  }
  return failed ? 1 : 0
}

function input(positionals: readonly string[]): Buffer {
  const words = positionals.join('')
  if (words === '') return fromText(readFileSync(0))
  if (existsSync(positionals[0]!)) return fromText(readFileSync(positionals[0]!))
  if (isHex(words)) return Buffer.from(words.replace(/\s+/g, ''), 'hex')
  throw new Error(`${positionals[0]} is neither a file nor hex digits`)
}

/** Bytes of this many are no hex digits if they do not begin as such: a text of all of a huge input may exceed what a string can hold. */
const PROBED_BYTES = 4096

const isHex = (text: string): boolean => /^[\s0-9a-fA-F]+$/.test(text) && text.replace(/\s+/g, '').length % 2 === 0
/** Hex digits as the bytes they stand for; anything else is bytes already. */
function fromText(bytes: Buffer): Buffer {
  if (!/^[\s0-9a-fA-F]*$/.test(bytes.toString('latin1', 0, PROBED_BYTES))) return bytes
  const text = bytes.toString('latin1')
  return isHex(text) ? Buffer.from(text.replace(/\s+/g, ''), 'hex') : bytes
}

function asked(response: string | undefined): Asked | undefined {
  if (response === undefined) return undefined
  const [name, version] = response.split('@')
  const api = allApis.find(candidate => candidate.name.toLowerCase() === name!.toLowerCase() || String(candidate.key) === name)
  if (!api || version === undefined || !/^\d+$/.test(version))
    throw new Error(`--response takes an API and a version, such as Metadata@12, not ${response}`)
  const [min, max] = api.response.versions
  if (Number(version) < min || Number(version) > max) throw new Error(`${api.name} has versions ${min} to ${max}, not ${version}`)
  return { api, version: Number(version) }
}

function* stream(bytes: Buffer, response: Asked | undefined, bare: boolean): Generator<string> {
  const show = (frame: Buffer, start: number) =>
    response ? dissectResponse(frame, start, response) : dissectRequest(frame, start).text
  if (bare) return yield show(bytes, 0)
  const frames = new StreamDissector(bytes)
  frames.cutShort = show
  for (let next = frames.next(); next !== undefined; next = frames.next())
    yield typeof next === 'string' ? next : show(next.frame, next.start)
}

/** Pairs the directions of each connection of a capture, and its responses with their requests. */
function* conversations(capture: Buffer, port: string | undefined): Generator<string> {
  const streams = streamsOf(segmentsOf(capture))
  const towards = (stream: Stream) => (port === undefined ? looksLikeRequests(stream.bytes) : stream.to.endsWith(`:${port}`))
  const requests = streams.filter(towards)
  if (requests.length === 0) yield '✗ no Kafka request was found in this capture'
  for (const { from, to, bytes, gaps } of requests) {
    yield `━━ ${from} → ${to}${gaps > 0 ? ` (✗ packets are missing at ${gaps} places)` : ''}`
    const answers = streams.find(other => other.from === to && other.to === from)
    yield* conversation(bytes, answers?.bytes ?? Buffer.alloc(0))
  }
}

function* conversation(requests: Buffer, responses: Buffer): Generator<string> {
  const frames = new StreamDissector(requests)
  const answers = new Answers(responses, correlationIds(requests))
  for (let next = frames.next(); next !== undefined; next = frames.next()) {
    if (typeof next === 'string') return yield next
    const request = dissectRequest(next.frame, next.start)
    // Between SaslHandshake v0 and the first request after it there are the mechanism's bytes alone, in both directions.
    if (frames.bareTokens && request.text.includes('✗')) {
      yield token('→', next.frame, next.start)
      yield* answers.token()
      continue
    }
    frames.bareTokens = request.asked?.api.key === SaslHandshake.key && request.asked.version === 0
    yield request.text
    if (request.correlationId !== undefined && (!request.asked || expectsAnswer(request.asked, next.frame)))
      yield* answers.to(request.correlationId, request.asked)
  }
}

function correlationIds(requests: Buffer): Set<number> {
  const ids = new Set<number>()
  const frames = new StreamDissector(requests)
  frames.bareTokens = true
  for (let next = frames.next(); typeof next === 'object'; next = frames.next())
    if (next.frame.length >= 8) ids.add(next.frame.readInt32BE(4))
  return ids
}

const token = (arrow: string, frame: Buffer, start: number): string =>
  `${arrow} SASL token · ${frame.length} bytes\n${String(start).padStart(8)} ${String(frame.length).padStart(6)}    ${bytesText(frame)}`

/** The responses of a connection, in the order of its requests; a capture may lack some. */
class Answers {
  private readonly frames: StreamDissector
  private readonly expected: ReadonlySet<number>
  /** Read already, and the answer to a later request. */
  private kept: ReturnType<StreamDissector['next']>

  constructor(bytes: Buffer, expected: ReadonlySet<number>) {
    this.frames = new StreamDissector(bytes)
    this.expected = expected
  }

  *to(correlationId: number, asked: Asked | undefined): Generator<string> {
    this.frames.bareTokens = false
    this.frames.cutShort = (frame, start) => (frame.length < 4 || !asked ? '' : dissectResponse(frame, start, asked))
    for (;;) {
      const next = this.kept ?? this.frames.next()
      this.kept = undefined
      if (typeof next === 'string') return yield next
      const found = next?.frame.readInt32BE(0)
      if (next && found === correlationId)
        return yield asked
          ? dissectResponse(next.frame, next.start, asked)
          : `← response · correlation ${found} · ${next.frame.length} bytes, unreadable without its request`
      if (!next || this.expected.has(found!)) {
        this.kept = next
        return yield `← (no answer to correlation ${correlationId} in this capture)`
      }
      yield `✗ byte ${next.start}: correlation ${found} answers no request; ${correlationId} was expected`
    }
  }

  *token(): Generator<string> {
    this.frames.bareTokens = true
    const next = this.frames.next()
    if (next) yield typeof next === 'string' ? next : token('←', next.frame, next.start)
  }
}

/** Produce with acks 0 is not answered. */
function expectsAnswer({ api, version }: Asked, frame: Buffer): boolean {
  if (api.key !== Produce.key) return true
  try {
    const { bodyOffset } = decodeRequestHeader(frame, () => api.request.flexible)
    return decodeRequest(Produce, version, frame, bodyOffset).acks !== 0
  } catch {
    return true
  }
}

/** Responses can look like requests at first sight, but not read like one to their last byte. */
function looksLikeRequests(bytes: Buffer): boolean {
  const first = new StreamDissector(bytes).next()
  return typeof first === 'object' && !dissectRequest(first.frame, first.start).text.includes('✗')
}
