/** The TCP segment inside a captured packet: Ethernet, Linux "any", loopback, PPPoE or raw IP; IPv4 or IPv6. */
import { addressText } from '../util/address.ts'
import type { Packet } from './capture-file.ts'

export interface Segment {
  /** `address:port` of the sender. */
  readonly from: string
  readonly to: string
  readonly sequence: number
  /** What the sender has received up to; undefined where it does not say. */
  readonly acknowledged: number | undefined
  /** Begins the stream: its sequence number counts as one byte. */
  readonly syn: boolean
  /** Begins the connection as well. */
  readonly opens: boolean
  /** Ends the stream. */
  readonly fin: boolean
  /** What was captured of its bytes. */
  readonly payload: Buffer
  /** How many those were on the wire; none where it is a reset, whose bytes are no data. */
  readonly size: number
}

/** The segment; why there is none to be had, where there may be one; undefined for other traffic. */
export const segmentOf = ({ linkType, data, size }: Packet): Segment | string | undefined => linkLayer(linkType, { data, size })

/** A part of a packet: what was captured of it, and its bytes on the wire. */
interface Part {
  readonly data: Buffer
  readonly size: number
}

const behind = ({ data, size }: Part, start: number): Part => ({ data: data.subarray(start), size: size - start })
const tooShort = ({ size }: Part, needed: number): string =>
  size < needed ? 'with headers that make no sense' : 'kept in part, without the TCP header'

/** Link types of https://www.tcpdump.org/linktypes.html */
function linkLayer(linkType: number, part: Part): Segment | string | undefined {
  switch (linkType) {
    case 0: // BSD loopback
    case 108: // OpenBSD loopback
      return network(behind(part, 4))
    case 1: // Ethernet
      return ethernet(part, 12, 14)
    case 12: // raw IP
    case 14:
    case 101:
    case 228:
    case 229:
      return network(part)
    case 113: // Linux "any"
      return ethernet(part, 14, 16)
    case 276:
      return ethernet(part, 0, 20)
    default:
      return `of link type ${linkType}, which is not supported`
  }
}

const VLAN_TAGS = new Set([0x8100, 0x88a8, 0x9100])
const IP = new Set([0x0800, 0x86dd])
const CARRIERS = new Map([
  [0x8847, 'MPLS'],
  [0x8848, 'MPLS'],
  [0x8864, 'PPPoE'],
])
/** Below it stands the length of a frame of IEEE 802.3, and what it carries behind LLC. */
const LEAST_TYPE = 0x0600
/** SNAP: an EtherType follows, for IP and the like where the three bytes in front of it are zero. */
const SNAP = Buffer.from('aaaa03000000', 'hex')

/** What follows an EtherType, which stands at `typeAt`. */
function ethernet(part: Part, typeAt: number, start: number): Segment | string | undefined {
  for (;;) {
    if (part.data.length < start) return tooShort(part, start)
    const type = part.data.readUInt16BE(typeAt)
    part = behind(part, start)
    if (IP.has(type)) return network(part)
    if (type < LEAST_TYPE && part.data.subarray(0, SNAP.length).equals(SNAP)) return 'inside LLC/SNAP, which is not supported'
    if (CARRIERS.has(type)) return `inside ${CARRIERS.get(type)}, which is not supported`
    if (!VLAN_TAGS.has(type)) return undefined
    typeAt = 2
    start = 4
  }
}

const Protocol = {
  HOP_BY_HOP: 0,
  TCP: 6,
  UDP: 17,
  ROUTING: 43,
  FRAGMENT: 44,
  AUTHENTICATION: 51,
  OPTIONS: 60,
  MOBILITY: 135,
} as const
const TUNNELS = new Map([
  [4, 'IP in IP'],
  [41, 'IP in IP'],
  [47, 'GRE'],
  [50, 'ESP'],
])
/** That of IANA, and the one Linux had before. */
const VXLAN_PORTS = new Set([4789, 8472])
const FRAGMENT = 'in fragments, which are not put together'

function network(part: Part): Segment | string | undefined {
  if (part.data.length < 1) return tooShort(part, 1)
  const version = part.data[0]! >> 4
  return version === 4 ? ip4(part) : version === 6 ? ip6(part) : undefined
}

function ip4(part: Part): Segment | string | undefined {
  const { data } = part
  if (data.length < 20) return tooShort(part, 20)
  const fragmented = (data.readUInt16BE(6) & 0x3fff) !== 0
  // Network cards that split segments themselves leave the length 0.
  const size = data.readUInt16BE(2) || part.size
  const address = (at: number) => [...data.subarray(at, at + 4)].join('.')
  return transport(data[9]!, fragmented, { data, size }, (data[0]! & 15) * 4, address(12), address(16))
}

function ip6(part: Part): Segment | string | undefined {
  const { data } = part
  let start = 40
  if (data.length < start) return tooShort(part, start)
  const payload = data.readUInt16BE(4)
  const whole = { data, size: payload === 0 ? part.size : start + payload }
  const address = (at: number) => Array.from({ length: 8 }, (_, i) => data.readUInt16BE(at + 2 * i).toString(16)).join(':')
  let protocol = data[6]!
  let fragmented = false
  for (;;) {
    const extension = EXTENSIONS.get(protocol)
    if (!extension) return transport(protocol, fragmented, whole, start, address(8), address(24))
    if (data.length < start + 8) return tooShort(part, start + 8)
    if (protocol === Protocol.FRAGMENT) fragmented = (data.readUInt16BE(start + 2) & 0xfff9) !== 0
    protocol = data[start]!
    start += extension(data[start + 1]!)
  }
}

/** IPv6 headers between the first and TCP: how long, by their length field. */
const EXTENSIONS = new Map<number, (length: number) => number>([
  [Protocol.HOP_BY_HOP, length => (length + 1) * 8],
  [Protocol.ROUTING, length => (length + 1) * 8],
  [Protocol.OPTIONS, length => (length + 1) * 8],
  [Protocol.MOBILITY, length => (length + 1) * 8],
  [Protocol.FRAGMENT, () => 8],
  [Protocol.AUTHENTICATION, length => (length + 2) * 4],
])

function transport(
  protocol: number,
  fragmented: boolean,
  { data, size }: Part,
  start: number,
  source: string,
  target: string,
): Segment | string | undefined {
  if (TUNNELS.has(protocol)) return `inside a tunnel (${TUNNELS.get(protocol)}), which is not supported`
  if (protocol === Protocol.UDP && data.length >= start + 4 && VXLAN_PORTS.has(data.readUInt16BE(start + 2)))
    return 'inside a tunnel (VXLAN), which is not supported'
  if (protocol !== Protocol.TCP) return undefined
  if (fragmented) return FRAGMENT
  return tcp({ data: data.subarray(start, size), size: size - start }, source, target)
}

const Flag = { FIN: 1, SYN: 2, RST: 4, ACK: 16 } as const
const TCP_HEADER_BYTES = 20

function tcp(part: Part, source: string, target: string): Segment | string {
  const { data, size } = part
  if (data.length < TCP_HEADER_BYTES) return tooShort(part, TCP_HEADER_BYTES)
  const start = (data[12]! >> 4) * 4
  if (start < TCP_HEADER_BYTES || start > size) return tooShort(part, Number.POSITIVE_INFINITY)
  const flags = data[13]!
  const reset = (flags & Flag.RST) !== 0
  return {
    from: addressText({ host: source, port: data.readUInt16BE(0) }),
    to: addressText({ host: target, port: data.readUInt16BE(2) }),
    sequence: data.readUInt32BE(4),
    acknowledged: (flags & Flag.ACK) !== 0 && !reset ? data.readUInt32BE(8) || undefined : undefined,
    syn: (flags & Flag.SYN) !== 0,
    opens: (flags & (Flag.SYN | Flag.ACK)) === Flag.SYN,
    fin: (flags & Flag.FIN) !== 0,
    payload: data.subarray(start),
    size: reset ? 0 : size - start,
  }
}
