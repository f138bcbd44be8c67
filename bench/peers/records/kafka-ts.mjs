import { createRequire } from 'node:module'
import { headlines } from './cases.mjs'

const require = createRequire(import.meta.url)
const file = path => require(new URL(`../node_modules/kafka-ts/dist/${path}.js`, import.meta.url).pathname)
const { Decoder } = file('utils/decoder')
const { decodeRecordBatch } = file('api/fetch/common')
const { createBatch } = file('api/produce/common')

export default {
  name: 'kafka-ts 1.5.0',
  crc: 'not verified',
  cases: headlines({
    skip: ['snappy'], // its package is not among its dependencies
    decode: bytes => {
      const decompressions = []
      const [batch] = decodeRecordBatch(new Decoder(bytes), bytes.length, decompressions)
      return decompressions.length === 0 ? batch.records : Promise.all(decompressions).then(() => batch.records)
    },
    encoder: records => {
      // Its keys and values are strings.
      const texts = records.map(({ key, value, headers = [], timestamp }) => ({
        key: key.toString(),
        value: value.toString(),
        headers: headers.map(header => ({ key: header.key, value: header.value?.toString() ?? null })),
        timestamp,
      }))
      return () =>
        createBatch({
          attributes: 0,
          lastOffsetDelta: texts.length - 1,
          baseTimestamp: BigInt(texts[0].timestamp),
          maxTimestamp: BigInt(texts.at(-1).timestamp),
          producerId: -1n,
          producerEpoch: -1,
          baseSequence: -1,
          partitionLeaderEpoch: -1,
          baseOffset: 0n,
          records: texts.map(({ key, value, headers, timestamp }, i) => ({
            attributes: 0,
            timestampDelta: BigInt(timestamp - texts[0].timestamp),
            offsetDelta: i,
            key,
            value,
            headers,
          })),
        }).value()
    },
  }),
}
