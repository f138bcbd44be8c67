import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_BYTES, MIN_BYTES, RepeatedStrings } from '../../src/protocol/repeated-strings.ts'

const utf8 = () => new RepeatedStrings((buffer, start, end) => buffer.utf8Slice(start, end))
function read(strings: RepeatedStrings, text: Uint8Array): string {
  const buffer = Buffer.concat([Buffer.from('before'), text, Buffer.from('after')])
  return strings.text(buffer, new DataView(buffer.buffer, buffer.byteOffset, buffer.length), 6, 6 + text.length)
}

test('whatever the bytes and however often they come, the string is what decoding them gives', () => {
  // One table for all runs, so that slots are taken, kept, met by others and given up.
  const strings = utf8()
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: MIN_BYTES, maxLength: MAX_BYTES }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 4 }),
      (texts, times) => {
        for (let i = 0; i < times; i++) for (const text of texts) expect(read(strings, text)).toBe(Buffer.from(text).toString())
      },
    ),
  )
})

test('strings that differ in one byte, or in length alone, are told apart once they are remembered', () => {
  const strings = utf8()
  const names = Array.from({ length: 2000 }, (_, i) => Buffer.from(`topic-of-the-shop-${i}`))
  const zeros = Array.from({ length: MAX_BYTES - MIN_BYTES + 1 }, (_, i) => Buffer.alloc(MIN_BYTES + i))
  for (let i = 0; i < 3; i++) for (const text of [...names, ...zeros]) expect(read(strings, text)).toBe(text.toString())
})

test('a string that begins as a longer one does, and has its hash, is told apart from it', () => {
  const strings = utf8()
  // Their words are the same up to the last of the shorter one, and the hash takes in the length with the last word.
  const longer = Buffer.from('616263640530cc3f', 'hex')
  for (let i = 0; i < 3; i++) expect(read(strings, longer)).toBe(longer.toString())
  for (let i = 0; i < 3; i++) expect(read(strings, Buffer.from('abcd'))).toBe('abcd')
})

/** Counts what is decoded. */
function counting(): { strings: RepeatedStrings; decoded: number } {
  const count = {
    decoded: 0,
    strings: new RepeatedStrings((buffer, start, end) => {
      count.decoded++
      return buffer.utf8Slice(start, end)
    }),
  }
  return count
}

test('a string that repeats is decoded twice at most', () => {
  const count = counting()
  for (let i = 0; i < 10; i++) read(count.strings, Buffer.from('orders'))
  expect(count.decoded).toBe(2)
})

test.each([
  ['members', (i: number) => `billing-${i}-0f1e2d3c`],
  ['topics', (i: number) => `shop.orders.region-${i}`],
  ['hosts', (i: number) => `kafka-${i}.example.com`],
  ['names that begin with what differs', (i: number) => `${i}-orders`],
])('a hundred %s that differ in one place are nearly all remembered', (_, name) => {
  const count = counting()
  const names = Array.from({ length: 100 }, (_, i) => Buffer.from(name(i)))
  for (let i = 0; i < 3; i++) {
    count.decoded = 0
    for (const text of names) read(count.strings, text)
  }
  expect(count.decoded).toBeLessThan(5)
})
