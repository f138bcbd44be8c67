/** `kafkawire decode`: shows captured Kafka traffic, request by request. */
import { parseArgs } from 'node:util'
import { allApis } from '../protocol/registry.ts'
import { inputOf } from './byte-input.ts'
import { type Damage, foreignFormat, isCapture, type Packet, packetsOf } from './capture-file.ts'
import { conversation, hasRequest, RequestRules } from './conversation.ts'
import { type Asked, dissectRequest, dissectResponse, type Finding, type Frame, fault, note } from './dissect.ts'
import { type FrameRules, framesOf, isTls } from './frames.ts'
import { type Segment, segmentOf } from './packet.ts'
import { type Connection, connectionsOf, type Stream } from './tcp-streams.ts'

export const summary = 'shows Kafka traffic (hex, a binary file or a pcap) as trees of fields with byte offsets'

export const usage = `kafkawire decode [FILE | HEX] [options]

Reads a pcap or pcapng file, a file of bytes, of hex digits or of a hex dump (xxd, hexdump -C, od -A x -t x1), hex digits on
the command line, or any of these from standard input, and prints each request and response with the offset, size, name and
value of each field. What cannot be read is named with the byte where it breaks and the reason, in lines that begin with ✗;
the exit code is 1 then. In a capture, reading goes on at the next frame behind it.

  --response API@VERSION   the bytes are responses to that request, such as Metadata@12 (a capture pairs them by itself)
  --bare                   the bytes are one message without the length in front of it
  --port PORT              only connections to this port of a capture, and all of them
`

/** Runs the command; the exit code is 1 when anything could not be read. */
export async function run(args: readonly string[], print: (line: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { response: { type: 'string' }, bare: { type: 'boolean' }, port: { type: 'string' } },
  })
  const asked = askedFor(values.response)
  const port = portOf(values.port)
  const { bytes, broken } = inputOf(positionals)
  let failed = false
  for (const finding of isCapture(bytes) ? ofCapture() : ofBytes()) {
    failed ||= finding.broken
    print(finding.text)
  }
  if (broken !== undefined) print(fault('', bytes.length, broken).text)
  return failed || broken !== undefined ? 1 : 0

  function ofCapture(): Iterable<Finding> {
    if (asked || values.bare) throw new Error('--response and --bare are for bytes: a capture says itself what answers what')
    return conversations(bytes, port)
  }

  function ofBytes(): Iterable<Finding> {
    const format = foreignFormat(bytes)
    if (format !== undefined) throw new Error(`this is ${format}`)
    if (bytes.length === 0 && broken === undefined)
      throw new Error('there are no bytes to decode: give a file, hex digits, or pipe them in')
    if (port !== undefined) throw new Error('--port is for captures: these are bytes without connections')
    return values.bare ? [dissect({ where: '', start: 0, size: bytes.length, bytes }, asked)] : frames(bytes, asked)
  }
}

function askedFor(response: string | undefined): Asked | undefined {
  if (response === undefined) return undefined
  const [name, version] = response.split('@')
  const api = allApis.find(candidate => candidate.name.toLowerCase() === name!.toLowerCase() || String(candidate.key) === name)
  if (!api || version === undefined || !/^\d+$/.test(version))
    throw new Error(`--response takes an API and a version, such as Metadata@12, not ${response}`)
  const [min, max] = api.response.versions
  if (Number(version) < min || Number(version) > max) throw new Error(`${api.name} has versions ${min} to ${max}, not ${version}`)
  return { api, version: Number(version) }
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new Error(`--port takes a number from 1 to 65535, not ${text}`)
  return port
}

const dissect = (frame: Frame, asked: Asked | undefined): Finding =>
  asked ? dissectResponse(frame, asked) : dissectRequest(frame)

/** Answers to one request know nothing to find the next one by. */
const ANSWERS: FrameRules = { leastBytes: 4, begins: () => true, reads: () => false }

function* frames(bytes: Buffer, asked: Asked | undefined): Generator<Finding> {
  const stream: Stream = {
    from: '',
    to: '',
    opened: true,
    runs: [{ start: 0, bytes }],
    end: bytes.length,
    probed: false,
    shortened: () => false,
  }
  for (const item of framesOf(stream, '', asked ? ANSWERS : new RequestRules()))
    yield 'text' in item ? item : dissect(item, asked)
}

function* conversations(file: Buffer, port: number | undefined): Generator<Finding> {
  const faults = new PacketFaults()
  const connections = connectionsOf(segmentsOf(file, faults)).filter(streams => streams.some(({ end }) => end > 0))
  yield* faults.findings()
  const requests = port === undefined ? kafkaStreams(connections) : connections.map(connection => towards(connection, port))
  for (const [i, [one, other]] of connections.entries()) {
    if (requests[i]) yield* conversation(requests[i], requests[i] === one ? other : one)
  }
  const others = connections.filter((_, i) => !requests[i])
  if (others.length === connections.length) yield { text: `✗ ${nothingFound(others, port)}`, broken: true }
  else if (others.length > 0 && port === undefined) yield note(`━━ passed over, without a Kafka request: ${namesOf(others)}`)
}

function* segmentsOf(file: Buffer, faults: PacketFaults): Generator<Segment> {
  for (const packet of packetsOf(file)) {
    if ('reason' in packet) {
      faults.damaged(packet)
      continue
    }
    const segment = segmentOf(packet)
    if (typeof segment === 'string') faults.passedOver(packet, segment)
    else if (segment) yield segment
  }
}

/** What keeps packets from being read; many of a kind are one line. */
class PacketFaults {
  private readonly damages: Damage[] = []
  private readonly kinds = new Map<string, { readonly offset: number; packets: number }>()

  damaged(damage: Damage): void {
    this.damages.push(damage)
  }

  passedOver({ offset }: Packet, kind: string): void {
    const known = this.kinds.get(kind)
    if (known) known.packets++
    else this.kinds.set(kind, { offset, packets: 1 })
  }

  *findings(): Generator<Finding> {
    for (const { offset, reason } of this.damages) yield fault(FILE, offset, reason)
    for (const [kind, { offset, packets }] of this.kinds)
      yield fault(FILE, offset, `${packets === 1 ? 'a packet' : `the first of ${packets} packets`} ${kind}: passed over`)
  }
}

const FILE = 'capture file, '

/** Of each connection the stream of requests, if it is one of Kafka: with a request, or to a server that others send such to. */
function kafkaStreams(connections: readonly Connection[]): (Stream | undefined)[] {
  const certain = connections.map(streams => streams.find(hasRequest))
  const servers = new Set(certain.map(stream => stream?.to))
  return connections.map((streams, i) => certain[i] ?? streams.find(({ to }) => servers.has(to)))
}

function towards(streams: Connection, port: number): Stream | undefined {
  const matches = streams.filter(({ to }) => to.endsWith(`:${port}`))
  return matches.find(hasRequest) ?? matches[0]
}

function nothingFound(connections: readonly Connection[], port: number | undefined): string {
  if (port !== undefined) return `no connection to port ${port} was found in this capture`
  if (connections.length === 0) return 'no Kafka request was found in this capture, nor any other bytes over TCP'
  const encrypted = connections.filter(streams => streams.some(({ runs }) => runs[0] && isTls(runs[0].bytes)))
  const tls = encrypted.length > 0 ? `; TLS, which has to be decrypted first: ${namesOf(encrypted)}` : ''
  const oneWay = connections.filter(([one, other]) => one.end === 0 || other.end === 0)
  const lacking =
    oneWay.length > 0
      ? `; of ${namesOf(oneWay)} one direction alone was captured: where it is that of the answers, the requests are needed to read them`
      : ''
  return `no Kafka request was found in this capture, but ${namesOf(connections)} (--port PORT reads what is sent to that port all the same)${lacking}${tls}`
}

const NAMED_CONNECTIONS = 5

function namesOf(connections: readonly Connection[]): string {
  const names = connections.slice(0, NAMED_CONNECTIONS).map(([{ from, to }]) => `${from} → ${to}`)
  return `${names.join(', ')}${connections.length > names.length ? ` and ${connections.length - names.length} more` : ''}`
}
