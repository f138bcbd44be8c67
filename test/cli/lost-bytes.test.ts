import { describe, expect, test } from 'vitest'
import { ApiVersions, Fetch, Heartbeat, Metadata, OffsetCommit, SyncGroup } from '../../src/protocol/apis/index.ts'
import { encodeRequest, encodeResponse } from '../../src/protocol/frame.ts'
import type { Api, Encodable } from '../../src/protocol/schema.ts'
import { type CapturedSegment, ip4, pcap, pcapFile } from './capture-file.ts'
import { decodeFile } from './decoded.ts'

const ask = <A extends Api>(api: A, version: number, correlationId: number, request: Encodable<A['request']>) =>
  Buffer.concat(encodeRequest(api, version, { correlationId, clientId: 'shop' }, request))
const reply = <A extends Api>(api: A, version: number, correlationId: number, response: Encodable<A['response']>) =>
  Buffer.concat(encodeResponse(api, version, correlationId, response))

const heartbeat = (id: number) => ask(Heartbeat, 4, id, { groupId: 'group', generationId: 1, memberId: `member-${id}` })
const beaten = (id: number) => reply(Heartbeat, 4, id, { errorCode: 0 })
const nothing = new Uint8Array()

/** Segments of a connection: the client's stream begins at 101, the broker's at 901. */
class Connection {
  private readonly port: number
  constructor(port = 50000) {
    this.port = port
  }
  client(at: number, payload: Uint8Array, more: Partial<CapturedSegment> = {}): CapturedSegment {
    return { sourcePort: this.port, targetPort: 9092, sequence: 101 + at, payload, ...more }
  }
  broker(at: number, payload: Uint8Array, more: Partial<CapturedSegment> = {}): CapturedSegment {
    return { sourcePort: 9092, targetPort: this.port, sequence: 901 + at, payload, ...more }
  }
  opening(): CapturedSegment[] {
    return [this.client(-1, nothing, { syn: true }), this.broker(-1, nothing, { syn: true, acknowledged: 101 })]
  }
}
const wire = new Connection()
const TO = '127.0.0.1:50000 → 127.0.0.1:9092'
const BACK = '127.0.0.1:9092 → 127.0.0.1:50000'

/** Where each frame of a stream begins. */
const starts = (frames: readonly Buffer[]) => frames.map((_, i) => Buffer.concat(frames.slice(0, i)).length)
const inOrder = (frames: readonly Buffer[], send: (at: number, payload: Uint8Array) => CapturedSegment) =>
  starts(frames).map((at, i) => send(at, frames[i]!))

describe('bytes that are not in the capture', () => {
  const requests = [1, 2, 3].map(heartbeat)
  const answers = [1, 2, 3].map(beaten)
  const sent = inOrder(requests, (at, payload) => wire.client(at, payload))
  const received = inOrder(answers, (at, payload) => wire.broker(at, payload))

  test('a lost request: the hole is named, the next request and all answers are shown', async () => {
    const { code, text } = await decodeFile(pcap([...wire.opening(), sent[0]!, sent[2]!, ...received]))
    const [, start, end] = starts(requests)
    expect(text).toContain(`✗ ${TO}, byte ${start}: ${end! - start!} bytes are missing in the capture, up to byte ${end}`)
    expect(text).toMatch(/→ Heartbeat v4 request · correlation 1 [\s\S]*→ Heartbeat v4 request · correlation 3 /)
    expect(text).toContain('← Heartbeat v4 response · correlation 3 ')
    expect(text).toContain(`✗ ${BACK}, byte ${starts(answers)[1]! + 4}: correlation 2 answers no request`)
    expect(code).toBe(1)
  })

  test('a lost answer: the hole is named at its request', async () => {
    const { code, text } = await decodeFile(pcap([...wire.opening(), ...sent, received[0]!, received[2]!]))
    const [, start, end] = starts(answers)
    expect(text).toMatch(
      new RegExp(
        `correlation 2 [^→]*✗ ${BACK}, byte ${start}: ${end! - start!} bytes are missing[^\n]*\n← \\(no answer to correlation 2`,
      ),
    )
    expect(text).toContain('← Heartbeat v4 response · correlation 3 ')
    expect(code).toBe(1)
  })

  test('a hole in an answer that is as long as the next answer: what follows is not taken for its end', async () => {
    const long = reply(SyncGroup, 5, 1, { errorCode: 0, assignment: Buffer.alloc(200, 0x42) })
    const hole = 100
    const stream = Buffer.concat([long, beaten(2)])
    const { code, text } = await decodeFile(
      pcap([
        ...wire.opening(),
        ...inOrder(
          [ask(SyncGroup, 5, 1, { groupId: 'g', generationId: 1, memberId: 'm', assignments: [] }), heartbeat(2)],
          (at, payload) => wire.client(at, payload),
        ),
        wire.broker(0, stream.subarray(0, hole)),
        wire.broker(hole + beaten(2).length, stream.subarray(hole + beaten(2).length)),
      ]),
    )
    expect(text).toContain(`✗ ${BACK}, byte 0: the frame claims ${long.length - 4} bytes, ${hole - 4} follow`)
    expect(text).toContain(`✗ ${BACK}, byte ${hole}: ${beaten(2).length} bytes are missing`)
    expect(text).toContain('assignment ✗')
    expect(text).toContain('← Heartbeat v4 response · correlation 2 ')
    expect(code).toBe(1)
  })

  test('the last bytes of a stream: the peer has acknowledged them, or the stream ends behind them', async () => {
    const acknowledged = 901 + Buffer.concat(answers).length
    const byAck = pcap([...wire.opening(), ...sent, ...received.slice(0, 2), wire.client(0, nothing, { acknowledged })])
    const byFin = pcap([
      ...wire.opening(),
      ...sent,
      ...received.slice(0, 2),
      wire.broker(acknowledged - 901, nothing, { fin: true }),
    ])
    for (const capture of [byAck, byFin]) {
      const { code, text } = await decodeFile(capture)
      expect(text).toContain(`✗ ${BACK}, byte ${starts(answers)[2]}: ${answers[2]!.length} bytes are missing`)
      expect(code).toBe(1)
    }
  })

  test('an orderly end is no loss, though it takes a sequence number', async () => {
    const end = Buffer.concat(requests).length
    for (const fin of [true, false]) {
      const closing = [wire.client(end, nothing, { fin }), wire.broker(0, nothing, { acknowledged: 101 + end + 1 })]
      const { code, text } = await decodeFile(pcap([...wire.opening(), ...sent, ...received, ...closing]))
      expect(text).not.toContain('✗')
      expect(code).toBe(0)
    }
  })

  test('what a reset says, or acknowledges, is none of the stream', async () => {
    const reset = wire.broker(Buffer.concat(answers).length, Buffer.from('go away'), { reset: true, acknowledged: 0x7000_0000 })
    const { code, text } = await decodeFile(pcap([...wire.opening(), ...sent, ...received, reset]))
    expect(text).not.toContain('✗')
    expect(code).toBe(0)
  })

  test('a direction that is not in the capture at all is missed as far as it was acknowledged', async () => {
    const acknowledging = sent.map((segment, i) => ({ ...segment, acknowledged: 901 + (starts(answers)[i] ?? 0) }))
    const { code, text } = await decodeFile(pcap(acknowledging))
    expect(text).toContain(`✗ ${BACK}, byte 0: ${starts(answers)[2]} bytes are missing`)
    expect(text.match(/→ Heartbeat/g)).toHaveLength(3)
    expect(code).toBe(1)
  })

  test('packets that were kept in part: what was kept is shown, and the rest named', async () => {
    const kept = 24
    const packets = [...wire.opening(), ...sent, ...received].map(segment => {
      const data = ip4(segment)
      return { data: data.subarray(0, 40 + kept), size: data.length }
    })
    const { code, text } = await decodeFile(pcapFile(101, packets))
    expect(text.match(/→ Heartbeat v4 request · correlation/g)).toHaveLength(3)
    expect(text.match(/← Heartbeat v4 response · correlation/g)).toHaveLength(3)
    expect(text).toContain(`✗ ${TO}, byte ${kept}: ${requests[0]!.length - kept} bytes are missing in the capture`)
    expect(text).toContain('packets are in it in part only')
    expect(code).toBe(1)
  })

  test('a repeat fills the hole', async () => {
    const cut = ip4(sent[0]!).subarray(0, 50)
    const packets = (segments: readonly CapturedSegment[]) => segments.map(segment => ip4(segment))
    const { code, text } = await decodeFile(
      pcapFile(101, [
        ...packets(wire.opening()),
        { data: cut, size: 40 + sent[0]!.payload.length },
        ...packets([...sent.slice(1), ...received, sent[0]!]),
      ]),
    )
    expect(text.match(/→ Heartbeat/g)).toHaveLength(3)
    expect(text).not.toContain('✗')
    expect(code).toBe(0)
  })

  test('a frame that is cut in two by the hole and lies about its length does not hide the next ones', async () => {
    const lying = Buffer.from(requests[0]!)
    lying.writeInt32BE(lying.readInt32BE(0) + 30)
    const { code, text } = await decodeFile(
      pcap([...wire.opening(), wire.client(0, lying.subarray(0, 20)), ...sent.slice(1), ...received]),
    )
    expect(text).toContain('→ Heartbeat v4 request · correlation 2 ')
    expect(text).toContain('→ Heartbeat v4 request · correlation 3 ')
    expect(code).toBe(1)
  })

  test('what looks like a request inside another is none: its id and its client are of the past', async () => {
    const records = Buffer.concat([heartbeat(1), Buffer.alloc(50, 7)])
    const other = Buffer.concat(
      encodeRequest(Heartbeat, 4, { correlationId: 3, clientId: 'another' }, { groupId: 'g', generationId: 1, memberId: 'm' }),
    )
    const outer = ask(SyncGroup, 5, 2, {
      groupId: 'g',
      generationId: 1,
      memberId: 'm',
      assignments: [{ memberId: 'm', assignment: Buffer.concat([records, other]) }],
    })
    const stream = Buffer.concat([requests[0]!, outer, requests[2]!])
    const hole = requests[0]!.length + 30
    const { text } = await decodeFile(
      pcap([...wire.opening(), wire.client(0, requests[0]!), wire.client(hole, stream.subarray(hole))]),
    )
    expect(text.match(/→ Heartbeat v4 request · correlation \d/g)).toEqual([
      '→ Heartbeat v4 request · correlation 1',
      '→ Heartbeat v4 request · correlation 3',
    ])
    expect(text).not.toContain('another')
  })

  test("the ids of Java's SASL requests, from the end of the range, say nothing about the next ones", async () => {
    const stream = [1, 0x7fff_fffa, 2, 3].map(heartbeat)
    const [first, sasl, lost, last] = inOrder(stream, (at, payload) => wire.client(at, payload))
    const tail = { ...lost!, sequence: lost!.sequence + 9, payload: lost!.payload.subarray(9) }
    const { text } = await decodeFile(pcap([...wire.opening(), first!, sasl!, tail, last!]))
    expect(text).toContain('→ Heartbeat v4 request · correlation 3 ')
  })

  test('a hole in the very first request', async () => {
    const first = Buffer.concat([requests[0]!.subarray(0, 6), requests[0]!.subarray(12)])
    const { code, text } = await decodeFile(
      pcap([
        ...wire.opening(),
        wire.client(0, first.subarray(0, 6)),
        wire.client(12, first.subarray(6)),
        ...sent.slice(1),
        ...received,
      ]),
    )
    expect(text).toContain(`✗ ${TO}, byte 6: 6 bytes are missing`)
    expect(text).toContain('→ Heartbeat v4 request · correlation 2 ')
    expect(text).toContain('← Heartbeat v4 response · correlation 3 ')
    expect(code).toBe(1)
  })
})

describe('captures that begin in the middle', () => {
  const requests = [5, 6, 7].map(heartbeat)
  const answers = [5, 6, 7].map(beaten)

  test.each([[], ['--port', '9092']])('of a request: the first whole one is found %s %s', async (...options) => {
    const [, second, third] = inOrder(requests, (at, payload) => wire.client(at, payload))
    const { code, text } = await decodeFile(
      pcap([
        wire.client(9, requests[0]!.subarray(9)),
        ...[second!, third!],
        ...inOrder(answers, (at, payload) => wire.broker(at, payload)),
      ]),
      ...options,
    )
    expect(text).toMatch(new RegExp(`✗ ${TO}, byte 0: .* no frame begins here.* up to byte ${requests[0]!.length - 9}\n`))
    expect(text).toContain('→ Heartbeat v4 request · correlation 6 ')
    expect(text).toContain('← Heartbeat v4 response · correlation 7 ')
    expect(text).toContain('← response · correlation 5 · 12 bytes, to a request from before the capture')
    expect(code).toBe(1)
  })

  test('of an answer', async () => {
    const late = Buffer.concat(answers).subarray(5)
    const { code, text } = await decodeFile(
      pcap([...inOrder(requests, (at, payload) => wire.client(at, payload)), wire.broker(5, late)]),
    )
    expect(text).toMatch(new RegExp(`✗ ${BACK}, byte 0: .* no frame begins here`))
    expect(text).toContain('← (no answer to correlation 5')
    expect(text).toContain('← Heartbeat v4 response · correlation 6 ')
    expect(code).toBe(1)
  })

  test('with an answer that is cut in two later on', async () => {
    const { text } = await decodeFile(
      pcap([
        ...inOrder(requests, (at, payload) => wire.client(at, payload)),
        wire.broker(0, answers[0]!.subarray(0, 14)),
        ...inOrder(answers, (at, payload) => wire.broker(at, payload)).slice(1),
      ]),
    )
    expect(text).toContain(`✗ ${BACK}, byte 0: the frame claims 12 bytes, 10 follow`)
    expect(text).toContain('← Heartbeat v4 response · correlation 5 ')
    expect(text).toContain('← Heartbeat v4 response · correlation 6 ')
  })

  test('with an answer to an earlier request, or a probe whether the peer is still there: nothing is wrong with that', async () => {
    const early = await decodeFile(
      pcap([
        wire.broker(0, beaten(4)),
        ...inOrder(requests, (at, payload) => wire.client(at, payload)),
        ...inOrder(answers, (at, payload) => wire.broker(beaten(4).length + at, payload)),
      ]),
    )
    expect(early.text).toContain('← response · correlation 4 · 12 bytes, to a request from before the capture')
    expect(early.text).not.toContain('✗')
    expect(early.code).toBe(0)
    const probe = await decodeFile(
      pcap([
        wire.client(-1, Buffer.alloc(1)),
        ...inOrder(requests, (at, payload) => wire.client(at, payload)),
        ...inOrder(answers, (at, payload) => wire.broker(at, payload)),
      ]),
    )
    expect(probe.text.match(/→ Heartbeat/g)).toHaveLength(3)
    expect(probe.text).not.toContain('✗')
    expect(probe.code).toBe(0)
  })

  test('between two brokers on the same port: the side that sends requests is the client', async () => {
    const between = (segment: CapturedSegment) => ({ ...segment, sourcePort: 9092, targetPort: 9092 })
    // Both on one host here, told apart by their addresses.
    const packets = [wire.broker(0, beaten(4)), wire.client(0, requests[0]!), wire.broker(beaten(4).length, answers[0]!)].map(
      segment => {
        const packet = ip4(between(segment))
        packet.writeUInt32BE(0x7f000002, segment.sourcePort === 9092 ? 12 : 16)
        return packet
      },
    )
    for (const options of [[], ['--port', '9092']]) {
      const { code, text } = await decodeFile(pcapFile(101, packets), ...options)
      expect(text).toContain('━━ 127.0.0.1:9092 → 127.0.0.2:9092')
      expect(text).toContain('← Heartbeat v4 response · correlation 5 ')
      expect(code).toBe(0)
    }
  })

  test('requests of an unknown API in front: their lengths lead to the first known one', async () => {
    const unknown = heartbeat(4)
    unknown.writeInt16BE(999, 4)
    const { code, text } = await decodeFile(pcap(inOrder([unknown, ...requests], (at, payload) => wire.client(at, payload))))
    expect(text).toContain(`✗ ${TO}, byte 4: API key 999 is unknown (version 4, correlation 4)`)
    expect(text.match(/→ Heartbeat/g)).toHaveLength(3)
    expect(code).toBe(1)
  })
})

test('packets that begin a connection may be captured behind the first bytes of it: it is one connection all the same', async () => {
  const [syn, answered] = wire.opening()
  const request = wire.client(0, heartbeat(1), { acknowledged: 901 })
  const answer = wire.broker(0, beaten(1), { acknowledged: 101 + heartbeat(1).length })
  for (const order of [
    [request, syn!, answered!, answer],
    [request, answer, answered!, syn!],
    [answered!, request, syn!, answer],
    [answered!, syn!, request, answer],
  ]) {
    const { code, text } = await decodeFile(pcap(order))
    expect(text.match(/━━/g)).toHaveLength(1)
    expect(text).toContain('← Heartbeat v4 response · correlation 1 ')
    expect(text).not.toContain('✗')
    expect(text).not.toContain('no answer')
    expect(code).toBe(0)
  }
})

describe('the same ports again', () => {
  test.each([
    ['later', 50_000],
    ['lower', -100],
  ])('with %s sequence numbers: another connection', async (_, shift) => {
    const shifted = (segments: CapturedSegment[]) =>
      segments.map(segment => ({
        ...segment,
        sequence: segment.sequence + shift,
        ...(segment.acknowledged !== undefined && { acknowledged: segment.acknowledged + shift }),
      }))
    const first = [...wire.opening(), wire.client(0, heartbeat(1)), wire.broker(0, beaten(1))]
    const second = [...wire.opening(), wire.client(0, heartbeat(8)), wire.broker(0, beaten(8))]
    const opened = wire.opening()[0]!
    const { code, text } = await decodeFile(pcap([...first, opened, ...shifted(second)]))
    expect(text.match(new RegExp(`━━ ${TO}`, 'g'))).toHaveLength(2)
    expect(text).toContain('← Heartbeat v4 response · correlation 1 ')
    expect(text).toContain('← Heartbeat v4 response · correlation 8 ')
    expect(text).not.toContain('✗')
    expect(code).toBe(0)
  })

  test('a connection of which nothing can be read belongs to Kafka where others to that server do', async () => {
    const other = new Connection(50001)
    const broken = heartbeat(1).subarray(10)
    const { code, text } = await decodeFile(
      pcap([...wire.opening(), wire.client(0, heartbeat(1)), wire.broker(0, beaten(1)), other.client(0, broken)]),
    )
    expect(text).toContain('✗ 127.0.0.1:50001 → 127.0.0.1:9092, byte 0: ')
    expect(code).toBe(1)
  })
})

describe('a stream of other than Kafka costs time in proportion to its size', () => {
  const SIZE = 1 << 20
  const SEGMENT = 1 << 15
  const filled = (unit: (i: number) => readonly number[]): Buffer => {
    const bytes = Buffer.alloc(SIZE)
    for (let at = 0, i = 0; at < SIZE; i++) for (const byte of unit(i)) bytes[at++] = byte
    return bytes
  }
  const streams: readonly (readonly [string, Buffer])[] = [
    ['zeros', Buffer.alloc(SIZE)],
    ['small int32s', filled(i => [0, 0, 0, i & 0xff])],
    ['one int32 over and over', filled(() => [0, 0, 0, 11])],
    ['small int64s', filled(i => [0, 0, 0, 0, 0, 0, 0, i & 0xff])],
    ['int32s that count', filled(i => [i >> 24, (i >> 16) & 0xff, (i >> 8) & 0xff, i & 0xff])],
    ['frames that are none', filled(() => [0, 0, 0, 8, 255, 255, 255, 255, 255, 255, 255, 255])],
    ['starts of requests', filled(() => [0, 0, 0x70, 0, 0, 3, 0, 9, 0, 0, 0, 1, 255, 255, 0, 200, 200, 200])],
    [
      'starts of requests with long client ids',
      filled(() => [0, 0, 0x7f, 255, 0, 3, 0, 0x77, 0, 255, 0, 255, 0x70, 0, 255, 255]),
    ],
  ]
  test.each(streams)('%s', { timeout: 10_000 }, async (_, bytes) => {
    const segments = Array.from({ length: SIZE / SEGMENT }, (_, i) =>
      wire.client(i * SEGMENT, bytes.subarray(i * SEGMENT, (i + 1) * SEGMENT)),
    )
    const kafka = new Connection(50001)
    const capture = pcap([kafka.client(0, heartbeat(1)), ...wire.opening(), ...segments, kafka.broker(0, beaten(1))])
    for (const options of [[], ['--port', '9092']]) {
      const { text } = await decodeFile(capture, ...options)
      expect(text).toContain('← Heartbeat v4 response · correlation 1 ')
    }
  })
})

describe('one id for all requests', () => {
  test('costs no time in proportion to the square of their number', { timeout: 10_000 }, async () => {
    const sent = Array.from({ length: 20_000 }, () => heartbeat(1))
    const request = Buffer.concat(sent)
    const answer = Buffer.concat(sent.map(() => beaten(1)))
    const cut = (bytes: Buffer, send: (at: number, payload: Uint8Array) => CapturedSegment) =>
      Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, i) => send(1000 * i, bytes.subarray(1000 * i, 1000 * i + 1000)))
    const { code, text } = await decodeFile(
      pcap([
        ...wire.opening(),
        ...cut(request, (...each) => wire.client(...each)),
        ...cut(answer, (...each) => wire.broker(...each)),
      ]),
    )
    expect(text.match(/← Heartbeat/g)).toHaveLength(sent.length)
    expect(code).toBe(0)
  })
})

/** Seeded (mulberry32): failures can be replayed. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

describe('whatever is lost', () => {
  type Traffic = readonly [name: string, request: (id: number) => Buffer, response: (id: number) => Buffer]
  const TRAFFIC: readonly Traffic[] = [
    ['Heartbeat', heartbeat, beaten],
    [
      'Metadata',
      id => ask(Metadata, 12, id, { topics: [{ name: 'orders' }, { name: 'payments' }] }),
      id =>
        reply(Metadata, 12, id, {
          brokers: [1, 2, 3].map(nodeId => ({ nodeId, host: `kafka-${nodeId}`, port: 9092 })),
          clusterId: 'c',
          topics: Array.from({ length: 9 }, (_, i) => ({ errorCode: 0, name: `topic-${i}`, partitions: [] })),
        }),
    ],
    [
      'OffsetCommit',
      id =>
        ask(OffsetCommit, 8, id, {
          groupId: 'group',
          topics: [
            {
              name: 'orders',
              partitions: Array.from({ length: 30 }, (_, i) => ({
                partitionIndex: i,
                committedOffset: 7n,
                committedMetadata: null,
              })),
            },
          ],
        }),
      id => reply(OffsetCommit, 8, id, { topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, errorCode: 0 }] }] }),
    ],
    [
      'ApiVersions',
      id => ask(ApiVersions, 3, id, { clientSoftwareName: 'n', clientSoftwareVersion: '1' }),
      id => reply(ApiVersions, 3, id, { errorCode: 0, apiKeys: [{ apiKey: 3, minVersion: 0, maxVersion: 12 }] }),
    ],
    ['Fetch', id => ask(Fetch, 12, id, { maxWaitMs: 1, minBytes: 1, topics: [] }), id => reply(Fetch, 12, id, { responses: [] })],
  ]

  interface Sent {
    readonly name: string
    readonly id: number
    readonly start: number
    readonly end: number
  }

  test.each([1, 2, 3, 4])('every frame that is whole in the capture is shown, and every loss fails it: seed %i', async seed => {
    for (let round = 0; round < 40; round++) {
      const below = chance(1000 * seed + round)
      const exchanges = Array.from({ length: 4 + below(8) }, (_, i) => [1 + i, TRAFFIC[below(TRAFFIC.length)]!] as const)
      const streams = [
        exchanges.map(([id, [, request]]) => request(id)),
        exchanges.map(([id, [, , response]]) => response(id)),
      ] as const
      const opens = below(2) === 0
      const segments: CapturedSegment[] = opens ? wire.opening() : []
      const kept: boolean[][] = []
      for (const [side, frames] of streams.entries()) {
        const bytes = Buffer.concat(frames)
        const alive = new Array<boolean>(bytes.length).fill(false)
        for (let at = 0, end = 0; at < bytes.length; at = end) {
          end = Math.min(bytes.length, at + 1 + below(90))
          if (below(10) === 0) continue
          alive.fill(true, at, end)
          segments.push(side === 0 ? wire.client(at, bytes.subarray(at, end)) : wire.broker(at, bytes.subarray(at, end)))
        }
        kept.push(alive)
      }
      const framesOf = (side: 0 | 1): Sent[] =>
        starts(streams[side]).map((start, i) => {
          const [id, [name]] = exchanges[i]!
          return { name, id, start, end: start + streams[side][i]!.length }
        })
      const isWhole = (side: 0 | 1) => (frame: Sent) => kept[side]!.slice(frame.start, frame.end).every(Boolean)
      const { code, text } = await decodeFile(pcap(segments), '--port', '9092')
      const shown = text.split(/\n(?=[→←✗━])/).filter((part, i, all) => !all[i + 1]?.startsWith('✗') || !part.includes(' ✗'))
      const where = `round ${round}`
      const requests = framesOf(0).filter(isWhole(0))
      for (const { name, id } of requests)
        expect(
          shown.some(part => part.startsWith(`→ ${name} v`) && part.includes(`correlation ${id} `)),
          `${where}: request ${id}\n${text}`,
        ).toBe(true)
      const known = new Set(requests.map(({ id }) => id))
      for (const { name, id } of framesOf(1).filter(isWhole(1)))
        if (known.has(id))
          expect(
            shown.some(part => part.startsWith(`← ${name} v`) && part.includes(`correlation ${id} `)),
            `${where}: answer ${id}\n${text}`,
          ).toBe(true)
      if (kept.some(alive => alive.slice(opens ? 0 : alive.indexOf(true), alive.lastIndexOf(true)).includes(false)))
        expect(code, where).toBe(1)
    }
  })
})
