import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import {
  bytes,
  float64,
  int32,
  int64,
  json,
  nullable,
  type Serde,
  type SerdeContext,
  type SerdeType,
  type StandardSchema,
  string,
  uuid,
} from '../../src/serde/index.ts'

const context: SerdeContext = { topic: 't', part: 'value' }
const hex = (value: Uint8Array | null) => value && Buffer.from(value).toString('hex')
const roundTrip = <T>(serde: Serde<T>, value: T): T => serde.deserialize(serde.serialize(value, context), context)
/** The value in the middle of a larger buffer, read in place. */
const inPlace = <T>(serde: Serde<T>, value: T): T => {
  const written = Buffer.from(serde.serialize(value, context) ?? [])
  const frame = Buffer.concat([Buffer.from('xxx'), written, Buffer.from('yyy')])
  return serde.deserializeRange!(frame, 3, 3 + written.length, context)
}

describe('bytes as the Java serializers write them', () => {
  test.each([
    ['int32', () => int32.serialize(-2, context), 'fffffffe'],
    ['int64', () => int64.serialize(2n ** 53n + 1n, context), '0020000000000001'],
    ['float64', () => float64.serialize(1.5, context), '3ff8000000000000'],
    ['string', () => string.serialize('é', context), 'c3a9'],
    ['empty string', () => string.serialize('', context), ''],
    ['json', () => json().serialize({ a: [1, null] }, context), Buffer.from('{"a":[1,null]}').toString('hex')],
    [
      'uuid, as text',
      () => uuid.serialize('0123abcd-0000-4000-8000-00000000000f', context),
      '30313233616263642d303030302d343030302d383030302d303030303030303030303066',
    ],
  ])('%s', (_, write, expected) => expect(hex(write())).toBe(expected))
})

describe('what is written comes back, also from the middle of a frame', () => {
  test('int32', () => {
    for (const value of [0, -1, 2 ** 31 - 1, -(2 ** 31)]) {
      expect(roundTrip(int32, value)).toBe(value)
      expect(inPlace(int32, value)).toBe(value)
    }
  })
  test('int64', () => {
    for (const value of [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(roundTrip(int64, value)).toBe(value)
      expect(inPlace(int64, value)).toBe(value)
    }
  })
  test('float64', () => {
    for (const value of [0, -0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324]) {
      expect(roundTrip(float64, value)).toBe(value)
      expect(inPlace(float64, value)).toBe(value)
    }
  })
  test('string', () => {
    for (const value of ['', 'a', '€ 𝄞']) {
      expect(roundTrip(string, value)).toBe(value)
      expect(inPlace(string, value)).toBe(value)
    }
  })
  test('json', () => {
    expect(roundTrip(json(), { a: '€' })).toEqual({ a: '€' })
    expect(inPlace(json(), [1, 2])).toEqual([1, 2])
    expect(roundTrip(json(), null)).toBeNull()
  })
  test('bytes are not interpreted, whatever they hold (R30)', () => {
    const binary = Uint8Array.of(0xff, 0xfe, 0, 0x80)
    expect(bytes.serialize(binary, context)).toBe(binary)
    expect(hex(inPlace(bytes, binary))).toBe('fffe0080')
  })
})

describe('null and empty differ', () => {
  test('bytes and nullable pass null, and only null', () => {
    for (const serde of [bytes, nullable(string), nullable(json())]) {
      expect(serde.serialize(null, context)).toBeNull()
      expect(serde.deserialize(null, context)).toBeNull()
      expect(serde.deserializeRange!(Buffer.from('x'), 1, 0, context)).toBeNull()
    }
    expect(hex(nullable(string).serialize('', context))).toBe('')
    expect(nullable(string).deserialize(Buffer.alloc(0), context)).toBe('')
    expect(nullable(string).deserializeRange!(Buffer.from('x'), 1, 1, context)).toBe('')
  })
  test.each([
    ['string', string],
    ['int32', int32],
    ['uuid', uuid],
    ['json()', json()],
  ] as [string, Serde<unknown>][])('%s refuses null and names nullable', (name, serde) => {
    expect(() => serde.deserialize(null, context)).toThrow(`nullable(${name})`)
    if (name !== 'json()') expect(() => serde.serialize(null, context)).toThrow(`nullable(${name})`)
  })
  test('a serde without reading in place stays without it', () => expect(nullable(uuid).deserializeRange).toBeUndefined())
})

describe('what a serde cannot hold is an error that says so', () => {
  const untyped = (serde: Serde<never>) => serde as Serde<unknown>
  test.each([
    ['int32 of 2^31', () => int32.serialize(2 ** 31, context), 'not a whole number of 32 bits'],
    ['int32 of a fraction', () => int32.serialize(0.5, context), 'not a whole number of 32 bits'],
    ['int64 of 2^63', () => int64.serialize(2n ** 63n, context), 'not a bigint of 64 bits'],
    ['int64 of a number', () => untyped(int64 as Serde<never>).serialize(1, context), 'not a bigint of 64 bits'],
    ['string of an object', () => untyped(string as Serde<never>).serialize({}, context), 'the value is a object'],
    ['bytes of a string', () => untyped(bytes as Serde<never>).serialize('x', context), 'pass key/value serdes'],
    ['uuid of other text', () => uuid.serialize('x', context), 'not a UUID'],
    ['json of a bigint', () => json().serialize(1n, context), 'no JSON form'],
    ['json of undefined', () => json().serialize(undefined, context), 'no JSON form'],
  ])('writing %s', (_, write, message) => {
    expect(write).toThrow(expect.objectContaining({ code: 'ERR_SERIALIZATION', message: expect.stringContaining(message) }))
  })
  test.each([
    ['int32 of 5 bytes', () => int32.deserialize(Buffer.alloc(5), context), '5 bytes where int32 has 4'],
    ['int64 of a range of 4', () => int64.deserializeRange!(Buffer.alloc(9), 2, 6, context), '4 bytes where int64 has 8'],
    ['json of text', () => json().deserialize(Buffer.from('{'), context), 'not JSON'],
    ['uuid of text', () => uuid.deserialize(Buffer.from('{'), context), 'not a UUID'],
  ])('reading %s', (_, read, message) => {
    expect(read).toThrow(expect.objectContaining({ code: 'ERR_DESERIALIZATION', message: expect.stringContaining(message) }))
  })
})

describe('json with a schema', () => {
  const Order = z.object({ id: z.string(), at: z.coerce.date() })

  test('checks and transforms what is read', () => {
    const order = { id: 'o', at: new Date(5) }
    expect(roundTrip(json(Order), order)).toEqual(order)
  })
  test('names the path of what does not fit', () => {
    expect(() => json(Order).deserialize(Buffer.from('{"id":1,"at":0}'), context)).toThrow(/does not fit its schema \(id: /)
  })
  test('lets writes pass unless told to check them', () => {
    const wrong = { id: 1 } as unknown as z.output<typeof Order>
    expect(json(Order).serialize(wrong, context)).not.toBeNull()
    expect(() => json(Order, { checkWrites: true }).serialize(wrong, context)).toThrow('would not be readable')
  })
  test('refuses a schema that answers with a promise', async () => {
    const slow: StandardSchema<unknown, string> = {
      '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('late')) },
    }
    expect(() => json(slow).deserialize(Buffer.from('"x"'), context)).toThrow('synchronously')
  })
  test('types follow the schema', () => {
    const order = json(Order)
    expectTypeOf<SerdeType<typeof order>>().toEqualTypeOf<{ id: string; at: Date }>()
    expectTypeOf(json()).toEqualTypeOf<Serde<unknown>>()
    expectTypeOf(nullable(string)).toEqualTypeOf<Serde<string | null>>()
  })
})
