import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../../src/errors.ts'
import { decodeMessage, encodeMessage } from '../../src/protocol/frame.ts'
import { defaultOf, Layout } from '../../src/protocol/presence.ts'
import { ALWAYS, array, int64, type Message, message, type Shape, string, struct, type Wire } from '../../src/protocol/schema.ts'
import { type TraceNode, trace } from '../../src/protocol/trace.ts'
import { Reader, unknownTags } from '../../src/protocol/wire.ts'
import { everyVersion } from './all-messages.ts'
import { Random, randomMessage } from './random-message.ts'

/** A random message that is small enough to be damaged in every way. */
function smallMessage(random: Random, of: Message, version: number): Buffer {
  let smallest: Buffer | undefined
  for (let i = 0; i < 12; i++) {
    const bytes = encodeMessage(of, version, randomMessage(random, of, version, { unknownTags: true }))
    if (bytes.length > 20 && bytes.length < 150) return bytes
    if (!smallest || bytes.length < smallest.length) smallest = bytes
  }
  return smallest!
}

/** The error of reading damaged bytes. It must be a ProtocolError that says where. */
function failure(of: Message, version: number, bytes: Buffer): ProtocolError {
  try {
    decodeMessage(of, version, bytes)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    const { api, version: named, path, offset = -1, message: text } = error
    const told = `${of.name} v${version} cannot be read at byte ${offset} of ${bytes.length}, ${path || 'the message'}: `
    const complete = api === of.name && named === version && path !== undefined && offset >= 0 && offset <= bytes.length
    if (!complete || !text.startsWith(told) || !text.endsWith('?')) throw new Error(`not told well: ${text}`, { cause: error })
    return error
  }
  throw new Error(`${of.name} v${version} accepted ${bytes.toString('hex')}`)
}

const nodesOf = (node: TraceNode): TraceNode[] => [node, ...node.children.flatMap(nodesOf)]
/** Those outside of tagged fields, whose size would be wrong as well. */
const plainNodesOf = (node: TraceNode): TraceNode[] => [
  node,
  ...(node.type === 'tags' ? [] : node.children.flatMap(plainNodesOf)),
]
const hasLength = ({ type }: TraceNode) => ['array', 'string', 'legacyString', 'bytes', 'records'].includes(type)

/** The frame with the length at a node's start replaced. */
function withLength(bytes: Buffer, node: TraceNode, flexible: boolean, length: number | 'endless' | 'negative'): Buffer {
  const legacy = !flexible || node.type === 'legacyString'
  const size = !legacy ? varintSize(bytes, node.start) : node.type.toLowerCase().endsWith('string') ? 2 : 4
  return Buffer.concat([bytes.subarray(0, node.start), lengthBytes(legacy ? size : 0, length), bytes.subarray(node.start + size)])
}
function varintSize(bytes: Buffer, at: number): number {
  let size = 1
  while (bytes[at + size - 1]! >= 0x80) size++
  return size
}
function lengthBytes(fixed: number, length: number | 'endless' | 'negative'): Buffer {
  const n = length === 'negative' ? -2 : length === 'endless' ? 2 ** (8 * (fixed || 4) - 1) - 1 : length
  if (fixed === 2) return Buffer.from(Uint16Array.of(n & 0xffff).buffer).swap16()
  if (fixed === 4) return Buffer.from(Uint32Array.of(n >>> 0).buffer).swap32()
  return length === 'endless' || length === 'negative'
    ? Buffer.from('ffffffffffff01', 'hex')
    : Buffer.from([(n + 1) | 0x80, ((n + 1) >> 7) | 0x80, (n + 1) >> 14])
}

describe('every message in every version', { timeout: 60_000 }, () => {
  test('cut short at any byte is refused', () => {
    const random = new Random(30)
    for (const [each, version] of everyVersion()) {
      const bytes = smallMessage(random, each, version)
      for (let end = 0; end < bytes.length; end++) failure(each, version, bytes.subarray(0, end))
    }
  })

  test.each([
    ['beyond the frame', 16_000],
    ['of gigabytes, or of a varint of more than 5 bytes', 'endless'],
    ['below -1', 'negative'],
  ] as const)('with a length %s is refused at that very field', (_, length) => {
    const random = new Random(31)
    for (const [each, version] of everyVersion()) {
      const bytes = smallMessage(random, each, version)
      const { flexible } = new Layout(each, version)
      for (const node of nodesOf(trace(each, version, bytes)).filter(hasLength)) {
        const { path, offset } = failure(each, version, withLength(bytes, node, flexible, length))
        expect([path, offset], `${each.name} v${version}`).toEqual([node.path, node.start])
      }
    }
  })

  test('with a tag given twice is refused', () => {
    const random = new Random(32)
    for (const [each, version] of everyVersion()) {
      if (!new Layout(each, version).flexible) continue
      const bytes = smallMessage(random, each, version)
      for (const tags of plainNodesOf(trace(each, version, bytes)).filter(node => node.type === 'tags')) {
        const twice = Buffer.from([2, 0xff, 0x7f, 0, 0xff, 0x7f, 0]) // tag 16383, empty
        const { path, offset } = failure(
          each,
          version,
          Buffer.concat([bytes.subarray(0, tags.start), twice, bytes.subarray(tags.end)]),
        )
        expect([path, offset], `${each.name} v${version}`).toEqual([tags.path, tags.start])
      }
    }
  })
})

describe('nothing is allocated because bytes ask for it', { timeout: 120_000 }, () => {
  const sample = message({
    name: 'Sample',
    versions: [0, 1],
    flexible: 1,
    shape: { list: array({ a: int64, b: array(struct({ c: string })) }) },
  })
  test('a count must fit, at the least size of an element, into what is left', () => {
    const reason = (hex: string, version: number) => failure(sample, version, Buffer.from(hex, 'hex')).message
    expect(reason(`00000002${'00'.repeat(23)}`, 0)).toContain('2 elements of 12 bytes or more, and 23 bytes left')
    expect(reason(`03${'00'.repeat(19)}`, 1)).toContain('2 elements of 10 bytes or more, and 19 bytes left')
  })
  test.each([
    ['int32s', '00000002'],
    ['compactInt32s', '03'],
  ] as const)('so must that of %s, which are read in one loop, before there is room made for them', (verb, count) => {
    const read = (left: string) => new Reader(Buffer.from(count + left, 'hex'))[verb]()
    expect(read('0000000700000008')).toEqual([7, 8])
    expect(() => read('00000007000000')).toThrow('2 elements of 4 bytes or more, and 7 bytes left')
  })
  test('what a frame becomes in memory is bounded by its size, whatever of the shortest elements and unknown tags it is made of', () => {
    const newest = new Map<Message, number>(everyVersion())
    for (const [each, version] of newest) {
      const layout = new Layout(each, version)
      for (const [name, { wire, presence }] of Object.entries(each.shape as Shape)) {
        if (wire.kind !== 'array' || !layout.onWire(presence) || presence.tag !== undefined) continue
        // Longer ones are as many objects for more bytes.
        if (layout.leastBytes(wire.element) > 3) continue
        const message = shortest(layout, { kind: 'struct', shape: each.shape }) as object
        const elements = Array(20_000).fill(shortest(layout, wire.element, true))
        const bytes = encodeMessage(each, version, { ...message, [name]: elements } as never)
        expect(heapOf(() => decodeMessage(each, version, bytes)) / bytes.length, `${each.name}.${name}`).toBeLessThan(MOST_TIMES)
      }
    }
  })
})

/** Most of what a byte on the wire can become in memory: an empty list, or a struct of them (DESIGN.md, D1). */
const MOST_TIMES = 64

/** The value of fewest bytes on the wire; with `withTag` structs end with an unknown tag, empty. */
function shortest(layout: Layout, wire: Wire, withTag = false): unknown {
  if (wire.kind !== 'struct') return defaultOf(wire, ALWAYS)
  const value: { [name: string]: unknown; [unknownTags]?: Buffer } = {}
  let lastTag = -1
  for (const [name, { wire: each, presence }] of Object.entries(wire.shape)) {
    if (!layout.onWire(presence)) continue
    if (presence.tag !== undefined) lastTag = Math.max(lastTag, presence.tag)
    else value[name] = layout.nullable(presence) && each.kind === 'struct' ? null : shortest(layout, each)
  }
  if (withTag && layout.flexible) value[unknownTags] = Buffer.from([lastTag + 1, 0])
  return value
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes that the result keeps alive. */
function heapOf(make: () => unknown): number {
  collectGarbage()
  const before = process.memoryUsage()
  const kept = make()
  collectGarbage()
  const after = process.memoryUsage()
  if (kept === undefined) throw new Error('nothing was made')
  return after.heapUsed + after.external - before.heapUsed - before.external
}
