/** Writes capture files for the tests of `kafkawire decode`. */
export interface CapturedSegment {
  readonly sourcePort: number
  readonly targetPort: number
  readonly sequence: number
  readonly acknowledged?: number
  readonly syn?: boolean
  readonly fin?: boolean
  readonly reset?: boolean
  readonly payload: Uint8Array
}

const FIN = 1
const SYN = 2
const RST = 4
const ACK = 16

export function tcp({ sourcePort, targetPort, sequence, acknowledged, syn, fin, reset, payload }: CapturedSegment): Buffer {
  const header = Buffer.alloc(20)
  header.writeUInt16BE(sourcePort, 0)
  header.writeUInt16BE(targetPort, 2)
  header.writeUInt32BE(sequence >>> 0, 4)
  header.writeUInt32BE((acknowledged ?? 0) >>> 0, 8)
  header[12] = 0x50
  header[13] = (syn ? SYN : 0) | (fin ? FIN : 0) | (reset ? RST : 0) | (acknowledged === undefined ? 0 : ACK)
  return Buffer.concat([header, payload])
}

export function ip4(segment: CapturedSegment, { protocol = 6, fragment = 0 } = {}): Buffer {
  const body = tcp(segment)
  const header = Buffer.alloc(20)
  header[0] = 0x45
  header.writeUInt16BE(20 + body.length, 2)
  header.writeUInt16BE(fragment, 6)
  header[9] = protocol
  header.writeUInt32BE(0x7f000001, 12)
  header.writeUInt32BE(0x7f000001, 16)
  return Buffer.concat([header, body])
}

/** `extensions` are whole headers, whose first byte says what follows; the first of them is a header of number `first`. */
export function ip6(segment: CapturedSegment, first = 6, ...extensions: readonly Buffer[]): Buffer {
  const body = Buffer.concat([...extensions, tcp(segment)])
  const header = Buffer.alloc(40)
  header[0] = 0x60
  header.writeUInt16BE(body.length, 4)
  header[6] = first
  header[23] = 1
  header[39] = 1
  return Buffer.concat([header, body])
}

/** An Ethernet frame; the types in front of the last are tags. */
export function ethernet(payload: Uint8Array, ...types: readonly number[]): Buffer {
  return Buffer.concat([
    Buffer.alloc(12),
    ...types.map((type, i) => Buffer.from(i === 0 ? [type >> 8, type & 255] : [0, 5, type >> 8, type & 255])),
    payload,
  ])
}

export interface CapturedPacket {
  readonly data: Uint8Array
  /** Its bytes on the wire, where not all of them were kept. */
  readonly size?: number
}

type Packets = readonly (Uint8Array | CapturedPacket)[]
const packetOf = (packet: Uint8Array | CapturedPacket): CapturedPacket =>
  packet instanceof Uint8Array ? { data: packet } : packet

/** A pcap file; `magic` as it stands in the file when its byte order is big. */
export function pcapFile(linkType: number, packets: Packets, { magic = 0xa1b2c3d4, bigEndian = false } = {}): Buffer {
  const uint32s = (...values: number[]) => {
    const bytes = Buffer.alloc(4 * values.length)
    for (const [i, value] of values.entries()) bigEndian ? bytes.writeUInt32BE(value, 4 * i) : bytes.writeUInt32LE(value, 4 * i)
    return bytes
  }
  return Buffer.concat([
    uint32s(magic, 0, 0, 0, 0xffff, linkType),
    ...packets.map(packetOf).flatMap(({ data, size }, i) => [uint32s(1_700_000_000, i, data.length, size ?? data.length), data]),
  ])
}

export const pcap = (segments: readonly CapturedSegment[]): Buffer =>
  pcapFile(
    1,
    segments.map(segment => ethernet(ip4(segment), 0x0800)),
  )

export function block(type: number, body: Uint8Array, bigEndian = false): Buffer {
  const padded = Math.ceil(body.length / 4) * 4
  const bytes = Buffer.alloc(12 + padded, 0xff)
  const write = (value: number, at: number) => (bigEndian ? bytes.writeUInt32BE(value, at) : bytes.writeUInt32LE(value, at))
  write(type, 0)
  write(bytes.length, 4)
  bytes.set(body, 8)
  write(bytes.length, 8 + padded)
  return bytes
}

/** What a section of a pcapng file begins with: the devices have these link types. */
export function sectionBlocks(...linkTypes: readonly number[]): Buffer {
  const section = Buffer.alloc(16, 0xff)
  section.writeUInt32LE(0x1a2b3c4d, 0)
  const devices = linkTypes.map(linkType => {
    const device = Buffer.alloc(8)
    device.writeUInt16LE(linkType, 0)
    return block(1, device)
  })
  return Buffer.concat([block(0x0a0d0d0a, section), ...devices])
}

export function packetBlock(packet: Uint8Array | CapturedPacket, device = 0): Buffer {
  const { data, size } = packetOf(packet)
  const header = Buffer.alloc(20)
  header.writeUInt32LE(device, 0)
  header.writeUInt32LE(data.length, 12)
  header.writeUInt32LE(size ?? data.length, 16)
  return block(6, Buffer.concat([header, data]))
}

export function simplePacketBlock(data: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt32LE(data.length)
  return block(3, Buffer.concat([size, data]))
}

/** A Linux "any" frame (SLL2). */
export const anyDevice = (payload: Uint8Array, type: number): Buffer =>
  Buffer.concat([Buffer.from([type >> 8, type & 255]), Buffer.alloc(18), payload])

export const pcapng = (segments: readonly CapturedSegment[]): Buffer =>
  Buffer.concat([sectionBlocks(276), ...segments.map(segment => packetBlock(anyDevice(ip6(segment), 0x86dd)))])
