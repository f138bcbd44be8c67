/** `kafkawire decode`: shows captured Kafka traffic, request by request. */
import { existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Produce } from '../protocol/apis/00-produce.ts'
import { decodeRequest, decodeRequestHeader } from '../protocol/frame.ts'
import { allApis } from '../protocol/registry.ts'
import { isCapture, type Stream, segmentsOf, streamsOf } from './capture.ts'
import { type Asked, dissectRequest, dissectResponse, StreamDissector } from './dissect.ts'

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

const isHex = (text: string): boolean => /^[\s0-9a-fA-F]+$/.test(text) && text.replace(/\s+/g, '').length % 2 === 0
/** Hex digits as the bytes they stand for; anything else is bytes already. */
function fromText(bytes: Buffer): Buffer {
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
    const responses = new StreamDissector(answers?.bytes ?? Buffer.alloc(0))
    const frames = new StreamDissector(bytes)
    for (let next = frames.next(); next !== undefined; next = frames.next()) {
      if (typeof next === 'string') {
        yield next
        break
      }
      const request = dissectRequest(next.frame, next.start)
      yield request.text
      if (request.asked && expectsAnswer(request.asked, next.frame))
        yield* answer(responses, request.asked, request.correlationId!)
    }
  }
}

function* answer(responses: StreamDissector, request: Asked, correlationId: number): Generator<string> {
  responses.cutShort = (frame, start) => (frame.length < 4 ? '' : dissectResponse(frame, start, request))
  const next = responses.next()
  if (next === undefined) yield `← (no answer to correlation ${correlationId} in this capture)`
  else if (typeof next === 'string') yield next
  else if (next.frame.readInt32BE(0) !== correlationId)
    yield `✗ byte ${next.start}: correlation ${next.frame.readInt32BE(0)} answers no request; ${correlationId} was expected`
  else yield dissectResponse(next.frame, next.start, request)
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
