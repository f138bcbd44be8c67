import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProtocolError } from '../../src/errors.ts'
import { type Frame, FrameReader } from '../../src/net/frame-reader.ts'

class Collector {
  readonly frames: Buffer[] = []
  readonly raw: Frame[] = []
  error: ProtocolError | undefined
  holdEvery = 0
  readonly reader: FrameReader
  constructor(maxBytes = 1 << 20) {
    this.reader = new FrameReader(
      {
        frame: frame => {
          this.raw.push(frame)
          this.frames.push(frame.buffer)
          return this.holdEvery === 0 || this.frames.length % this.holdEvery !== 0
        },
        failed: error => {
          this.error = error
        },
        drained: () => {},
        closed: () => {},
      },
      maxBytes,
    )
  }
  /** As a TCP socket does: the space for the next bytes is asked for right after the last ones, whatever happens in between. */
  private space: Uint8Array | undefined
  feed(bytes: Uint8Array, step = bytes.length): this {
    for (let from = 0; from < bytes.length; ) {
      const space = this.space ?? this.reader.space()
      const n = Math.min(space.length, step, bytes.length - from)
      space.set(bytes.subarray(from, from + n))
      from += n
      this.reader.filled(n)
      this.space = this.reader.space()
    }
    return this
  }
}

const framed = (...bodies: Uint8Array[]) =>
  Buffer.concat(
    bodies.flatMap(body => {
      const length = Buffer.alloc(4)
      length.writeInt32BE(body.length)
      return [length, body]
    }),
  )
const body = (size: number, fill: number) => Buffer.alloc(size, fill)

describe('frames are cut out of the stream', () => {
  const bodies = [body(0, 0), body(1, 1), body(100, 2), body(70_000, 3), body(4, 4), body(20_000, 5), body(3, 6)]

  test.each([1, 2, 3, 5, 4_096, 16_383, 1 << 20])('that arrives %i bytes at a time', step => {
    const { frames } = new Collector().feed(framed(...bodies), step)
    expect(frames.map(frame => [frame.length, frame[0]])).toEqual(bodies.map(b => [b.length, b[0]]))
  })

  test('whatever the sizes of frames and reads, and wherever the reader of them pauses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(40), fc.nat(40_000)), { maxLength: 20 }),
        fc.array(fc.oneof(fc.integer({ min: 64, max: 500 }), fc.integer({ min: 500, max: 50_000 })), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.nat(4),
        (sizes, steps, holdEvery) => {
          const sent = sizes.map((size, i) => body(size, i + 1))
          const stream = framed(...sent)
          const collector = new Collector()
          collector.holdEvery = holdEvery
          for (let from = 0, i = 0; from < stream.length; i++) {
            const part = stream.subarray(from, from + steps[i % steps.length]!)
            from += part.length
            collector.feed(part)
            if (i % 3 === 0) collector.reader.resume()
          }
          for (let i = 0; i <= sizes.length; i++) collector.reader.resume()
          expect(collector.frames.length).toBe(sent.length)
          // None was overwritten by what came after it.
          expect(sent.every((bytes, i) => bytes.equals(collector.frames[i]!))).toBe(true)
        },
      ),
      { numRuns: 100 },
    )
  })

  test('a large frame is read straight into its own memory', () => {
    const collector = new Collector()
    collector.feed(framed(body(500_000, 9)).subarray(0, 100))
    const space = collector.reader.space()
    expect(space.length).toBe(500_000 - 96)
    collector.feed(body(500_000 - 96, 9))
    expect(collector.frames[0]!.buffer).toBe(space.buffer)
  })

  test('a released frame is read into again, one still in use is not', () => {
    const collector = new Collector()
    collector.feed(framed(body(100_000, 1)))
    collector.feed(framed(body(100_000, 2)))
    collector.raw[0]!.release()
    collector.raw[0]!.release()
    collector.feed(framed(body(90_000, 3)))
    collector.feed(framed(body(90_000, 4)))
    const memory = collector.frames.map(frame => frame.buffer)
    expect(memory[2]).toBe(memory[0])
    expect(memory[3]).not.toBe(memory[0])
    expect(memory[3]).not.toBe(memory[1])
    expect(collector.frames[1]!.equals(body(100_000, 2))).toBe(true)
  })

  test('of released frames the latest are kept: those of a start with small responses do not keep out larger ones', () => {
    const collector = new Collector()
    for (const size of [20_000, 20_000, 20_000, 200_000, 200_000]) {
      collector.feed(framed(body(size, 1)))
      if (collector.frames.length === 4) for (const frame of collector.raw) frame.release()
    }
    expect(collector.frames[4]!.buffer).toBe(collector.frames[3]!.buffer)
  })

  test('a much smaller frame does not take the memory of a released large one', () => {
    const collector = new Collector(8 << 20)
    collector.feed(framed(body(4 << 20, 1)))
    collector.raw[0]!.release()
    collector.feed(framed(body(50_000, 2)))
    expect(collector.frames[1]!.buffer.byteLength).toBe(50_000)
  })
})

describe('a stream of something else is refused', () => {
  const cases: [string, Buffer, RegExp][] = [
    [
      '2 GB announced',
      Buffer.from('7fffffff00000000', 'hex'),
      /a frame of about 2048 MiB, more than the 1048576 bytes allowed: .*, or raise the limit$/,
    ],
    ['one byte too many announced', Buffer.from('00100001', 'hex'), /about 2 MiB/],
    ['a negative length', Buffer.from('ffffffff', 'hex'), /negative length/],
    ['an HTTP server', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /an HTTP server answers there/],
    ['a TLS alert', Buffer.from('15030300020246', 'hex'), /speaks TLS: set the tls option/],
    ['a TLS handshake', Buffer.from('160301004a', 'hex'), /speaks TLS/],
    ['a text', Buffer.from('Sup3rSecret'), /^what the peer sends looks like text, not like a frame: check that a Kafka broker/],
    ['an SSH server', Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n'), /SSH server/],
    ['a mail server', Buffer.from('220 mail.example ESMTP\r\n'), /mail or FTP/],
  ]
  test.each(cases)('%s', (_, bytes, message) => {
    const collector = new Collector()
    collector.feed(bytes)
    expect(collector.error?.message).toMatch(message)
    expect(collector.frames).toEqual([])
    // Whatever follows is ignored, without a second complaint and without memory for it.
    collector.error = undefined
    collector.feed(Buffer.alloc(100_000))
    expect(collector.error).toBeUndefined()
    expect(collector.reader.pendingBytes).toBe(0)
  })

  test('a length within the limit allocates that length and no more', () => {
    const collector = new Collector()
    collector.feed(Buffer.from('0010000000', 'hex'))
    expect(collector.error).toBeUndefined()
    expect(collector.reader.space().length).toBe((1 << 20) - 1)
  })
})
