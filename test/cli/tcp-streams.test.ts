import { expect, test } from 'vitest'
import type { Segment } from '../../src/cli/packet.ts'
import { connectionsOf, type Stream } from '../../src/cli/tcp-streams.ts'

const sent = (sequence: number, size: number, captured: number): Segment => ({
  from: '127.0.0.1:50000',
  to: '127.0.0.1:9092',
  sequence,
  acknowledged: undefined,
  syn: false,
  opens: false,
  fin: false,
  payload: Buffer.alloc(captured),
  size,
})
const streamOf = (segments: readonly Segment[]): Stream => connectionsOf(segments)[0]![0]

test('packets of which any byte of a range was lost for their length are found, however they overlap', () => {
  const stream = streamOf([
    sent(0, 10, 10),
    sent(10, 90, 5),
    sent(20, 10, 10),
    sent(30, 20, 5),
    sent(100, 10, 10),
    sent(110, 5, 0),
  ])
  const ranges = [
    [0, 10, false],
    [0, 11, true],
    [60, 70, true],
    [99, 100, true],
    [100, 110, false],
    [100, 111, true],
    [114, 115, true],
    [115, 120, false],
  ] as const
  expect(ranges.map(([start, end]) => [start, end, stream.shortened(start, end)])).toEqual(ranges)
})

test('asking that of every hole of a capture with a snapshot length costs no time in proportion to the square of their number', {
  timeout: 10_000,
}, () => {
  const packets = 200_000
  const stream = streamOf(Array.from({ length: packets }, (_, i) => sent(1000 * i, 1000, 42)))
  expect(stream.runs).toHaveLength(packets)
  expect(stream.runs.every(({ start, bytes }) => stream.shortened(start + bytes.length, start + 1000))).toBe(true)
})
