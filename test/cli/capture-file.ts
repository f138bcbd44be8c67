/** Writes capture files for the tests of `kafkawire decode`. */
export interface CapturedSegment {
  readonly sourcePort: number
  readonly targetPort: number
  readonly sequence: number
  readonly syn?: boolean
  readonly payload: Uint8Array
}

/** A pcap file of Ethernet frames with IPv4 in them. */
export function pcap(segments: readonly CapturedSegment[]): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt32LE(1, 20)
  return Buffer.concat([
    header,
    ...segments.map(segment => {
      const packet = Buffer.concat([Buffer.alloc(12), Buffer.from([8, 0]), ip4(segment)])
      const record = Buffer.alloc(16)
      record.writeUInt32LE(packet.length, 8)
      record.writeUInt32LE(packet.length, 12)
      return Buffer.concat([record, packet])
    }),
  ])
}

/** A pcapng file of Linux "any" (SLL2) frames with IPv6 in them. */
export function pcapng(segments: readonly CapturedSegment[]): Buffer {
  const section = Buffer.alloc(28)
  section.writeUInt32LE(0x0a0d0d0a, 0)
  section.writeUInt32LE(28, 4)
  section.writeUInt32LE(0x1a2b3c4d, 8)
  section.writeUInt32LE(28, 24)
  const device = Buffer.alloc(20)
  device.writeUInt32LE(1, 0)
  device.writeUInt32LE(20, 4)
  device.writeUInt16LE(276, 8)
  device.writeUInt32LE(20, 16)
  return Buffer.concat([
    section,
    device,
    ...segments.map(segment => {
      const packet = Buffer.concat([Buffer.alloc(20), ip6(segment)])
      const padded = Math.ceil(packet.length / 4) * 4
      const block = Buffer.alloc(32 + padded)
      block.writeUInt32LE(6, 0)
      block.writeUInt32LE(block.length, 4)
      block.writeUInt32LE(packet.length, 20)
      block.writeUInt32LE(packet.length, 24)
      packet.copy(block, 28)
      block.writeUInt32LE(block.length, block.length - 4)
      return block
    }),
  ])
}

function ip4(segment: CapturedSegment): Buffer {
  const body = tcp(segment)
  const header = Buffer.alloc(20)
  header[0] = 0x45
  header.writeUInt16BE(20 + body.length, 2)
  header[9] = 6
  header.writeUInt32BE(0x7f000001, 12)
  header.writeUInt32BE(0x7f000001, 16)
  return Buffer.concat([header, body])
}

function ip6(segment: CapturedSegment): Buffer {
  const body = tcp(segment)
  const header = Buffer.alloc(40)
  header[0] = 0x60
  header.writeUInt16BE(body.length, 4)
  header[6] = 6
  header[23] = 1
  header[39] = 1
  return Buffer.concat([header, body])
}

function tcp({ sourcePort, targetPort, sequence, syn = false, payload }: CapturedSegment): Buffer {
  const header = Buffer.alloc(20)
  header.writeUInt16BE(sourcePort, 0)
  header.writeUInt16BE(targetPort, 2)
  header.writeUInt32BE(sequence, 4)
  header[12] = 0x50
  header[13] = syn ? 2 : 0x10
  return Buffer.concat([header, payload])
}
