import { describe, expect, test } from 'vitest'
import { CorruptRecordError, KafkaError } from '../../src/errors.ts'
import {
  BatchBuilder,
  encodedBatches,
  endTransactionMarker,
  MessageSetBuilder,
  readControlRecord,
  setBaseOffset,
  setLeaderEpoch,
  setLogAppendTime,
} from '../../src/protocol/records/index.ts'
import { bytes, CODECS, contents, opened, resealed, written } from './sample.ts'

const far = 2n ** 60n + 1n
const headers = [
  { key: 'a', value: bytes('1') },
  { key: 'a', value: null },
  { key: 'é', value: bytes('') },
  { key: '', value: bytes('empty key') },
  { key: 'a key that is longer than what is copied in a loop', value: Buffer.alloc(300, 7) },
]
const records = [
  { key: null, value: bytes('v'), timestamp: 1_700_000_000_000 },
  { key: bytes(''), value: null, headers, timestamp: 1_600_000_000_000 },
  { key: Buffer.alloc(200, 1), value: Buffer.alloc(70_000, 2), timestamp: 1_700_000_000_005 },
  { key: bytes('exact'), value: bytes(''), timestamp: 2n ** 62n + 1n },
]

describe.each(CODECS)('with %s', codec => {
  test('what is written is read again', async () => {
    const set = await written(2, codec, records, { baseOffset: far })
    expect(contents(await opened(set))).toEqual(
      records.map((record, i) => ({
        offset: far + BigInt(i),
        timestamp: BigInt(record.timestamp),
        key: record.key,
        value: record.value,
        headers: record.headers ?? [],
      })),
    )
  })

  test('the header says what the builder was told', async () => {
    const meta = {
      baseOffset: 5n,
      producerId: 7n,
      producerEpoch: 3,
      baseSequence: 2 ** 31 - 2,
      isTransactional: true,
      isControl: true,
      partitionLeaderEpoch: 9,
    }
    const [batch] = [...encodedBatches(await written(2, codec, records, meta))]
    expect(batch).toMatchObject({
      ...meta,
      magic: 2,
      codec,
      count: 4,
      lastOffset: 8n,
      timestampType: 'create',
      firstTimestamp: 1_700_000_000_000n,
    })
    expect(batch?.lastSequence, 'sequences wrap to 0').toBe(1)
    expect(batch?.maxTimestamp).toBe(2n ** 62n + 1n)
  })
})

test('a delete horizon stands in the place of the first timestamp, and the records keep theirs', async () => {
  const horizon = 1_650_000_000_000
  for (const some of [records.slice(0, 2), records.slice(3)]) {
    const builder = new BatchBuilder({ codec: 'none', deleteHorizonMs: horizon })
    for (const record of some) builder.append(record)
    const [batch] = await opened(Buffer.from(await builder.finish({})))
    expect(batch?.encoded).toMatchObject({ hasDeleteHorizon: true, firstTimestamp: BigInt(horizon) })
    expect(contents([batch!]).map(({ timestamp }) => timestamp)).toEqual(some.map(({ timestamp }) => BigInt(timestamp)))
    expect(batch?.encoded.maxTimestamp).toBe(BigInt(some[0]!.timestamp))
  }
})

test('batches follow one another, and one that is cut off at any place is left out', async () => {
  const set = Buffer.concat([
    await written(2, 'none', records.slice(0, 2)),
    await written(2, 'gzip', records, { baseOffset: 2n }),
  ])
  const [first] = [...encodedBatches(set)]
  for (let end = 0; end <= set.length; end += end < 200 ? 1 : 997) {
    const whole = end < first!.sizeBytes ? 0 : end < set.length ? 1 : 2
    expect([...encodedBatches(set.subarray(0, end))], `${end} bytes`).toHaveLength(whole)
  }
})

test('a batch that compaction emptied still says where it ends', async () => {
  const set = await written(2, 'none', [])
  set.writeInt32BE(4, 23)
  const [encoded] = [...encodedBatches(resealed(set))]
  expect(encoded).toMatchObject({ count: 0, lastOffset: 4n })
  expect((await opened(set))[0]).toHaveLength(0)
})

test('a fetch may begin inside a batch, and compaction leaves gaps', async () => {
  const set = await written(
    2,
    'none',
    [0, 1, 2, 3, 4].map(i => ({ key: null, value: bytes(String(i)), timestamp: 0 })),
    { baseOffset: 100n },
  )
  // Offset deltas of the five records of 8 bytes: the fourth byte of each.
  ;[0, 3, 4, 9, 20].forEach((delta, i) => {
    set[61 + 8 * i + 3] = delta << 1
  })
  const [batch] = await opened(resealed(set))
  expect(contents([batch!]).map(record => record.offset)).toEqual([100n, 103n, 104n, 109n, 120n])
  expect([0n, 100n, 101n, 104n, 105n, 120n, 121n, 2n ** 62n].map(offset => batch!.firstIndexAtOrAfter(offset))).toEqual([
    0, 0, 1, 2, 3, 4, 5, 5,
  ])
})

test("LogAppendTime replaces the records' timestamps", async () => {
  const set = await written(2, 'none', records, { logAppendTimeMs: 5000n })
  expect(contents(await opened(set)).map(record => record.timestamp)).toEqual([5000n, 5000n, 5000n, 5000n])
})

test('a broker stamps offset, epoch and time in place, and the checksum stays right', async () => {
  const set = await written(2, 'lz4', records)
  setBaseOffset(set, far)
  setLeaderEpoch(set, 12)
  setLogAppendTime(set, 77n)
  const [batch] = await opened(set)
  expect(batch!.encoded).toMatchObject({
    baseOffset: far,
    partitionLeaderEpoch: 12,
    timestampType: 'log-append',
    maxTimestamp: 77n,
  })
  expect(batch!.timestampAt(0)).toBe(77)
})

test('a batch is sent again under another epoch without being built anew', async () => {
  const set = await written(2, 'none', records, { producerId: 1n, producerEpoch: 0, baseSequence: 10 })
  BatchBuilder.restamp(set, { producerId: 1n, producerEpoch: 1, baseSequence: 0 })
  expect((await opened(set))[0]!.encoded).toMatchObject({ producerEpoch: 1, baseSequence: 0 })
})

test('the delete horizon is told from a first timestamp', async () => {
  const set = await written(2, 'none', records)
  set[22] = 0x40
  expect((await opened(resealed(set)))[0]!.encoded.hasDeleteHorizon).toBe(true)
})

test.each(['commit', 'abort'] as const)('the marker of a transaction: %s', async type => {
  const marker = { ...endTransactionMarker(type, 42), timestamp: 0 }
  const [batch] = await opened(await written(2, 'none', [marker], { isControl: true, isTransactional: true }))
  expect(readControlRecord(batch!, 0)).toEqual({ type, coordinatorEpoch: 42 })
})

test('control records of other kinds are named, unknown ones passed over, short ones refused', async () => {
  const control = async (key: string) =>
    (await opened(await written(2, 'none', [{ key: Buffer.from(key, 'hex'), value: null, timestamp: 0 }])))[0]!
  expect(readControlRecord(await control('00000002'), 0)).toEqual({ type: 'leader-change' })
  expect(readControlRecord(await control('00000063'), 0)).toEqual({ type: 'unknown' })
  await expect(control('000000').then(batch => readControlRecord(batch, 0))).rejects.toThrow(CorruptRecordError)
  await expect(control('00000001').then(batch => readControlRecord(batch, 0))).rejects.toThrow(CorruptRecordError)
})

test('a checksum is verified, unless told not to', async () => {
  const set = await written(2, 'none', records)
  set[set.length - 2]! ^= 1
  await expect(opened(set)).rejects.toThrow(/offset 0 is damaged: its checksum is/)
  expect(await opened(set, { checkCrcs: false })).toHaveLength(1)
})

test('sizeOf is never below what a record adds', async () => {
  const builder = new BatchBuilder({ codec: 'none', memory: Buffer.alloc(1) })
  for (const record of records) {
    const before = builder.sizeBytes
    builder.append(record)
    expect(builder.sizeBytes - before).toBeLessThanOrEqual(BatchBuilder.sizeOf(record))
  }
})

describe.each(['batch', 'message set'] as const)('a %s', form => {
  const made = () => (form === 'batch' ? new BatchBuilder({ codec: 'none' }) : new MessageSetBuilder({ magic: 1, codec: 'gzip' }))
  const one = (timestamp: number | bigint) => ({ key: null, value: bytes('v'), timestamp })

  test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 63, -1e300, 2n ** 63n, -(2n ** 63n) - 1n])(
    'refuses the timestamp %s, which is no int64, first and later',
    async timestamp => {
      const builder = made()
      expect(() => builder.append(one(timestamp))).toThrow(/^the timestamp .* is no int64/)
      builder.append(one(2n ** 63n - 1n))
      expect(() => builder.append(one(timestamp))).toThrow(KafkaError)
      builder.append(one(-(2n ** 63n)))
      const [batch] = await opened(Buffer.from(await builder.finish({})))
      expect(contents([batch!]).map(record => record.timestamp)).toEqual([2n ** 63n - 1n, -(2n ** 63n)])
    },
  )

  test.each<[string, (number | bigint)[], number | bigint]>([
    ['first', [], 999_999],
    ['first, with a timestamp beyond 2^53', [], 2n ** 60n],
    ['later', [5], 999_999],
    ['later, with a timestamp beyond 2^53', [5], 2n ** 60n],
  ])('keeps nothing of a record that was refused: %s', async (_, before, timestamp) => {
    const without = made()
    const builder = made()
    for (const each of before) for (const to of [without, builder]) to.append(one(each))
    expect(() => builder.append({ ...one(timestamp), headers: [{ key: null as never, value: null }] })).toThrow(KafkaError)
    expect(() => builder.append({ ...one(timestamp), value: undefined as never })).toThrow(KafkaError)
    for (const to of [without, builder]) to.append(one(6))
    expect(Buffer.from(await builder.finish({}))).toEqual(Buffer.from(await without.finish({})))
  })
})

describe.each(['batch', 'message set'] as const)('a %s', form => {
  const made = () => (form === 'batch' ? new BatchBuilder({ codec: 'none' }) : new MessageSetBuilder({ magic: 1, codec: 'none' }))

  test.each<[string, unknown]>([
    ['a text', 'text'],
    ['an object', {}],
    ['a list', [1, 2]],
    ['wider numbers', new Uint16Array(3)],
    ['an ArrayBuffer', new ArrayBuffer(3)],
  ])('takes no %s for bytes, and keeps nothing of it', async (_, wrong) => {
    const without = made()
    const builder = made()
    const good = { key: bytes('k'), value: bytes('v'), timestamp: 5 }
    for (const to of [without, builder]) to.append(good)
    const refused = { code: 'ERR_INVALID_ARGUMENT' }
    const late = { ...good, timestamp: 99 }
    expect(() => builder.append({ ...late, key: wrong as never })).toThrow(expect.objectContaining(refused))
    expect(() => builder.append({ ...late, value: wrong as never })).toThrow(expect.objectContaining(refused))
    if (form === 'batch')
      expect(() => builder.append({ ...late, headers: [{ key: 'h', value: wrong as never }] })).toThrow(
        expect.objectContaining(refused),
      )
    for (const to of [without, builder]) to.append(good)
    expect(Buffer.from(await builder.finish({}))).toEqual(Buffer.from(await without.finish({})))
  })

  test.each<[string, unknown]>([
    ['null', null],
    ['a text', '5'],
    ['a flag', true],
    ['a Date', new Date(5)],
  ])('takes no %s for a timestamp', (_, timestamp) => {
    const builder = made()
    expect(() => builder.append({ key: null, value: null, timestamp: timestamp as never })).toThrow(/is no int64/)
    expect(builder.count).toBe(0)
  })
})

test.each([1.5, Number.NaN])('the horizon %d is refused at once', deleteHorizonMs => {
  expect(() => new BatchBuilder({ codec: 'none', deleteHorizonMs })).toThrow(/is no int64/)
})

test('memory that is too small for a header is exchanged, and so is what is too small for the records', async () => {
  for (const size of [0, 1, 60, 61, 62, 70]) {
    const builder = new BatchBuilder({ codec: 'none', memory: Buffer.alloc(size, 0xee) })
    for (const value of ['one', 'two']) builder.append({ key: null, value: bytes(value), timestamp: 5 })
    const [batch] = await opened(Buffer.from(await builder.finish({})))
    expect([0, 1].map(i => String(batch!.valueAt(i)))).toEqual(['one', 'two'])
  }
})

test.each<[bigint, bigint]>([
  [1_700_000_000_000n, 1_700_000_000_123n],
  [1_700_000_000_000n, -5_000_000_000n],
  [1n, 2n ** 40n],
  [0n, 2n ** 53n - 1n],
  [2n ** 53n, -(2n ** 53n) + 1n],
  [2n ** 62n + 1n, 3n],
  [2n ** 60n + 7n, 1_700_000_000_123n],
  [-(2n ** 62n) - 3n, 1_700_000_000_123n],
  [-(2n ** 63n), 0n],
  [2n ** 63n - 1n, -(2n ** 63n)],
  [1_700_000_000_000n, 2n ** 62n + 1n],
])('the timestamps %i and, after it, %i are read exactly, as numbers up to 2^53', async (first, second) => {
  const timestamps = [first, second]
  const [batch] = await opened(
    await written(
      2,
      'none',
      timestamps.map(timestamp => ({ key: null, value: null, timestamp })),
    ),
  )
  expect(timestamps.map((_, i) => batch!.timestampExactAt(i))).toEqual(timestamps)
  expect(timestamps.map((_, i) => batch!.timestampAt(i))).toEqual(timestamps.map(Number))
})

test('a thousand small batches share their slabs without disturbing one another', async () => {
  const sets = await Promise.all(
    Array.from({ length: 1000 }, (_, i) =>
      written(
        2,
        'none',
        Array.from({ length: 1 + (i % 20) }, (_, j) => ({ key: bytes(`${i}`), value: bytes(`${j}`), timestamp: i })),
      ),
    ),
  )
  const batches = await opened(Buffer.concat(sets))
  batches.forEach((batch, i) => {
    expect(contents([batch]).map(record => `${record.key} ${record.value}`)).toEqual(
      Array.from({ length: 1 + (i % 20) }, (_, j) => `${i} ${j}`),
    )
  })
})
