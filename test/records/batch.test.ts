import { expect, test } from 'vitest'
import { BatchBuilder, type Codec, encodedBatches, setLogAppendTime } from '../../src/protocol/records/index.ts'

const open = { checkCrcs: true, maxBytes: 1 << 20 }
const bytes = (text: string): Buffer => Buffer.from(text)

test.each<Codec>(['none', 'gzip'])('what is written with %s is read again', async codec => {
  const builder = new BatchBuilder({ codec, capacityBytes: 1 })
  const headers = [
    { key: 'a', value: bytes('1') },
    { key: 'a', value: null },
    { key: 'é', value: bytes('') },
  ]
  expect(builder.append({ key: null, value: bytes('v'), timestamp: 1_700_000_000_000 })).toBe(0)
  expect(builder.append({ key: bytes(''), value: null, headers, timestamp: 1_600_000_000_000 })).toBe(1)
  const written = await builder.finish({
    baseOffset: 2n ** 60n + 1n,
    producerId: 7n,
    producerEpoch: 3,
    baseSequence: 2 ** 31 - 1,
    isTransactional: true,
  })
  const [encoded] = [...encodedBatches(Buffer.concat([written, written.subarray(0, 40)]))]
  const batch = await encoded!.open(open)
  expect([encoded!.baseOffset, encoded!.lastOffset, encoded!.count, encoded!.lastSequence]).toEqual([
    2n ** 60n + 1n,
    2n ** 60n + 2n,
    2,
    0,
  ])
  expect([batch.offsetAt(1), batch.timestampAt(1), batch.timestampExactAt(1)]).toEqual([
    2n ** 60n + 2n,
    1_600_000_000_000,
    1_600_000_000_000n,
  ])
  expect([batch.keyAt(0), batch.valueAt(0), batch.keyAt(1), batch.valueAt(1)]).toEqual([null, bytes('v'), bytes(''), null])
  expect(batch.headersAt(1)).toEqual(headers)
  expect(batch.headersAt(0)).toEqual([])
  setLogAppendTime(written, 5000n)
  const [late] = [...encodedBatches(Buffer.from(written))]
  expect((await late!.open(open)).timestampAt(0)).toBe(5000)
})
