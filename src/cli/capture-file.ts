/**
 * Packets out of pcap and pcapng files. The packages that read them know one of the two formats, were last touched years
 * ago, and end without a word where a file is damaged; what is needed of the formats is small.
 */

export interface Packet {
  /** In the file. */
  readonly offset: number
  readonly linkType: number
  /** What was captured of it. */
  readonly data: Buffer
  /** Its bytes on the wire: those of `data`, and more where the capture kept a part only. */
  readonly size: number
}

/** What is wrong with a file, and where. */
export interface Damage {
  readonly offset: number
  readonly reason: string
}

const PCAP_MAGICS = new Map([
  [0xa1b2c3d4, 'BE'],
  [0xa1b23c4d, 'BE'],
  [0xd4c3b2a1, 'LE'],
  [0x4d3cb2a1, 'LE'],
])
const PCAPNG_MAGIC = 0x0a0d0d0a
/** Other things that are no Kafka traffic, by what they begin with; all but the last are captures in disguise. */
const FOREIGN_MAGICS = new Map([
  ['1f8b08', 'gzip: decompress it first'],
  ['28b52ffd', 'zstd: decompress it first'],
  ['736e6f6f7000', 'a snoop capture: convert it with editcap'],
  ['a1b2cd34', "a capture of Kuznetzov's pcap variant: convert it with editcap"],
  ['34cdb2a1', "a capture of Kuznetzov's pcap variant: convert it with editcap"],
])

export const isCapture = (bytes: Buffer): boolean =>
  bytes.length >= 4 && (PCAP_MAGICS.has(bytes.readUInt32BE(0)) || bytes.readUInt32BE(0) === PCAPNG_MAGIC)

/** What a file is that cannot be read, if that is known. */
export const foreignFormat = (bytes: Buffer): string | undefined => {
  const start = bytes.toString('hex', 0, 8)
  return [...FOREIGN_MAGICS].find(([magic]) => start.startsWith(magic))?.[1]
}

/** Packets in the order of the file, and where it is damaged or ends too soon. */
export const packetsOf = (file: Buffer): Generator<Packet | Damage> =>
  file.readUInt32BE(0) === PCAPNG_MAGIC ? pcapngPackets(file) : pcapPackets(file)

const PCAP_HEADER_BYTES = 24
const RECORD_HEADER_BYTES = 16
/** What capturing tools take at most, whatever a file says of itself (MAXIMUM_SNAPLEN of libpcap). */
const LARGEST_PACKET_BYTES = 262_144

function* pcapPackets(file: Buffer): Generator<Packet | Damage> {
  if (file.length < PCAP_HEADER_BYTES) return yield { offset: file.length, reason: 'the file ends inside its header' }
  const { uint32 } = PCAP_MAGICS.get(file.readUInt32BE(0)) === 'LE' ? littleEndian(file) : bigEndian(file)
  const largest = Math.max(uint32(16), LARGEST_PACKET_BYTES)
  const linkType = uint32(20) & 0xffff // above it: how long the checksum behind each frame is
  /** Of the last packet that makes sense. */
  let seconds: number | undefined
  for (let at = PCAP_HEADER_BYTES; at < file.length; ) {
    const left = file.length - at - RECORD_HEADER_BYTES
    if (left < 0) return yield { offset: at, reason: 'the file ends inside the header of a packet' }
    const captured = uint32(at + 8)
    const offset = at
    const start = at + RECORD_HEADER_BYTES
    at = start + captured
    if (captured > left || captured > largest) {
      const next = nextRecord(file, uint32, start, largest, seconds ?? uint32(offset))
      yield { offset, reason: `the packet claims ${captured} bytes, ${left} follow: ${whatNow('packet', next)}` }
      at = next ?? file.length
    } else if (captured > 0 && captured <= uint32(offset + 12)) seconds = uint32(offset)
    const size = uint32(offset + 12)
    yield { offset, linkType, data: file.subarray(start, at), size: Math.max(at - start, size <= largest ? size : 0) }
  }
}

const SECONDS_BETWEEN_PACKETS = 86_400
const RECORDS_IN_A_ROW = 3

/** Where the next record begins that makes sense, as those behind it do; damaged lengths say no more where that is. */
function nextRecord(
  file: Buffer,
  uint32: Integers['uint32'],
  from: number,
  largest: number,
  seconds: number,
): number | undefined {
  const end = (at: number): number | undefined => {
    if (at + RECORD_HEADER_BYTES > file.length || Math.abs(uint32(at) - seconds) > SECONDS_BETWEEN_PACKETS) return undefined
    const captured = uint32(at + 8)
    const fits = captured > 0 && captured <= Math.min(uint32(at + 12), largest, file.length - at - RECORD_HEADER_BYTES)
    return fits ? at + RECORD_HEADER_BYTES + captured : undefined
  }
  for (let at = from; at + RECORD_HEADER_BYTES < file.length; at++) {
    let next: number | undefined = at
    for (let records = 0; records < RECORDS_IN_A_ROW && next !== undefined && next !== file.length; records++) next = end(next)
    if (next !== undefined) return at
  }
  return undefined
}

const Block = { INTERFACE: 1, OBSOLETE_PACKET: 2, SIMPLE_PACKET: 3, NAMES: 4, STATISTICS: 5, PACKET: 6, SECRETS: 10 } as const
const BLOCKS = new Set<number>([...Object.values(Block), PCAPNG_MAGIC])
const BYTE_ORDER = 0x1a2b3c4d
/** Type and length in front, length again behind. */
const LEAST_BLOCK_BYTES = 12
const INTERFACE_BYTES = 16

function* pcapngPackets(file: Buffer): Generator<Packet | Damage> {
  let integers = bigEndian(file)
  let interfaces: Interface[] = []
  for (let at = 0; at < file.length; ) {
    const offset = at
    if (file.length - at < LEAST_BLOCK_BYTES) return yield { offset, reason: 'the file ends inside the header of a block' }
    if (file.readUInt32BE(at) === PCAPNG_MAGIC) {
      integers = file.readUInt32LE(at + 8) === BYTE_ORDER ? littleEndian(file) : bigEndian(file)
      if (integers.uint32(at + 8) !== BYTE_ORDER) return yield { offset: at + 8, reason: 'a section of unknown byte order' }
      interfaces = []
    }
    const { uint16, uint32 } = integers
    const size = uint32(at + 4)
    at += size
    let end = at - 4
    const isWhole = size >= LEAST_BLOCK_BYTES && at <= file.length && uint32(end) === size
    if (!isWhole) {
      const next = nextBlock(file, uint32, offset + 4)
      const why = at > file.length ? `${file.length - offset} follow` : 'its end says otherwise'
      yield { offset, reason: `the block claims ${size} bytes, ${why}: ${whatNow('block', next)}` }
      at = next ?? file.length
      end = at
    }
    const type = uint32(offset)
    if (type === Block.INTERFACE && end - offset >= INTERFACE_BYTES)
      interfaces.push({ linkType: uint16(offset + 8), largest: uint32(offset + 12) })
    if (PACKET_BLOCKS.has(type)) yield* packetBlock(file, integers, interfaces, { offset, end, isWhole })
  }
}

const PACKET_BLOCKS = new Set<number>([Block.PACKET, Block.OBSOLETE_PACKET, Block.SIMPLE_PACKET])

interface Interface {
  readonly linkType: number
  /** Bytes kept of a packet at most; 0 without a limit. */
  readonly largest: number
}

function* packetBlock(
  file: Buffer,
  { uint16, uint32 }: Integers,
  interfaces: readonly Interface[],
  { offset, end, isWhole }: { readonly offset: number; readonly end: number; readonly isWhole: boolean },
): Generator<Packet | Damage> {
  const type = uint32(offset)
  const start = offset + (type === Block.SIMPLE_PACKET ? 12 : 28)
  if (start > end) return yield { offset, reason: 'a packet without its header' }
  const number = type === Block.SIMPLE_PACKET ? 0 : type === Block.PACKET ? uint32(offset + 8) : uint16(offset + 8)
  const device = interfaces[number]
  if (!device) return yield { offset, reason: `a packet of interface ${number}, which the file does not describe` }
  const size = uint32(start - 4)
  const captured = type === Block.SIMPLE_PACKET ? Math.min(size, device.largest || size) : uint32(start - 8)
  if (isWhole && captured > end - start)
    yield { offset, reason: `the packet claims ${captured} bytes, its block has ${end - start}` }
  yield {
    offset,
    linkType: device.linkType,
    data: file.subarray(start, Math.min(end, start + captured)),
    size: Math.max(size, captured),
  }
}

function nextBlock(file: Buffer, uint32: Integers['uint32'], from: number): number | undefined {
  for (let at = from; at + LEAST_BLOCK_BYTES <= file.length; at++) {
    const size = uint32(at + 4)
    const fits = size >= LEAST_BLOCK_BYTES && at + size <= file.length && uint32(at + size - 4) === size
    if (fits && BLOCKS.has(uint32(at))) return at
  }
  return undefined
}

const whatNow = (what: string, next: number | undefined): string =>
  next === undefined ? 'the file is cut off or damaged' : `the file is damaged; the next ${what} is at byte ${next}`

interface Integers {
  uint16(at: number): number
  uint32(at: number): number
}

const bigEndian = (file: Buffer): Integers => ({ uint16: at => file.readUInt16BE(at), uint32: at => file.readUInt32BE(at) })
const littleEndian = (file: Buffer): Integers => ({ uint16: at => file.readUInt16LE(at), uint32: at => file.readUInt32LE(at) })
