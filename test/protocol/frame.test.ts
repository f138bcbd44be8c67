import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { KafkaError, ProtocolError, UnsupportedVersionError } from '../../src/errors.ts'
import {
  AlterClientQuotas,
  ApiVersions,
  DescribeGroups,
  Fetch,
  Metadata,
  Produce,
  SaslAuthenticate,
  SaslHandshake,
} from '../../src/protocol/apis/index.ts'
import {
  decodeMessage,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeMessage,
  encodeRequest,
  encodeResponse,
  peekCorrelationId,
} from '../../src/protocol/frame.ts'
import { requestHeaderVersion, responseHeaderVersion } from '../../src/protocol/header.ts'
import { allApis, apiByKey } from '../../src/protocol/registry.ts'
import type { Api } from '../../src/protocol/schema.ts'
import { faultOf, locateFault, trace } from '../../src/protocol/trace.ts'
import { everyVersion } from './all-messages.ts'
import { Random, randomMessage } from './random-message.ts'

const joined = (chunks: Uint8Array[]): Buffer => Buffer.concat(chunks)
const withoutPrefix = (chunks: Uint8Array[]): Buffer => joined(chunks).subarray(4)
const flexibleFrom = (key: number) => apiByKey(key)!.request.flexible
const thrownBy = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return error
  }
  return undefined
}

describe('headers', () => {
  test('requests have v2 from the first flexible version on, with a clientId that is never compact', () => {
    const frame = joined(encodeRequest(Metadata, 9, { correlationId: 7, clientId: 'me' }, { topics: null }))
    expect(frame.toString('hex')).toBe(
      ['00000012', '0003', '0009', '00000007', '0002', '6d65', '00', '00', '01', '00', '00', '00'].join(''),
    )
    expect(decodeRequestHeader(frame.subarray(4), flexibleFrom)).toEqual({
      apiKey: 3,
      apiVersion: 9,
      correlationId: 7,
      clientId: 'me',
      bodyOffset: 13,
    })
  })
  test('requests have v1 before, and a clientId may be null', () => {
    const frame = withoutPrefix(encodeRequest(SaslHandshake, 1, { correlationId: 8, clientId: null }, { mechanism: 'PLAIN' }))
    const { bodyOffset, ...header } = decodeRequestHeader(frame, flexibleFrom)
    expect(header).toEqual({ apiKey: 17, apiVersion: 1, correlationId: 8, clientId: null })
    expect(decodeRequest(SaslHandshake, 1, frame, bodyOffset)).toEqual({ mechanism: 'PLAIN' })
  })
  test('answers have v1 where requests have v2, but for ApiVersions, whose asker may not know what it can read (KIP-511)', () => {
    for (const api of allApis) {
      for (let v = api.request.versions[0]; v <= api.request.versions[1]; v++) {
        expect(responseHeaderVersion(api, v)).toBe(api.key === 18 ? 0 : requestHeaderVersion(api, v) - 1)
      }
    }
    const frame = withoutPrefix(encodeResponse(ApiVersions, 3, 5, { errorCode: 35, apiKeys: [] }))
    expect(frame.toString('hex')).toBe('00000005' + '0023' + '01' + '00000000' + '00')
    expect(decodeResponse(ApiVersions, 3, frame)).toMatchObject({ errorCode: 35 })
  })
  test('tagged fields in the header of an answer are passed over, whatever their size', () => {
    const answer = { clusterId: 'north', controllerId: 1, brokers: [], topics: [] }
    const frame = withoutPrefix(encodeResponse(Metadata, 12, 5, answer))
    for (const tags of ['010003616263', '02000001020708', `01ff7f8001${'61'.repeat(128)}`]) {
      const tagged = Buffer.concat([frame.subarray(0, 4), Buffer.from(tags, 'hex'), frame.subarray(5)])
      expect(decodeResponse(Metadata, 12, tagged)).toMatchObject(answer)
    }
  })
  test('a frame that is too short for one is refused', () => {
    expect(() => peekCorrelationId(Buffer.alloc(3))).toThrow(ProtocolError)
    expect(() => decodeRequestHeader(Buffer.alloc(7), flexibleFrom)).toThrow(ProtocolError)
  })
})

describe('whole frames', { timeout: 60_000 }, () => {
  test('of every API and version travel both ways', () => {
    const random = new Random(40)
    for (const api of allApis) {
      for (let version = api.request.versions[0]; version <= api.request.versions[1]; version++) {
        const request = randomMessage(random, api.request, version)
        const asked = joined(encodeRequest(api, version, { correlationId: -5, clientId: 'x' }, request))
        expect(asked.readInt32BE(0)).toBe(asked.length - 4)
        const frame = asked.subarray(4)
        const header = decodeRequestHeader(frame, flexibleFrom)
        expect(header).toMatchObject({ apiKey: api.key, apiVersion: version, correlationId: -5, clientId: 'x' })
        expect(decodeRequest(api, version, frame, header.bodyOffset)).toMatchObject(request)
        const answer = randomMessage(random, api.response, version)
        const answered = withoutPrefix(encodeResponse(api, version, 77, answer))
        expect(peekCorrelationId(answered)).toBe(77)
        expect(decodeResponse(api, version, answered)).toMatchObject(answer)
      }
    }
  })
  test('must be used up', () => {
    const frame = withoutPrefix(encodeResponse(Metadata, 12, 1, { brokers: [], topics: [] }))
    const error = thrownBy(() => decodeResponse(Metadata, 12, Buffer.concat([frame, Buffer.alloc(2)])))
    expect(error).toBeInstanceOf(ProtocolError)
    expect(error).toMatchObject({ api: 'MetadataResponse', version: 12, offset: frame.length, code: 'ERR_PROTOCOL' })
  })
  test('take large record sets in by reference, between chunks of their own bytes', () => {
    const records = [Buffer.alloc(1500, 1), Buffer.alloc(100, 2), Buffer.alloc(5000, 3)]
    for (const version of [3, 9]) {
      const topicData = [{ name: 't', partitionData: records.map((each, index) => ({ index, records: each })) }]
      const chunks = encodeRequest(
        Produce,
        version,
        { correlationId: 1, clientId: null },
        { acks: -1, timeoutMs: 1000, topicData },
      )
      expect(chunks.filter(chunk => records.some(each => each === chunk))).toEqual([records[0], records[2]])
      expect(chunks.includes(records[1]!)).toBe(false)
      const frame = joined(chunks)
      expect(frame.readInt32BE(0)).toBe(frame.length - 4)
      const { bodyOffset } = decodeRequestHeader(frame.subarray(4), flexibleFrom)
      const back = decodeRequest(Produce, version, frame.subarray(4), bodyOffset)
      expect(back.topicData[0]!.partitionData.map(partition => partition.records)).toEqual(records)
    }
  })
  test('give bytes as views of themselves', () => {
    const answer = {
      responses: [
        {
          topicId: 'A'.repeat(22),
          partitions: [
            { partitionIndex: 0, errorCode: 0, highWatermark: 1n, abortedTransactions: null, records: Buffer.alloc(64, 9) },
          ],
        },
      ],
    }
    const frame = withoutPrefix(encodeResponse(Fetch, 13, 1, answer))
    const { records } = decodeResponse(Fetch, 13, frame).responses[0]!.partitions[0]!
    expect((records as Buffer).buffer).toBe(frame.buffer)
  })
})

describe('a header that is cut short', () => {
  test('is told by API, version, field and offset, as a body is', () => {
    for (const api of allApis) {
      const version = api.request.versions[1]
      const answer = withoutPrefix(encodeResponse(api, version, 7, randomMessage(new Random(1), api.response, version)))
      const headerBytes = responseHeaderVersion(api, version) === 0 ? 4 : 5
      for (let end = 0; end < headerBytes; end++) {
        const error = thrownBy(() => decodeResponse(api, version, answer.subarray(0, end)))
        expect(error).toBeInstanceOf(ProtocolError)
        const field = end < 4 ? { path: 'header.correlationId', offset: 0 } : { path: 'header.(tags)', offset: 4 }
        expect(error).toMatchObject({ api: api.response.name, version, ...field })
      }
      const request = withoutPrefix(
        encodeRequest(api, version, { correlationId: 1, clientId: 'me' }, randomMessage(new Random(1), api.request, version)),
      )
      for (let end = 0; end < 12; end++) {
        const error = thrownBy(() => decodeRequestHeader(request.subarray(0, end), flexibleFrom))
        expect(error).toBeInstanceOf(ProtocolError)
        const { path, offset } = error as ProtocolError
        const place =
          end < 2
            ? ['requestApiKey', 0]
            : end < 4
              ? ['requestApiVersion', 2]
              : end < 8
                ? ['header.correlationId', 4]
                : ['header.clientId', 8]
        expect([path, offset]).toEqual(place)
        if (end >= 4) expect(error).toMatchObject({ api: `request with API key ${api.key}`, version })
      }
    }
    expect(thrownBy(() => peekCorrelationId(Buffer.alloc(3)))).toMatchObject({ path: 'correlationId', offset: 0 })
  })
})

describe('a value that does not fit is named', () => {
  const fails = (request: unknown, version = 12): unknown =>
    thrownBy(() => encodeRequest(Metadata, version, { correlationId: 1, clientId: null }, request as never))
  test.each([
    [{ topics: [{ name: 'a' }, { name: 5 }] }, 'topics[1].name: a string is needed, not 5'],
    [{ topics: [{ name: 'a' }, {}] }, 'topics[1].name: it must not be undefined in this version'],
    [{ topics: 'a' }, 'topics: an array is needed, not "a"'],
    [{ topics: new Set(['a']) }, 'topics: an array is needed, not Set'],
    [{ topics: {} }, 'topics: an array is needed, not Object'],
    [{ topics: null, allowAutoTopicCreation: 'false' }, 'allowAutoTopicCreation: a boolean is needed, not "false"'],
    [{ topics: [7] }, 'topics[0]: an object is needed, not 7'],
    [{ topics: [{ topicId: 'short', name: 'a' }] }, 'topics[0].topicId: short is no uuid'],
    [{ topics: [{ name: 'x'.repeat(40_000) }] }, 'topics[0].name: a string of 40000 bytes'],
    [null, 'the message: an object is needed, not null'],
  ])('%j', (request, text) => {
    const error = fails(request)
    expect(error).toBeInstanceOf(KafkaError)
    expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', retriable: false })
    expect((error as Error).message).toContain(`MetadataRequest v12 cannot be written, correct ${text}`)
  })
  test.each([
    [DescribeGroups, 5, { groups: 'abc' }, 'groups: an array is needed, not "abc"'],
    [SaslAuthenticate, 2, { authBytes: 'secret' }, 'authBytes: a Uint8Array is needed, not "secret"'],
    [SaslAuthenticate, 2, { authBytes: new ArrayBuffer(4) }, 'authBytes: ArrayBuffer is no Uint8Array'],
    [SaslAuthenticate, 2, { authBytes: new Uint16Array(4) }, 'authBytes: Uint16Array is no Uint8Array'],
    [SaslAuthenticate, 2, { authBytes: [1, 2] }, 'authBytes: Array is no Uint8Array'],
    [
      AlterClientQuotas,
      1,
      { entries: [{ entity: [], ops: [{ key: 'a', value: 'abc', remove: false }] }], validateOnly: false },
      'entries[0].ops[0].value: a number is needed, not "abc"',
    ],
  ] as const)('whatever its type: %#', (api: Api, version, request, text) => {
    const error = thrownBy(() => encodeRequest(api, version, { correlationId: 1, clientId: null }, request))
    expect((error as Error).message).toContain(text)
  })
  test('bytes may come from another realm, as they do under Jest', () => {
    const authBytes = runInNewContext('new Uint8Array([1, 2])') as Uint8Array
    expect(authBytes instanceof Uint8Array).toBe(false)
    expect(encodeMessage(SaslAuthenticate.request, 0, { authBytes })).toEqual(Buffer.from('000000020102', 'hex'))
  })
  test('and so is one that the version has no place for', () => {
    const error = fails({ topics: null, includeTopicAuthorizedOperations: true }, 7)
    expect(error).toBeInstanceOf(UnsupportedVersionError)
    expect(error).toMatchObject({ api: 'Metadata' })
    expect((error as Error).message).toContain(
      'MetadataRequest.includeTopicAuthorizedOperations cannot be expressed in version 7',
    )
  })
  test('the clientId as well', () => {
    const error = thrownBy(() => encodeRequest(Metadata, 1, { correlationId: 2 ** 40, clientId: null }, { topics: [] }))
    expect((error as Error).message).toContain(
      'RequestHeader v1 cannot be written, correct correlationId: 1099511627776 is no int32',
    )
  })
})

describe('a trace', { timeout: 60_000 }, () => {
  test('covers every byte of every message once, and gives the values that decoding gives', () => {
    const random = new Random(41)
    for (const [each, version] of everyVersion()) {
      const bytes = encodeMessage(each, version, randomMessage(random, each, version, { unknownTags: true }))
      expect(locateFault(each, version, bytes)).toBeUndefined()
      const tree = trace(each, version, bytes)
      expect([tree.start, tree.end, tree.error]).toEqual([0, bytes.length, undefined])
      const { value } = decodeMessage(each, version, bytes)
      for (const node of tree.children) {
        if (node.value !== undefined) expect((value as { [name: string]: unknown })[node.name]).toEqual(node.value)
      }
      const pending = [tree]
      for (let node = pending.pop(); node; node = pending.pop()) {
        let end = node.start
        for (const child of node.children) {
          expect(child.start).toBeGreaterThanOrEqual(end)
          end = child.end
        }
        expect(end).toBeLessThanOrEqual(node.end)
        pending.push(...node.children)
      }
    }
  })
  test('shows a broken message up to the byte where it breaks', () => {
    const bytes = encodeMessage(Metadata.request, 4, { topics: [{ name: 'orders' }, { name: 'sales' }] })
    const tree = trace(Metadata.request, 4, bytes.subarray(0, 15))
    const [topics] = tree.children
    expect(topics!.children.map(({ name, start, end }) => [name, start, end])).toEqual([
      ['[0]', 4, 12],
      ['[1]', 12, 12],
    ])
    expect(topics!.children[1]!.children).toEqual([
      {
        name: 'name',
        path: 'topics[1].name',
        type: 'string',
        start: 12,
        end: 12,
        children: [],
        error: '5 bytes or elements, and 1 bytes left',
      },
    ])
    expect(tree.end).toBe(12)
  })
  test('of a message with an element in almost every byte has its limits, and still shows what breaks', () => {
    const bytes = encodeMessage(DescribeGroups.request, 0, { groups: new Array(1_000_000).fill('') })
    const whole = trace(DescribeGroups.request, 0, bytes).children[0]!
    expect(whole.end).toBe(bytes.length)
    expect(whole.children.length).toBeLessThan(400_000)
    expect(whole.children.length + whole.leftOut!).toBe(1_000_000)
    bytes.writeInt16BE(-5, 4 + 2 * 900_000)
    expect(faultOf(trace(DescribeGroups.request, 0, bytes))).toMatchObject({ path: 'groups[900000]', reason: 'a length of -5' })
  })
})
