/**
 * Captured traffic as TCP byte streams. The packages that read captures have not been touched for a decade, and what
 * is needed of the formats is small: pcap and pcapng files, over Ethernet, Linux "any", loopback or raw IP.
 */
import { addressText } from '../util/address.ts'

export interface Segment {
  /** `address:port` of the sender. */
  readonly from: string
  readonly to: string
  readonly sequence: number
  /** Opens the stream: its sequence number counts as one byte. */
  readonly syn: boolean
  readonly payload: Buffer
}

/** One direction of a TCP connection, in order. */
export interface Stream {
  readonly from: string
  readonly to: string
  readonly bytes: Buffer
  /** Whether bytes are missing before the end: the capture lost packets, or began in the middle. */
  readonly gaps: number
}

const PCAP_MAGICS = new Map([
  [0xa1b2c3d4, 'BE'],
  [0xa1b23c4d, 'BE'],
  [0xd4c3b2a1, 'LE'],
  [0x4d3cb2a1, 'LE'],
] as const)
const PCAPNG_MAGIC = 0x0a0d0d0a

export function isCapture(bytes: Buffer): boolean {
  return bytes.length >= 24 && (PCAP_MAGICS.has(bytes.readUInt32BE(0) as never) || bytes.readUInt32BE(0) === PCAPNG_MAGIC)
}

/** The TCP segments of a capture, in the order they were captured. Packets that are no TCP are passed over. */
export function* segmentsOf(capture: Buffer): Generator<Segment> {
  const packets = capture.readUInt32BE(0) === PCAPNG_MAGIC ? pcapngPackets(capture) : pcapPackets(capture)
  for (const { linkType, data } of packets) {
    const packet = networkPacket(linkType, data)
    const segment = packet && tcpSegment(packet)
    if (segment) yield segment
  }
}

interface Packet {
  readonly linkType: number
  readonly data: Buffer
}

function* pcapPackets(capture: Buffer): Generator<Packet> {
  const little = PCAP_MAGICS.get(capture.readUInt32BE(0) as never) === 'LE'
  const uint32 = (at: number) => (little ? capture.readUInt32LE(at) : capture.readUInt32BE(at))
  const linkType = uint32(20) & 0xffff
  for (let at = 24; at + 16 <= capture.length; ) {
    const size = uint32(at + 8)
    yield { linkType, data: capture.subarray(at + 16, at + 16 + size) }
    at += 16 + size
  }
}

function* pcapngPackets(capture: Buffer): Generator<Packet> {
  let little = true
  let linkTypes: number[] = []
  const uint16 = (at: number) => (little ? capture.readUInt16LE(at) : capture.readUInt16BE(at))
  const uint32 = (at: number) => (little ? capture.readUInt32LE(at) : capture.readUInt32BE(at))
  for (let at = 0; at + 12 <= capture.length; ) {
    if (capture.readUInt32BE(at) === PCAPNG_MAGIC) {
      little = capture.readUInt32LE(at + 8) === 0x1a2b3c4d
      linkTypes = []
    }
    const type = uint32(at)
    const size = uint32(at + 4)
    if (size < 12 || at + size > capture.length) return
    if (type === 1) linkTypes.push(uint16(at + 8))
    if (type === 6 && size >= 32) {
      const captured = Math.min(uint32(at + 20), size - 32)
      yield { linkType: linkTypes[uint32(at + 8)] ?? -1, data: capture.subarray(at + 28, at + 28 + captured) }
    }
    at += size
  }
}

const VLAN_TAGS = new Set([0x8100, 0x88a8])

/** The IP packet inside a link-layer frame: link types 0 (loopback), 1 (Ethernet), 12, 101, 228 and 229 (raw), 113 and 276 (Linux "any"). */
function networkPacket(linkType: number, data: Buffer): Buffer | undefined {
  switch (linkType) {
    case 0:
      return data.subarray(4)
    case 1: {
      let at = 12
      while (data.length > at + 4 && VLAN_TAGS.has(data.readUInt16BE(at))) at += 4
      return data.subarray(at + 2)
    }
    case 12:
    case 101:
    case 228:
    case 229:
      return data
    case 113:
      return data.subarray(16)
    case 276:
      return data.subarray(20)
    default:
      return undefined
  }
}

const TCP = 6

function tcpSegment(ip: Buffer): Segment | undefined {
  if (ip.length < 20) return undefined
  const version = ip[0]! >> 4
  if (version === 4 && ip[9] === TCP) {
    const header = (ip[0]! & 15) * 4
    return tcp(
      ip.subarray(header, ip.readUInt16BE(2) || ip.length),
      [...ip.subarray(12, 16)].join('.'),
      [...ip.subarray(16, 20)].join('.'),
    )
  }
  if (version === 6 && ip.length >= 40 && ip[6] === TCP)
    return tcp(ip.subarray(40, 40 + (ip.readUInt16BE(4) || ip.length)), ip6(ip.subarray(8, 24)), ip6(ip.subarray(24, 40)))
  return undefined
}

function tcp(data: Buffer, source: string, target: string): Segment | undefined {
  if (data.length < 20) return undefined
  return {
    from: addressText({ host: source, port: data.readUInt16BE(0) }),
    to: addressText({ host: target, port: data.readUInt16BE(2) }),
    sequence: data.readUInt32BE(4),
    syn: (data[13]! & 2) !== 0,
    payload: data.subarray((data[12]! >> 4) * 4),
  }
}

function ip6(address: Buffer): string {
  return [0, 2, 4, 6, 8, 10, 12, 14].map(at => address.readUInt16BE(at).toString(16)).join(':')
}

/** Puts each direction of each connection together: retransmissions dropped, order restored, holes counted. */
export function streamsOf(segments: Iterable<Segment>): Stream[] {
  const byDirection = new Map<string, Segment[]>()
  for (const segment of segments) {
    const direction = `${segment.from}>${segment.to}`
    const known = byDirection.get(direction)
    if (known) known.push(segment)
    else byDirection.set(direction, [segment])
  }
  return [...byDirection.values()].map(assembled).filter(stream => stream.bytes.length > 0)
}

function assembled(segments: readonly Segment[]): Stream {
  const { from, to } = segments[0]!
  const start = segments.find(segment => segment.syn)
  const base = start
    ? start.sequence + 1
    : segments.reduce((least, { sequence }) => (distance(sequence, least) < 0 ? sequence : least), segments[0]!.sequence)
  const pieces: Buffer[] = []
  let next = 0
  let gaps = 0
  for (const { at, payload } of segments
    .filter(segment => segment.payload.length > 0)
    .map(segment => ({ at: distance(segment.sequence, base), payload: segment.payload }))
    .sort((a, b) => a.at - b.at)) {
    if (at + payload.length <= next) continue
    if (at > next) gaps++
    pieces.push(payload.subarray(Math.max(0, next - at)))
    next = at + payload.length
  }
  return { from, to, bytes: Buffer.concat(pieces), gaps }
}

/** From `base` to `sequence`, where sequence numbers wrap at 2^32. */
const distance = (sequence: number, base: number): number => (sequence - base) | 0
