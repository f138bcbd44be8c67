import { describe, expect, test } from 'vitest'
import { Metadata } from '../../src/protocol/apis/index.ts'
import { encodeRequest, encodeResponse } from '../../src/protocol/frame.ts'
import {
  anyDevice,
  block,
  type CapturedSegment,
  ethernet,
  ip4,
  ip6,
  packetBlock,
  pcapFile,
  sectionBlocks,
  simplePacketBlock,
} from './capture-file.ts'
import { type Decoded, decodeFile } from './decoded.ts'

const metadata = (correlationId: number, name = 'orders') =>
  Buffer.concat(encodeRequest(Metadata, 12, { correlationId, clientId: 'shop' }, { topics: [{ name }] }))
const answer = (correlationId: number, clusterId = 'north') =>
  Buffer.concat(encodeResponse(Metadata, 12, correlationId, { brokers: [], clusterId, topics: [] }))

const client = (sequence: number, payload: Uint8Array): CapturedSegment => ({
  sourcePort: 50000,
  targetPort: 9092,
  sequence,
  payload,
})
const broker = (sequence: number, payload: Uint8Array): CapturedSegment => ({
  sourcePort: 9092,
  targetPort: 50000,
  sequence,
  payload,
})
const exchange = [client(1, metadata(1)), broker(1, answer(1))]
const ETHERNET = 1
const RAW = 101

function expectExchange({ code, text }: Decoded): void {
  expect(text).toMatch(
    /→ Metadata v12 request · correlation 1 [\s\S]*name "orders"[\s\S]*← Metadata v12 response[\s\S]*clusterId "north"/,
  )
  expect(text).not.toContain('✗')
  expect(code).toBe(0)
}

describe('link layers', () => {
  const nothing = (bytes: number) => (ip: Buffer) => Buffer.concat([Buffer.alloc(bytes), ip])
  test.each<[name: string, linkType: number, wrap: (ip: Buffer) => Buffer]>([
    ['BSD loopback', 0, nothing(4)],
    ['OpenBSD loopback', 108, nothing(4)],
    ['Ethernet', ETHERNET, ip => ethernet(ip, 0x0800)],
    ['raw IP, 12', 12, nothing(0)],
    ['raw IP, 14', 14, nothing(0)],
    ['raw IP, 101', RAW, nothing(0)],
    ['raw IPv4', 228, nothing(0)],
    ['Linux "any"', 113, ip => Buffer.concat([Buffer.alloc(14), Buffer.from([8, 0]), ip])],
    ['Linux "any", version 2', 276, ip => anyDevice(ip, 0x0800)],
    ['Ethernet with checksums behind the frames', 0x2400_0001, ip => Buffer.concat([ethernet(ip, 0x0800), Buffer.from('FCS!')])],
    ['a VLAN', ETHERNET, ip => ethernet(ip, 0x8100, 0x0800)],
    ['a VLAN in a VLAN (802.1ad)', ETHERNET, ip => ethernet(ip, 0x88a8, 0x8100, 0x0800)],
    ['a VLAN in a VLAN (0x9100)', ETHERNET, ip => ethernet(ip, 0x9100, 0x8100, 0x0800)],
  ])('%s', async (_, linkType, wrap) => {
    expectExchange(
      await decodeFile(
        pcapFile(
          linkType,
          exchange.map(segment => wrap(ip4(segment))),
        ),
      ),
    )
  })

  test('raw IPv6', async () => {
    expectExchange(
      await decodeFile(
        pcapFile(
          229,
          exchange.map(segment => ip6(segment)),
        ),
      ),
    )
  })

  test('one that is not known is named, with its place', async () => {
    const { code, text } = await decodeFile(
      pcapFile(
        147,
        exchange.map(segment => ip4(segment)),
      ),
    )
    expect(text).toContain('✗ capture file, byte 24: the first of 2 packets of link type 147, which is not supported')
    expect(code).toBe(1)
  })

  test('what carries other than IP is named where it may carry Kafka, and passed over where it does not', async () => {
    const arp = ethernet(Buffer.alloc(28), 0x0806)
    const udp = ethernet(ip4(client(1, metadata(1)), { protocol: 17 }), 0x0800)
    const frames = exchange.map(segment => ethernet(ip4(segment), 0x0800))
    expectExchange(await decodeFile(pcapFile(ETHERNET, [arp, udp, ...frames])))
    for (const [packet, what] of [
      [ethernet(Buffer.alloc(60), 0x8847), 'inside MPLS'],
      [ethernet(Buffer.alloc(60), 0x8864), 'inside PPPoE'],
      [ethernet(ip4(client(1, metadata(1)), { protocol: 47 }), 0x0800), 'inside a tunnel (GRE)'],
      [
        ethernet(ip4({ ...client(1, metadata(1)), targetPort: 4789 }, { protocol: 17 }), 0x0800),
        'inside a tunnel (VXLAN), which is not supported',
      ],
      [ethernet(Buffer.concat([Buffer.from('aaaa030000000800', 'hex'), ip4(client(1, metadata(1)))]), 100), 'inside LLC/SNAP'],
      [ethernet(ip4(client(1, metadata(1)), { fragment: 0x2000 }), 0x0800), 'in fragments'],
    ] as const) {
      const { code, text } = await decodeFile(pcapFile(ETHERNET, [...frames, packet]))
      expect(text, what).toMatch(new RegExp(`✗ capture file, byte \\d+: a packet ${what.replace(/[()]/g, '\\$&')}`))
      expect(text, what).toContain('clusterId "north"')
      expect(code, what).toBe(1)
    }
  })
})

describe('IP', () => {
  test('padding behind a packet is none of its bytes', async () => {
    for (const [ip, type] of [
      [ip4, 0x0800],
      [ip6, 0x86dd],
    ] as const) {
      const padded = exchange.map(segment => Buffer.concat([ethernet(ip(segment), type), Buffer.alloc(9, 0x5a)]))
      expectExchange(await decodeFile(pcapFile(ETHERNET, padded)))
    }
  })

  test('a length of 0 leaves it to the capture: segments that the network card splits', async () => {
    for (const [ip, lengthAt] of [
      [ip4, 2],
      [ip6, 4],
    ] as const) {
      const offloaded = exchange.map(segment => {
        const packet = ip(segment)
        packet.writeUInt16BE(0, lengthAt)
        return packet
      })
      expectExchange(await decodeFile(pcapFile(RAW, offloaded)))
    }
  })

  test('of such a segment the capture may have a part only', async () => {
    const offloaded = ip4(client(1, metadata(1)))
    offloaded.writeUInt16BE(0, 2)
    const packets = [
      { data: offloaded.subarray(0, 70), size: offloaded.length },
      ip4(client(1 + metadata(1).length, metadata(2))),
    ]
    for (const file of [
      pcapFile(RAW, packets),
      Buffer.concat([sectionBlocks(RAW), ...packets.map(packet => packetBlock(packet))]),
    ]) {
      const { code, text } = await decodeFile(file)
      expect(text).toContain(`, byte 30: ${metadata(1).length - 30} bytes are missing in the capture`)
      expect(text).toContain('packets are in it in part only')
      expect(text).toContain('→ Metadata v12 request · correlation 2 ')
      expect(code).toBe(1)
    }
  })

  test('the extension headers of IPv6 stand in front of TCP', async () => {
    const options = Buffer.from([60, 0, 1, 4, 0, 0, 0, 0])
    const mobility = Buffer.from([51, 0, 1, 0, 0, 0, 0, 0])
    const longer = Buffer.from([135, 1, 1, 12, ...Buffer.alloc(12)])
    const authentication = Buffer.from([44, 4, ...Buffer.alloc(22)])
    const whole = Buffer.from([6, 0, 0, 0, 0, 0, 0, 9])
    const packets = exchange.map(segment => ip6(segment, 0, options, longer, mobility, authentication, whole))
    expectExchange(await decodeFile(pcapFile(RAW, packets)))
    const fragment = Buffer.from([6, 0, 0, 1, 0, 0, 0, 9])
    const { code, text } = await decodeFile(
      pcapFile(
        RAW,
        exchange.map(segment => ip6(segment, 44, fragment)),
      ),
    )
    expect(text).toContain('2 packets in fragments')
    expect(code).toBe(1)
  })
})

describe('pcap', () => {
  const packets = exchange.map(segment => ip4(segment))

  test.each([
    ['little-endian', 0xa1b2c3d4, false],
    ['little-endian, nanoseconds', 0xa1b23c4d, false],
    ['big-endian', 0xa1b2c3d4, true],
    ['big-endian, nanoseconds', 0xa1b23c4d, true],
  ])('%s', async (_, magic, bigEndian) => {
    expectExchange(await decodeFile(pcapFile(RAW, packets, { magic, bigEndian })))
  })

  test('cut off at any byte, all in front of it is shown, and the place is named unless a packet ends there', async () => {
    const whole = pcapFile(RAW, packets)
    const ends = [24, 24 + 16 + packets[0]!.length]
    for (let size = 4; size < whole.length; size++) {
      const { code, text } = await decodeFile(whole.subarray(0, size))
      expect(code, `${size} bytes`).toBe(size === ends[1] ? 0 : 1)
      if (!ends.includes(size)) expect(text, `${size} bytes`).toMatch(/✗ capture file, byte \d+: .*(ends|follow)/)
      if (size >= ends[1]!) expect(text, `${size} bytes`).toContain('name "orders"')
    }
  })

  test('a length that is damaged costs no other packet', async () => {
    const many = [1, 2, 3, 4].map(id => ip4(client(1 + (id - 1) * metadata(id).length, metadata(id))))
    for (const length of [0x7fff_ffff, 0x0001_0000]) {
      const file = pcapFile(RAW, many)
      const second = 24 + 16 + many[0]!.length
      file.writeUInt32LE(length, second + 8)
      const { code, text } = await decodeFile(file)
      const third = second + 16 + many[1]!.length
      expect(text).toContain(`✗ capture file, byte ${second}: the packet claims ${length} bytes`)
      expect(text).toContain(`the next packet is at byte ${third}`)
      expect(text.match(/→ Metadata v12 request/g)).toHaveLength(4)
      expect(code).toBe(1)
    }
  })
})

test('a packet of a pcap file that claims no bytes costs no later one', async () => {
  const many = [1, 2, 3, 4].map(id => ethernet(ip4(client(1 + (id - 1) * metadata(id).length, metadata(id))), 0x0800))
  const file = pcapFile(ETHERNET, many)
  file.writeUInt32LE(0, 24 + 16 + many[0]!.length + 8)
  const { code, text } = await decodeFile(file)
  for (const id of [1, 3, 4]) expect(text).toContain(`→ Metadata v12 request · correlation ${id} `)
  expect(text).toContain('✗ capture file, byte ')
  expect(code).toBe(1)
})

describe('pcapng', () => {
  const packets = exchange.map(segment => ip4(segment))

  test('packets in blocks of each kind', async () => {
    expectExchange(await decodeFile(Buffer.concat([sectionBlocks(RAW), ...packets.map(packet => packetBlock(packet))])))
    expectExchange(await decodeFile(Buffer.concat([sectionBlocks(RAW), ...packets.map(simplePacketBlock)])))
    const obsolete = packets.map(packet => {
      const header = Buffer.alloc(20)
      header.writeUInt16LE(0, 0)
      header.writeUInt16LE(77, 2) // packets dropped
      header.writeUInt32LE(packet.length, 12)
      header.writeUInt32LE(packet.length, 16)
      return block(2, Buffer.concat([header, packet]))
    })
    expectExchange(await decodeFile(Buffer.concat([sectionBlocks(RAW), ...obsolete])))
  })

  test('simple blocks have no length of what was kept: it is the limit of the device', async () => {
    const request = ip4(client(1, metadata(1)))
    const section = sectionBlocks(RAW)
    section.writeUInt32LE(70, section.length - 8)
    const cut = simplePacketBlock(request.subarray(0, 70))
    cut.writeUInt32LE(request.length, 8)
    const { text } = await decodeFile(Buffer.concat([section, cut]), '--port', '9092')
    expect(text).toContain(`, byte 30: ${metadata(1).length - 30} bytes are missing in the capture`)
    expect(text).not.toContain('capture file')
  })

  test('big-endian', async () => {
    const section = Buffer.alloc(16, 0xff)
    section.writeUInt32BE(0x1a2b3c4d)
    const device = Buffer.from([0, RAW, 0, 0, 0, 0, 0, 0])
    const blocks = packets.map(packet => {
      const header = Buffer.alloc(20)
      header.writeUInt32BE(packet.length, 12)
      header.writeUInt32BE(packet.length, 16)
      return block(6, Buffer.concat([header, packet]), true)
    })
    expectExchange(await decodeFile(Buffer.concat([block(0x0a0d0d0a, section, true), block(1, device, true), ...blocks])))
  })

  test('devices are numbered anew in each section', async () => {
    const [one, other] = packets as [Buffer, Buffer]
    expectExchange(
      await decodeFile(
        Buffer.concat([
          sectionBlocks(147, RAW),
          packetBlock(one, 1),
          sectionBlocks(ETHERNET),
          packetBlock(ethernet(other, 0x0800), 0),
        ]),
      ),
    )
  })

  test('a packet of a device that is not described is named', async () => {
    const file = Buffer.concat([sectionBlocks(RAW), ...packets.map(packet => packetBlock(packet)), packetBlock(packets[0]!, 3)])
    const { code, text } = await decodeFile(file)
    expect(text).toMatch(/✗ capture file, byte \d+: a packet of interface 3, which the file does not describe/)
    expect(text).toContain('clusterId "north"')
    expect(code).toBe(1)
  })

  test('the bytes that fill a block up are none of the packet', async () => {
    // Kept in part: 5 bytes of the request, and what follows them in the block is not the rest of it.
    const cut = ip4(client(1, metadata(1))).subarray(0, 40 + 5)
    const file = Buffer.concat([
      sectionBlocks(RAW),
      packetBlock({ data: cut, size: 40 + metadata(1).length }),
      packetBlock(ip4(client(1 + metadata(1).length, metadata(2)))),
    ])
    const { text } = await decodeFile(file, '--port', '9092')
    expect(text).toContain(`, byte 5: ${metadata(1).length - 5} bytes are missing in the capture`)
    expect(text).toContain('packets are in it in part only')
    expect(text).toContain('→ Metadata v12 request · correlation 2')
  })

  test('cut off at any byte, all in front of it is shown, and the place is named unless a block ends there', async () => {
    const blocks = [sectionBlocks(RAW), ...packets.map(packet => packetBlock(packet))]
    const whole = Buffer.concat(blocks)
    const ends = [28, blocks[0]!.length, blocks[0]!.length + blocks[1]!.length]
    for (let size = 12; size < whole.length; size++) {
      const { code, text } = await decodeFile(whole.subarray(0, size))
      expect(code, `${size} bytes`).toBe(size === ends[2] ? 0 : 1)
      if (!ends.includes(size)) expect(text, `${size} bytes`).toMatch(/✗ capture file, byte \d+: .*(ends|follow)/)
      if (size >= ends[2]!) expect(text, `${size} bytes`).toContain('name "orders"')
    }
  })

  test('a length that is damaged costs no other packet', async () => {
    const many = [1, 2, 3].map(id => packetBlock(ip4(client(1 + (id - 1) * metadata(id).length, metadata(id)))))
    for (const length of [0x7fff_fffc, 16, 8]) {
      const file = Buffer.concat([sectionBlocks(RAW), ...many])
      const second = sectionBlocks(RAW).length + many[0]!.length
      file.writeUInt32LE(length, second + 4)
      const { code, text } = await decodeFile(file)
      expect(text).toContain(`✗ capture file, byte ${second}: the block claims ${length} bytes`)
      expect(text).toContain(`the next block is at byte ${second + many[1]!.length}`)
      expect(text.match(/→ Metadata v12 request/g)).toHaveLength(3)
      expect(code).toBe(1)
    }
  })
})

test('files that are captures of other kinds, or compressed, are called by their name', async () => {
  await expect(decodeFile(Buffer.from('1f8b0800000000000003', 'hex'))).rejects.toThrow('gzip: decompress it first')
  await expect(decodeFile(Buffer.from('28b52ffd00000000', 'hex'))).rejects.toThrow('zstd')
  await expect(decodeFile(Buffer.from('snoop\0\0\0\0\0\0\x02'))).rejects.toThrow('snoop')
})
