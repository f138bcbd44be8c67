import { createRequire } from 'node:module'
import { headlines } from './cases.mjs'

const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder')
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder')
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0')
const Record = require('kafkajs/src/protocol/recordBatch/record/v0')
const Long = require('kafkajs/src/utils/long')

export default {
  name: 'kafkajs 2.2.4',
  crc: 'not verified',
  cases: headlines({
    skip: ['snappy', 'lz4', 'zstd'], // plug-ins of others
    decode: async bytes => (await decodeBatch(new Decoder(bytes))).records,
    encoder: records => {
      const headers = record => Object.fromEntries((record.headers ?? []).map(({ key, value }) => [key, value]))
      return async () => {
        const first = records[0].timestamp
        const batch = await RecordBatch({
          firstTimestamp: first,
          maxTimestamp: records.at(-1).timestamp,
          lastOffsetDelta: records.length - 1,
          records: records.map((record, i) =>
            Record({
              offsetDelta: i,
              timestampDelta: Long.fromValue(record.timestamp - first),
              key: record.key,
              value: record.value,
              headers: headers(record),
            }),
          ),
        })
        return batch.buffer
      }
    },
  }),
}
