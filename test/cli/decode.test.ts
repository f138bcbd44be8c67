import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ApiVersions, Fetch, Metadata, Produce, SaslHandshake } from '../../src/protocol/apis/index.ts'
import { encodeRequest, encodeResponse } from '../../src/protocol/frame.ts'
import { BatchBuilder } from '../../src/protocol/records/index.ts'
import { type CapturedSegment, pcap, pcapng } from './capture-file.ts'
import { decode } from './decoded.ts'

const folder = mkdtempSync(join(tmpdir(), 'kafkawire-decode-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

const request = Buffer.concat(
  encodeRequest(Metadata, 12, { correlationId: 3, clientId: 'shop' }, { topics: [{ name: 'orders' }] }),
)
const response = Buffer.concat(
  encodeResponse(Metadata, 12, 3, { brokers: [{ nodeId: 1, host: 'kafka', port: 9092 }], clusterId: 'c', topics: [] }),
)

describe('bytes', () => {
  test('hex on the command line is shown field by field, with offsets', async () => {
    const { code, text } = await decode(request.toString('hex'))
    expect(code).toBe(0)
    expect(text).toContain('→ Metadata v12 request · correlation 3 · 43 bytes')
    expect(text).toMatch(/^ +36 +7 +name "orders"$/m)
  })

  test('a binary file and a file of hex say the same, and several frames follow each other', async () => {
    const twice = Buffer.concat([request, request])
    const binary = await decode(file('binary', twice))
    const hex = await decode(file('hex', Buffer.from(twice.toString('hex'))))
    expect(binary).toEqual(hex)
    expect(binary.text.match(/→ Metadata/g)).toHaveLength(2)
  })

  test('a response is read as the answer to the request named', async () => {
    const { code, text } = await decode(response.toString('hex'), '--response', 'Metadata@12')
    expect(code).toBe(0)
    expect(text).toMatch(/host "kafka"/)
    expect((await decode(response.subarray(4).toString('hex'), '--bare', '--response', 'Metadata@12')).text).toMatch(
      /host "kafka"/,
    )
  })

  test('truncated at any byte, it is shown up to there and the reason is given', async () => {
    for (let size = 1; size < request.length; size++) {
      const { code, text } = await decode(request.subarray(0, size).toString('hex'))
      expect(code, `${size} bytes`).toBe(1)
      expect(text, `${size} bytes`).toMatch(/✗ byte \d+: /)
    }
    expect((await decode(request.subarray(0, 38).toString('hex'))).text).toContain('clientId "shop"')
  })

  test('what is no Kafka says what it might be', async () => {
    expect((await decode('160301020000')).text).toContain('TLS')
    expect((await decode(Buffer.from('HTTP/1.1 400').toString('hex'))).text).toMatch(/✗ byte 0: .*1213486160/)
    await expect(decode('nonsense')).rejects.toThrow('neither a file nor hex')
    await expect(decode(response.toString('hex'), '--response', 'Metadata')).rejects.toThrow('Metadata@12')
    await expect(decode(response.toString('hex'), '--response', 'Metadata@99')).rejects.toThrow('versions 0 to 13')
  })

  test('a file may be larger than a string can be', async () => {
    const path = file('huge', request)
    truncateSync(path, 0x2000_0000)
    const { code, text } = await decode(path)
    expect(text).toContain('name "orders"')
    expect(text).toContain(`✗ byte ${request.length}: a frame of 0 bytes makes no sense`)
    expect(code).toBe(1)
  })

  test('a response that is cut off within its first bytes is said to be', async () => {
    for (const bytes of ['', '00', '0000', '000000'])
      expect(await decode('--response', 'Metadata@12', `00000010${bytes}`), bytes).toMatchObject({
        code: 1,
        text: expect.stringContaining(`✗ byte 0: the frame claims 16 bytes, ${bytes.length / 2} follow`),
      })
    const { code, text } = await decode('--bare', '--response', 'Metadata@12', '0000')
    expect(text).toBe('✗ byte 0: 2 bytes are too few for a response header')
    expect(code).toBe(1)
  })

  test('hex digits that end in half a byte, or in what is none, are shown up to there', async () => {
    const half = await decode(request.toString('hex').slice(0, -1))
    expect(half.text).toContain('name "orders"')
    expect(half.text).toContain(`✗ byte ${request.length - 1}: half a byte is left`)
    expect(half.code).toBe(1)
    expect(await decode(file('half', Buffer.from(request.toString('hex').slice(0, -1))))).toEqual(half)
    const other = await decode(file('other', Buffer.from(`${request.toString('hex')} and so on`)))
    expect(other.text).toContain('name "orders"')
    expect(other.text).toContain('✗ byte 47: "n" is no hex digit')
    expect(other.code).toBe(1)
  })

  test('hex dumps of xxd and hexdump are read by their columns, up to a line that does not follow', async () => {
    const rows = (form: (at: number, row: Buffer) => string) =>
      Array.from({ length: Math.ceil(request.length / 16) }, (_, i) => form(16 * i, request.subarray(16 * i, 16 * i + 16)))
    const offset = (at: number) => at.toString(16).padStart(8, '0')
    const characters = (row: Buffer) => row.toString('latin1').replace(/[^ -~]/g, '.')
    const hex = (row: Buffer) => row.toString('hex')
    const dumps = {
      xxd: rows(
        (at, row) =>
          `${offset(at)}: ${hex(row)
            .replace(/.{1,4}/g, '$& ')
            .padEnd(40)} ${characters(row)}`,
      ),
      hexdump: rows(
        (at, row) =>
          `${offset(at)}  ${hex(row)
            .replace(/.{16}/, '$& ')
            .replace(/[0-9a-f]{2}/g, '$& ')
            .padEnd(49)} |${characters(row)}|`,
      ),
    }
    const expected = await decode(request.toString('hex'))
    for (const [name, lines] of Object.entries(dumps)) {
      const dump = `${[...lines, ...(name === 'hexdump' ? [offset(request.length)] : [])].join('\n')}\n`
      expect(await decode(file(name, Buffer.from(dump))), name).toEqual(expected)
      const gap = await decode(file(name, Buffer.from([lines[0], lines[2]].join('\n'))))
      expect(gap.text, name).toContain('✗ byte 16: line 2 begins at byte 0x00000020, not 0x10')
      expect(gap.code, name).toBe(1)
      const strange = await decode(file(name, Buffer.from([lines[0], 'and so on', lines[2]].join('\n'))))
      expect(strange.text, name).toContain('✗ byte 16: line 2 is no line of the dump')
    }
  })

  const zeros = Buffer.concat([Buffer.from([0, 0, 0, 80, 0, 3]), Buffer.alloc(71), Buffer.from('end')])

  test.each([
    [
      'hexdump -C',
      `00000000  00 00 00 50 00 03 00 00  00 00 00 00 00 00 00 00  |...P............|
00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
*
00000040  00 00 00 00 00 00 00 00  00 00 00 00 00 65 6e 64  |.............end|
00000050
`,
    ],
    [
      'od -A x -t x1z',
      `000000 00 00 00 50 00 03 00 00 00 00 00 00 00 00 00 00  >...P............<
000010 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  >................<
*
000040 00 00 00 00 00 00 00 00 00 00 00 00 00 65 6e 64  >.............end<
000050
`,
    ],
    [
      'od -A x -t x1 of macOS',
      `0000000    00  00  00  50  00  03  00  00  00  00  00  00  00  00  00  00
0000010    00  00  00  00  00  00  00  00  00  00  00  00  00  00  00  00
*
0000040    00  00  00  00  00  00  00  00  00  00  00  00  00  65  6e  64
0000050
`,
    ],
  ])('lines that %s leaves out, as they repeat, are put back', async (_, dump) => {
    expect(await decode(file('repeats', Buffer.from(dump)))).toEqual(await decode(zeros.toString('hex')))
    const twice = await decode(file('repeats', Buffer.from(dump.replace('40 ', '41 '))))
    expect(twice.text).toMatch(/✗ byte 32: line 4 begins at byte 0x0*41, not 0x20/)
    const open = await decode(file('repeats', Buffer.from(dump.slice(0, dump.indexOf('*') + 1))))
    expect(open.text).toContain('✗ byte 32: the dump ends in lines that it leaves out')
    const endless = await decode(file('repeats', Buffer.from(`${dump.slice(0, dump.indexOf('*') + 1)}\n80000000\n`)))
    expect(endless.text).toContain('✗ byte 32: line 4 begins at byte 0x80000000, not 0x20')
  })

  test('a byte order mark in front of hex digits or a dump is none of them', async () => {
    const expected = await decode(request.toString('hex'))
    const text = `\ufeff${request.toString('hex')}\r\n`
    for (const encoding of ['utf8', 'utf16le'] as const)
      expect(await decode(file('marked', Buffer.from(text, encoding))), encoding).toEqual(expected)
  })

  test('binary digits are not taken for hex digits', async () => {
    const line = '00000000: 00000000 00000000 00000000 00000010 00000000 00000011  ......'
    await expect(decode(file('binary-digits', Buffer.from(line)))).rejects.toThrow('binary digits, as xxd -b prints them')
    await expect(decode(file('binary-digits', Buffer.from(`${line}\n${line}`)))).rejects.toThrow('binary digits')
    const grouped = '00000000: 00000010 00000011 00000001 00000000  ................'
    expect((await decode(file('grouped', Buffer.from(grouped)))).text).toContain('Produce v17 request')
  })

  test.each([
    ['a line that is almost one of xxd', `00000000: ${'0'.repeat(4000)}|x\n`],
    [
      'a dump of a megabyte',
      Array.from({ length: 0x10000 }, (_, i) => `${(16 * i).toString(16).padStart(8, '0')}: ${'00'.repeat(16)}`).join('\n'),
    ],
    ['a dump with a line of blanks', `00000000: 0000\n00000002: 00${' '.repeat(300_000)}\rX\n`],
  ])('%s is told from a dump, or read as one, in time that its size is worth', { timeout: 5000 }, async (_, text) => {
    expect((await decode(file('slow', Buffer.from(text)))).code).toBe(1)
  })

  test('options and arguments that have no meaning for the input are refused', async () => {
    const capture = file('capture', pcap([]))
    await expect(decode(capture, '--port', 'abc')).rejects.toThrow('--port takes a number from 1 to 65535, not abc')
    await expect(decode(capture, '--port', '0')).rejects.toThrow('--port takes')
    await expect(decode(capture, '--bare')).rejects.toThrow('--response and --bare are for bytes')
    await expect(decode(capture, '--response', 'Metadata@12')).rejects.toThrow('--response and --bare are for bytes')
    await expect(decode(request.toString('hex'), '--port', '9092')).rejects.toThrow('--port is for captures')
    await expect(decode(capture, capture)).rejects.toThrow('one file at a time')
    await expect(decode(file('empty', Buffer.alloc(0)))).rejects.toThrow('no bytes to decode')
  })

  test('what a client calls itself neither fails the command nor steers the terminal', async () => {
    const clientId = '✗\u001b[31m\u202e\u009b\u007f\u2028'
    const { code, text } = await decode(
      Buffer.concat(encodeRequest(Metadata, 12, { correlationId: 3, clientId }, { topics: [] })).toString('hex'),
    )
    expect(text).toContain(String.raw`clientId "✗\u001b[31m\u{202e}\u{9b}\u{7f}\u{2028}"`)
    expect(code).toBe(0)
  })

  test('damaged records are named with their place; a batch that the limit of a fetch cuts short is no damage', async () => {
    const fetched = (records: Buffer) =>
      Buffer.concat(
        encodeResponse(Fetch, 12, 3, {
          responses: [{ topic: 'orders', partitions: [{ partitionIndex: 0, errorCode: 0, highWatermark: 1n, records }] }],
        }),
      )
    const builder = new BatchBuilder({ codec: 'none' })
    builder.append({ key: null, value: Buffer.from('v'), timestamp: 1 })
    const batch = Buffer.from(await builder.finish({}))
    const cut = await decode(fetched(Buffer.concat([batch, batch.subarray(0, 30)])).toString('hex'), '--response', 'Fetch@12')
    expect(cut.text).toContain(`1 records, none, ${batch.length} bytes; 30 bytes of a batch cut short }`)
    expect(cut.code).toBe(0)
    const damaged = Buffer.concat([batch, batch])
    damaged[batch.length + 16] = 77 // the format
    const bytes = fetched(damaged)
    const { code, text } = await decode(bytes.toString('hex'), '--response', 'Fetch@12')
    expect(text).toContain(`${batch.length} bytes; ✗ }`)
    expect(text).toContain(
      `✗ byte ${bytes.indexOf(damaged) + batch.length}: responses[0].partitions[0].records: the batch at offset 0 claims format 77`,
    )
    expect(code).toBe(1)
  })

  test('an unknown API or version is named with its place', async () => {
    const unknown = Buffer.from(request)
    unknown.writeInt16BE(999, 4)
    expect((await decode(unknown.toString('hex'))).text).toContain('✗ byte 4: API key 999 is unknown')
    const newer = Buffer.from(request)
    newer.writeInt16BE(77, 6)
    expect((await decode(newer.toString('hex'))).text).toContain('✗ byte 6: Metadata has versions 0 to 13')
  })
})

describe('captures', () => {
  const fireAndForget = Buffer.concat(
    encodeRequest(Produce, 9, { correlationId: 2, clientId: null }, { acks: 0, timeoutMs: 1, topicData: [] }),
  )
  const client = (sequence: number, payload: Uint8Array, syn = false): CapturedSegment => ({
    sourcePort: 50000,
    targetPort: 9092,
    sequence,
    payload,
    syn,
  })
  const broker = (sequence: number, payload: Uint8Array): CapturedSegment => ({
    sourcePort: 9092,
    targetPort: 50000,
    sequence,
    payload,
  })
  const nothing = new Uint8Array()

  test.each([
    ['pcap', pcap],
    ['pcapng', pcapng],
  ])(
    '%s: requests and responses are paired, segments put in order, repeats dropped, sequence numbers wrap',
    async (name, write) => {
      const start = 0xffff_fff0
      const capture = write([
        client(start, nothing, true),
        client((start + 1 + fireAndForget.length) >>> 0, request.subarray(0, 10)),
        client(start + 1, fireAndForget),
        client(start + 1, fireAndForget),
        broker(100 + 7, response.subarray(7)),
        client((start + 11 + fireAndForget.length) >>> 0, request.subarray(10)),
        broker(100, response.subarray(0, 7)),
      ])
      const { code, text } = await decode(file(name, capture))
      expect(text).toMatch(
        /Produce v9 request[\s\S]*→ Metadata v12 request[\s\S]*← Metadata v12 response · correlation 3[\s\S]*host "kafka"/,
      )
      expect(text).not.toContain('✗')
      expect(text, 'with acks 0 there is no answer to be missed').not.toContain('no answer')
      expect(code).toBe(0)
    },
  )

  test('an answer that is missing, or answers something else, is said to be', async () => {
    expect((await decode(file('missing', pcap([client(1, request)])))).text).toContain('no answer to correlation 3')
    const other = Buffer.concat(encodeResponse(Metadata, 12, 8, { brokers: [], topics: [] }))
    const { code, text } = await decode(file('other', pcap([client(1, request), broker(1, other)])))
    expect(text).toContain('correlation 8 answers no request; 3 was expected')
    expect(code).toBe(1)
  })

  test('a request that cannot be read, or an answer that is missing, does not mislead about later ones', async () => {
    const unknown = Buffer.from(request)
    unknown.writeInt16BE(999, 4)
    unknown.writeInt32BE(1, 8)
    const unanswered = Buffer.from(request)
    unanswered.writeInt32BE(2, 8)
    const odd = Buffer.from(response)
    odd.writeInt32BE(1, 4)
    const { text } = await decode(
      file('later', pcap([client(1, Buffer.concat([unknown, unanswered, request])), broker(1, Buffer.concat([odd, response]))])),
      '--port',
      '9092',
    )
    expect(text).toMatch(
      /API key 999 is unknown[^→]*\n← response · correlation 1 [\s\S]*no answer to correlation 2[\s\S]*← Metadata v12 response · correlation 3 [\s\S]*host "kafka"/,
    )
    expect(text).not.toContain('answers no request')
  })

  test('the refusal of an ApiVersions request is read in the version it has', async () => {
    const asked = Buffer.concat(encodeRequest(ApiVersions, 4, { correlationId: 3, clientId: null }, {}))
    const refusal = Buffer.concat(
      encodeResponse(ApiVersions, 0, 3, { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 2 }] }),
    )
    const { code, text } = await decode(file('refusal', pcap([client(1, asked), broker(1, refusal)])))
    expect(text).toMatch(/← ApiVersions v0 response[\s\S]*errorCode 35[\s\S]*maxVersion 2/)
    expect(code).toBe(0)
  })

  test('an ApiVersions request newer than what is known here does not keep the rest from being read', async () => {
    const newest = Buffer.concat(encodeRequest(ApiVersions, 4, { correlationId: 1, clientId: 'shop' }, {}))
    newest.writeInt16BE(9, 6)
    const refusal = Buffer.concat(encodeResponse(ApiVersions, 0, 1, { errorCode: 35, apiKeys: [] }))
    const { code, text } = await decode(
      file('newest', pcap([client(1, Buffer.concat([newest, request])), broker(1, Buffer.concat([refusal, response]))])),
    )
    expect(text).toContain('127.0.0.1:50000 → 127.0.0.1:9092, byte 6: ApiVersions has versions 0 to 5')
    expect(text).toMatch(/clientId "shop"[\s\S]*← ApiVersions v0 response[\s\S]*→ Metadata v12[\s\S]*host "kafka"/)
    expect(code).toBe(1)
    const alone = await decode(file('alone', pcap([client(1, newest), broker(1, refusal)])))
    expect(alone.text).toMatch(/→ ApiVersions v9 request[\s\S]*← ApiVersions v0 response/)
  })

  test('the bare tokens that follow SaslHandshake v0 are shown as what they are', async () => {
    const frame = (text: string) => {
      const bytes = Buffer.from(`0000${text}`)
      bytes.writeInt32BE(text.length)
      return bytes
    }
    const shake = Buffer.concat(encodeRequest(SaslHandshake, 0, { correlationId: 1, clientId: null }, { mechanism: 'PLAIN' }))
    const shaken = Buffer.concat(encodeResponse(SaslHandshake, 0, 1, { errorCode: 0, mechanisms: ['PLAIN'] }))
    const { code, text } = await decode(
      file(
        'sasl',
        pcap([
          client(1, Buffer.concat([shake, frame('\0alice\0secret'), request])),
          broker(1, Buffer.concat([shaken, frame(''), response])),
        ]),
      ),
    )
    expect(text).toMatch(/→ SASL token · 13 bytes\n[^\n]*\n← SASL token · 0 bytes\n[\s\S]*→ Metadata v12[\s\S]*host "kafka"/)
    expect(text).not.toContain('✗')
    expect(code).toBe(0)
  })

  test('a capture without Kafka says what there is instead', async () => {
    expect((await decode(file('none', pcap([client(1, Buffer.from('GET / HTTP/1.1'))])))).text).toBe(
      '✗ no Kafka request was found in this capture, but 127.0.0.1:50000 → 127.0.0.1:9092 (--port PORT reads what is sent to that port all the same); of 127.0.0.1:50000 → 127.0.0.1:9092 one direction alone was captured: where it is that of the answers, the requests are needed to read them',
    )
    const bothWays = pcap([client(1, Buffer.from('GET / HTTP/1.1')), broker(1, Buffer.from('HTTP/1.1 404'))])
    expect((await decode(file('both', bothWays))).text).not.toContain('one direction alone')
    expect((await decode(file('answers', pcap([broker(1, response)])))).text).toContain(
      'of 127.0.0.1:9092 → 127.0.0.1:50000 one direction alone was captured',
    )
    const tls = pcap([client(1, Buffer.from('160301000501020304051603030000', 'hex'))])
    expect((await decode(file('tls', tls))).text).toContain('TLS, which has to be decrypted first: 127.0.0.1:50000')
    expect((await decode(file('tls', tls), '--port', '9092')).text).toContain(
      '✗ 127.0.0.1:50000 → 127.0.0.1:9092, byte 0: this is TLS',
    )
    expect((await decode(file('nothing', pcap([])))).text).toContain('nor any other bytes over TCP')
    expect((await decode(file('port', pcap([client(1, request)])), '--port', '1')).text).toBe(
      '✗ no connection to port 1 was found in this capture',
    )
  })

  test.each([
    ['count', (i: number) => i],
    ['are small', (i: number) => (i * 7919) % 1000],
  ])('a stream of int64s that %s is not taken for Kafka', async (_, number) => {
    const numbers = Buffer.alloc(30_000)
    for (let i = 0; i < numbers.length / 8; i++) numbers.writeBigInt64BE(BigInt(number(i)), 8 * i)
    expect((await decode(file('numbers', pcap([client(1, numbers)])))).text).toContain('no Kafka request was found')
  })

  test('a client without a name is found from its first request on', async () => {
    const nameless = Buffer.concat(
      encodeRequest(Metadata, 12, { correlationId: 3, clientId: '' }, { topics: [{ name: 'orders' }] }),
    )
    const { code, text } = await decode(file('nameless', pcap([client(1, nameless), broker(1, response)])))
    expect(text).toContain('clientId ""')
    expect(text).toContain('host "kafka"')
    expect(code).toBe(0)
  })

  test('other traffic in between is passed over by name, and fails nothing', async () => {
    const web = { sourcePort: 50001, targetPort: 80, sequence: 1, payload: Buffer.from('GET / HTTP/1.1') }
    const { code, text } = await decode(file('mixed', pcap([web, client(1, request), broker(1, response)])))
    expect(text).toContain('host "kafka"')
    expect(text).toContain('passed over, without a Kafka request: 127.0.0.1:50001 → 127.0.0.1:80')
    expect(code).toBe(0)
  })
})
