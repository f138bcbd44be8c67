import { describe, expect, test } from 'vitest'
import { addressText, bootstrapAddresses } from '../../src/util/address.ts'

describe('bootstrap servers', () => {
  test.each([
    ['localhost:9092', [{ host: 'localhost', port: 9092 }]],
    [
      'a:1, b:2,',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
    ],
    ['kafka', [{ host: 'kafka', port: 9092 }]],
    ['[::1]:9093', [{ host: '::1', port: 9093 }]],
    ['[fe80::1%eth0]', [{ host: 'fe80::1%eth0', port: 9092 }]],
    ['SASL_SSL://b-1.example.com:9096', [{ host: 'b-1.example.com', port: 9096 }]],
    [
      ['a:1', 'b:2,c:3'],
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
        { host: 'c', port: 3 },
      ],
    ],
  ])('%j', (given, expected) => {
    expect(bootstrapAddresses(given)).toEqual(expected)
  })

  test.each(['', ' , ', 'a:b', 'a:0', 'a:70000', 'http://a:1/path', '::1:9092', 'a b:1', ':9092'])(
    '%j is refused with the fix',
    given => {
      expect(() => bootstrapAddresses(given)).toThrow(/expected|at least one/)
    },
  )

  test.each(['kafka://alice:s3,cret@host:9092', 'alice:s3,cret@host', ['a:1', 's3,cret@host:x']])(
    'credentials in %j are refused, and not repeated',
    given => {
      expect(() => bootstrapAddresses(given)).toThrow(/^holds an '@': expected 'host:port' only.*sasl option$/)
    },
  )

  test('an address is written as it is read', () => {
    for (const text of ['a:1', '[::1]:2']) expect(bootstrapAddresses(text).map(addressText)).toEqual([text])
  })
})
