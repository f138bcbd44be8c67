import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { UnsupportedVersionError } from '../../src/errors.ts'
import { DescribeCluster, Metadata } from '../../src/protocol/apis/index.ts'
import { closures } from '../../src/protocol/closures.ts'
import { codec, sourceOf } from '../../src/protocol/compile.ts'
import { Layout } from '../../src/protocol/presence.ts'
import {
  array,
  bool,
  bytes,
  type Encodable,
  int8,
  int16,
  int32,
  int64,
  type Message,
  message,
  type Shape,
  string,
  struct,
  uint16,
  uuid,
} from '../../src/protocol/schema.ts'
import { Reader, unknownTags, Writer } from '../../src/protocol/wire.ts'
import { allMessages, everyVersion } from './all-messages.ts'
import { Random, randomMessage } from './random-message.ts'

const encoded = <M extends Message>(of: M, version: number, value: Encodable<M>, capacity?: number): Buffer => {
  const writer = new Writer(capacity)
  codec(of, version).encode(writer, value)
  return writer.finish()
}
const decoded = <M extends Message>(of: M, version: number, frame: Buffer) => codec(of, version).decode(new Reader(frame))
const define = <S extends Shape>(shape: S, flexible?: number) => message({ name: 'Sample', versions: [0, 9], flexible, shape })

describe('the generated codec', { timeout: 60_000 }, () => {
  test('agrees with the closures, whatever the message, the version, and the room of the writer', () => {
    const random = new Random(20)
    for (const [each, version] of everyVersion()) {
      const other = closures(new Layout(each, version))
      for (let i = 0; i < 8; i++) {
        const value = randomMessage(random, each, version, { unknownTags: true, gaps: true })
        const frame = encoded(each, version, value)
        const cramped = new Writer(1)
        other.encode(cramped, value)
        expect(cramped.finish().equals(frame), `${each.name} v${version}`).toBe(true)
        const reader = new Reader(frame)
        const back = codec(each, version).decode(reader)
        expect(reader.position).toBe(frame.length)
        expect(other.decode(new Reader(frame)), `${each.name} v${version}`).toEqual(back)
        expect(encoded(each, version, back, 1).equals(frame), `${each.name} v${version}`).toBe(true)
      }
    }
  })

  test('refuses what the closures refuse, with the same words', () => {
    const random = new Random(21)
    const outcome = (run: () => unknown) => {
      try {
        return run()
      } catch (error) {
        return (error as Error).message
      }
    }
    for (const [each, version] of everyVersion()) {
      // A value of another version: fields may be lost, or null where that is not allowed.
      const foreign = randomMessage(random, each, each.versions[1])
      const ours = outcome(() => encoded(each, version, foreign).toString('hex'))
      const theirs = outcome(() => {
        const writer = new Writer()
        closures(new Layout(each, version)).encode(writer, foreign)
        return writer.finish().toString('hex')
      })
      expect(theirs).toBe(ours)
    }
  })

  test('gives all versions of a message the same members in the same order', () => {
    const v1 = decoded(Metadata.response, 1, encoded(Metadata.response, 1, { brokers: [], topics: [] }))
    const v12 = decoded(Metadata.response, 12, encoded(Metadata.response, 12, { brokers: [], topics: [] }))
    expect(Object.keys(v1)).toEqual(Object.keys(v12))
    expect(Object.keys(v1)).toEqual(Object.keys(Metadata.response.shape))
  })

  test('gives them one hidden class, so that code which reads them stays monomorphic', () => {
    const program = `
      import { codec } from ${JSON.stringify(new URL('../../src/protocol/compile.ts', import.meta.url).href)}
      import { Metadata } from ${JSON.stringify(new URL('../../src/protocol/apis/03-metadata.ts', import.meta.url).href)}
      import { Reader, Writer } from ${JSON.stringify(new URL('../../src/protocol/wire.ts', import.meta.url).href)}
      const sameMap = new Function('a', 'b', 'return %HaveSameMap(a, b)')
      const [v1, v6, v12] = [1, 6, 12].map(version => {
        const writer = new Writer()
        codec(Metadata.response, version).encode(writer, { brokers: [{ nodeId: 1, host: 'a', port: 9092 }], topics: [] })
        return codec(Metadata.response, version).decode(new Reader(writer.finish()))
      })
      console.log(sameMap(v1, v6), sameMap(v6, v12), sameMap(v1.brokers[0], v12.brokers[0]))`
    const flags = ['--allow-natives-syntax', '--import', 'tsx', '--input-type=module', '-e', program]
    expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('true true true\n')
  })

  test('is code for each message of Kafka: none falls back to closures', () => {
    for (const [each, version] of everyVersion())
      for (const direction of ['decode', 'encode'] as const)
        expect(() => new Function('runtime', sourceOf(new Layout(each, version), direction))).not.toThrow()
  })

  test('is readable, and named in stack traces and profiles', () => {
    const source = sourceOf(new Layout(Metadata.request, 4), 'decode')
    expect(source).toContain('const MetadataRequest_topics_item = (function (r)')
    expect(source).toContain('//# sourceURL=kafka:decode/MetadataRequest.v4.js')
  })

  test('knows only the versions its message declares', () => {
    expect(() => codec(Metadata.request, 14)).toThrow('MetadataRequest has versions 0 to 13, not 14')
    expect(() => codec(Metadata.request, -1)).toThrow(UnsupportedVersionError)
    expect(() => codec(Metadata.request, Number.NaN)).toThrow(UnsupportedVersionError)
    expect(() => codec(Metadata.request, 1.5)).toThrow(UnsupportedVersionError)
  })

  test('refuses a default that each message would need of its own', () => {
    expect(() => array(int32).default([1, 2])).toThrow('a default of array can be null only')
    expect(() => bytes.default(Buffer.from('ab'))).toThrow('a default of bytes can be null only')
    expect(() => struct({ a: int32 }).default({ a: 4 })).toThrow('a default of struct can be null only')
  })

  test('takes any name for a message and its fields, and such whose paths look alike', () => {
    const odd = message({
      name: 'My "message"!',
      versions: [0, 1],
      flexible: 0,
      shape: { a: array({ 'b-c': int32 }), a_item: struct({ 'd"': string }), 'e f': int32.tag(0), 'g.h': string.since(1) },
    })
    const value = { a: [{ 'b-c': 1 }], a_item: { 'd"': 'x' }, 'e f': 2, 'g.h': '' }
    expect(codec(odd, 0).decode(new Reader(encoded(odd, 0, value)))).toEqual(value)
    expect(() => encoded(odd, 0, { ...value, 'g.h': 'lost' })).toThrow('g.h')
  })

  test('gives way to closures where code generation is forbidden', () => {
    const program = `
      import { codec } from ${JSON.stringify(new URL('../../src/protocol/compile.ts', import.meta.url).href)}
      import { Metadata } from ${JSON.stringify(new URL('../../src/protocol/apis/03-metadata.ts', import.meta.url).href)}
      import { Reader, Writer } from ${JSON.stringify(new URL('../../src/protocol/wire.ts', import.meta.url).href)}
      let forbidden = false
      try { new Function('return 1') } catch (error) { forbidden = error instanceof EvalError }
      const writer = new Writer()
      codec(Metadata.request, 9).encode(writer, { topics: [{ name: 'orders' }] })
      const { topics } = codec(Metadata.request, 9).decode(new Reader(writer.finish()))
      console.log(forbidden, topics[0].name)`
    const flags = ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '-e', program]
    expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('true orders\n')
  })
})

describe('defaults', () => {
  test('stand for what is left out, and for what a version lacks', () => {
    const sample = define({
      a: int32.default(7),
      b: string.since(2).default('x').ignorable(),
      c: struct({ d: int64.default(-1n), e: array(int8) })
        .since(5)
        .ignorable(),
      f: bytes.nullable().default(null),
    })
    const value = { a: 7, b: 'x', c: { d: -1n, e: [] }, f: null }
    expect(decoded(sample, 0, encoded(sample, 0, {}))).toEqual(value)
    expect(decoded(sample, 9, encoded(sample, 9, {}))).toEqual(value)
  })

  test('of a flag is false, unless the definition says so; a number or a text has to be given', () => {
    const sample = define({ plain: bool, set: bool.default(true), until: bool.until(3), id: int32, name: string })
    expect(decoded(sample, 0, encoded(sample, 0, { id: 1, name: 'n' }))).toEqual({
      plain: false,
      set: true,
      until: false,
      id: 1,
      name: 'n',
    })
    // @ts-expect-error: the types say so as well
    expect(() => encoded(sample, 0, { name: 'n' })).toThrow()
    // @ts-expect-error
    expect(() => encoded(sample, 0, { id: 1 })).toThrow()
    const flags = { includeClusterAuthorizedOperations: false, includeFencedBrokers: false }
    expect(encoded(DescribeCluster.request, 2, {})).toEqual(encoded(DescribeCluster.request, 2, flags))
  })

  test('are made anew for each message, so that changing one does not change the next', () => {
    const sample = define({ list: array(int32).since(3), inner: struct({ list: array(int32) }).since(3) })
    const [first, second] = [0, 0].map(version => decoded(sample, version, encoded(sample, version, {})))
    first!.list.push(1)
    first!.inner.list.push(1)
    expect(second).toEqual({ list: [], inner: { list: [] } })
  })

  test("of a nullable field is null only where the definition says so (81 of Kafka's are not)", () => {
    const sample = define({ plain: string.nullable(), nil: string.nullable().default(null) }, 0)
    expect(() => encoded(sample, 0, {} as never)).toThrow()
    expect(decoded(sample, 0, encoded(sample, 0, { plain: '' }))).toEqual({ plain: '', nil: null })
    const tagged = define({ plain: string.nullable().tag(0), nil: string.nullable().default(null).tag(1) }, 0)
    expect(encoded(tagged, 0, { plain: '', nil: null })).toEqual(Buffer.from([0]))
    expect(encoded(tagged, 0, { plain: null, nil: '' })).toEqual(Buffer.from([2, 0, 1, 0, 1, 1, 1]))
  })
})

describe('null', () => {
  const sample = define({ since3: array(int32).nullableSince(3), never: string.default('') })
  test('is refused where the version does not allow it', () => {
    expect(() => encoded(sample, 2, { since3: null })).toThrow('Sample.since3 must not be null in this version')
    expect(() => encoded(sample, 3, { since3: [], never: null as never })).toThrow('Sample.never must not be null')
    expect(decoded(sample, 3, encoded(sample, 3, { since3: null })).since3).toBeNull()
  })
  test('is refused when it comes over the wire all the same', () => {
    expect(() => decoded(sample, 2, Buffer.from('ffffffff0000', 'hex'))).toThrow('Sample.since3 must not be null in this version')
  })
  test('structs: marker -1 or 1, and 0 or 1 as tagged fields', () => {
    const both = define({ a: struct({ x: int8 }).nullable(), b: struct({ x: int8 }).nullable().default(null).tag(0) }, 0)
    expect(encoded(both, 0, { a: null })).toEqual(Buffer.from([0xff, 0]))
    expect(encoded(both, 0, { a: { x: 5 }, b: { x: 6 } })).toEqual(Buffer.from([1, 5, 0, 1, 0, 3, 1, 6, 0]))
  })
})

describe('a value that the version has no field for', () => {
  const sample = define({ harmless: int32.since(5).default(-1).ignorable(), needed: string.since(5) })
  test('is dropped when ignorable', () => expect(encoded(sample, 4, { harmless: 3 })).toHaveLength(0))
  test('throws otherwise, unless it is the default', () => {
    expect(encoded(sample, 4, { needed: '' })).toHaveLength(0)
    expect(() => encoded(sample, 4, { needed: 'x' })).toThrow(UnsupportedVersionError)
    expect(() => encoded(sample, 4, { needed: 'x' })).toThrow('Sample.needed cannot be expressed in version 4')
  })
  test('names the direction in which there is a version for it', () => {
    expect(() => encoded(sample, 4, { needed: 'x' })).toThrow(
      'leave it out, or use version 5 or later (as { version: 5 } where Kafka may still change it)',
    )
    const gone = define({ old: string.until(3) })
    expect(() => encoded(gone, 4, { old: 'x' })).toThrow('a peer that speaks an earlier version')
  })
  test('is looked for inside of structs as well', () => {
    const nested = define({ inner: struct({ a: int32, b: int32.default(-1) }).since(5) })
    expect(encoded(nested, 4, { inner: { a: 0, b: -1 } })).toHaveLength(0)
    expect(() => encoded(nested, 4, { inner: { a: 1 } })).toThrow(UnsupportedVersionError)
  })
})

describe('tagged fields', () => {
  const sample = define({ second: int32.tag(1), first: string.tag(0), list: array(int16).tag(2) }, 0)
  test('are written in the order of their tags, and only when they differ from their default', () => {
    expect(encoded(sample, 0, { second: 0, first: '', list: [] })).toEqual(Buffer.from([0]))
    expect(encoded(sample, 0, { second: 1, first: 'a' })).toEqual(Buffer.from([2, 0, 2, 2, 97, 1, 4, 0, 0, 0, 1]))
  })
  test('of more than 127 bytes get a longer size', () => {
    const value = { second: 3, first: 'x'.repeat(20_000), list: Array.from({ length: 100 }, (_, i) => i) }
    expect(decoded(sample, 0, encoded(sample, 0, value, 1))).toEqual(value)
  })
  test('unknown here are kept, out of sight, and written again behind the known ones', () => {
    const frame = Buffer.from([3, 0, 2, 2, 97, 9, 1, 0xee, 200, 1, 0])
    const value = decoded(sample, 0, frame)
    expect(Object.keys(value)).toEqual(['second', 'first', 'list'])
    expect((value as { [unknownTags]?: unknown })[unknownTags]).toEqual(Buffer.from([9, 1, 0xee, 200, 1, 0]))
    expect(encoded(sample, 0, value)).toEqual(frame)
  })
  test('unknown here are copies: the frame may be overwritten afterwards', () => {
    const frame = Buffer.from([1, 9, 1, 0xee])
    const value = decoded(sample, 0, frame)
    frame.fill(0)
    expect(encoded(sample, 0, value)).toEqual(Buffer.from([1, 9, 1, 0xee]))
  })
  test('unknown here are kept though known ones stand between and behind them', () => {
    const sparse = define({ known: int8.tag(5) }, 0)
    const value = decoded(sparse, 0, Buffer.from([4, 3, 0, 5, 1, 1, 6, 1, 0xee, 9, 0]))
    expect(value).toEqual({ known: 1, [unknownTags]: Buffer.from([3, 0, 6, 1, 0xee, 9, 0]) })
  })
  test('unknown here do not survive in a version that has no tags', () => {
    const old = define({ a: int8 }, 5)
    const value = decoded(old, 5, Buffer.from([1, 1, 9, 0]))
    expect(() => encoded(old, 4, value)).toThrow(UnsupportedVersionError)
  })
  test.each([
    ['twice', [2, 9, 0, 9, 0], 'tag 9 follows tag 9'],
    ['out of order', [2, 9, 0, 3, 0], 'tag 3 follows tag 9'],
    ['longer than announced', [1, 1, 2, 0, 0, 0, 0], 'is 4 bytes long, not 2 as announced'],
    ['shorter than announced', [1, 1, 6, 0, 0, 0, 0, 0, 0], 'is 4 bytes long, not 6 as announced'],
  ])('%s are refused', (_, frame, text) => expect(() => decoded(sample, 0, Buffer.from(frame))).toThrow(text))
})

describe('numbers', () => {
  const all = define({
    int8: int8.default(0),
    int16: int16.default(0),
    uint16: uint16.default(0),
    int32: int32.default(0),
    int64: int64.default(0n),
  })
  test.each([
    ['int8', [-128, 127], [-129, 128, 0.5, Number.NaN]],
    ['int16', [-32768, 32767], [-32769, 32768]],
    ['uint16', [0, 65535], [-1, 65536]],
    ['int32', [-(2 ** 31), 2 ** 31 - 1], [-(2 ** 31) - 1, 2 ** 31]],
    ['int64', [-(1n << 63n), (1n << 63n) - 1n], [-(1n << 63n) - 1n, 1n << 63n]],
  ])('%s is taken up to its limits and never wrapped', (name, good, bad) => {
    for (const value of good) expect(decoded(all, 0, encoded(all, 0, { [name]: value }))).toMatchObject({ [name]: value })
    for (const value of bad) expect(() => encoded(all, 0, { [name]: value })).toThrow(`is no ${name}`)
  })
  test('of the wrong type are refused', () => {
    expect(() => encoded(all, 0, { int64: 1 as never })).toThrow()
    expect(() => encoded(all, 0, { int32: '1' as never })).toThrow()
  })
})

describe('varints', () => {
  const read = (hex: string) => new Reader(Buffer.from(hex, 'hex')).uvarint()
  test('have up to 32 bits in up to 5 bytes', () => {
    expect([read('7f'), read('8001'), read('ffffffff0f')]).toEqual([127, 128, 2 ** 32 - 1])
    expect(read('808000')).toBe(0)
  })
  test.each(['ffffffff10', '8080808010', 'ffffffffff01'])('of more (%s) are refused', hex =>
    expect(() => read(hex)).toThrow('a varint of more than 32 bits'),
  )
})

describe('text', () => {
  const sample = define({ text: string }, 5)
  test('is UTF-8; what is no UTF-8 is replaced, as Java does', () => {
    expect(encoded(sample, 0, { text: 'ä€𝄞' })).toEqual(Buffer.from('0009c3a4e282acf09d849e', 'hex'))
    expect(decoded(sample, 0, Buffer.from('0004c361ff62', 'hex')).text).toBe('\ufffda\ufffdb')
  })
  test.each([
    ['eda080', '\ufffd'],
    ['eda0', '\ufffd'],
    ['eda041', '\ufffdA'],
    ['ed9fbf', '\ud7ff'],
    ['61eda080edb08062c3', 'a\ufffd\ufffdb\ufffd'],
  ])('with an encoded surrogate (%s) is replaced once, not byte by byte', (hex, text) => {
    expect(decoded(sample, 5, Buffer.from([hex.length / 2 + 1, ...Buffer.from(hex, 'hex'), 0])).text).toBe(text)
  })
  test('of more than 32767 bytes is refused in both directions', () => {
    for (const version of [0, 5]) {
      expect(decoded(sample, version, encoded(sample, version, { text: 'a'.repeat(32767) })).text).toHaveLength(32767)
      expect(() => encoded(sample, version, { text: 'ä'.repeat(16384) })).toThrow('a string of 32768 bytes')
    }
    expect(() => decoded(sample, 5, Buffer.concat([Buffer.from([0x81, 0x80, 2]), Buffer.alloc(40_000)]))).toThrow(
      'a string of 32768 bytes',
    )
  })
  test('an uuid has 22 signs of url-safe base64', () => {
    const id = define({ id: uuid })
    expect(decoded(id, 0, encoded(id, 0, { id: '_-AAAAAAAAAAAAAAAAAAAA' })).id).toBe('_-AAAAAAAAAAAAAAAAAAAA')
    for (const wrong of ['', 'AAAA', 'A'.repeat(23), '!'.repeat(22)])
      expect(() => encoded(id, 0, { id: wrong })).toThrow('is no uuid')
  })
})

test('there is a schema for every message that this suite is about', () => expect(allMessages.length).toBeGreaterThan(160))
