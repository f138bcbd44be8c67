import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { run } from '../../src/cli/decode.ts'
import { ApiVersions, Metadata, Produce, SaslHandshake } from '../../src/protocol/apis/index.ts'
import { encodeRequest, encodeResponse } from '../../src/protocol/frame.ts'
import { type CapturedSegment, pcap, pcapng } from './capture-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'kafkawire-decode-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function decode(...args: string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = []
  const code = await run(args, line => lines.push(line))
  return { code, text: lines.join('\n') }
}
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

  test('lost packets and captures without Kafka are said to be', async () => {
    const lost = pcap([client(1, request), client(1 + request.length + 50, request)])
    expect((await decode(file('lost', lost), '--port', '9092')).text).toContain('packets are missing at 1 places')
    expect((await decode(file('none', pcap([client(1, Buffer.from('GET / HTTP/1.1'))])))).text).toContain('no Kafka request')
  })
})
