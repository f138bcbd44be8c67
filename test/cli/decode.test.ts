import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { run } from '../../src/cli/decode.ts'
import { Metadata, Produce } from '../../src/protocol/apis/index.ts'
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

  test('lost packets and captures without Kafka are said to be', async () => {
    const lost = pcap([client(1, request), client(1 + request.length + 50, request)])
    expect((await decode(file('lost', lost), '--port', '9092')).text).toContain('packets are missing at 1 places')
    expect((await decode(file('none', pcap([client(1, Buffer.from('GET / HTTP/1.1'))])))).text).toContain('no Kafka request')
  })
})
