import { headlines } from './cases.mjs'

const dist = new URL('../node_modules/@platformatic/kafka/dist/', import.meta.url)
const { Reader } = await import(new URL('protocol/reader.js', dist))
const { createRecordsBatch, readRecordsBatch } = await import(new URL('protocol/records.js', dist))

export default {
  name: '@platformatic/kafka 2.12.1',
  crc: 'not verified',
  cases: headlines({
    decode: bytes => readRecordsBatch(Reader.from(bytes)).records,
    encoder: records => {
      const messages = records.map(({ key, value, headers = [], timestamp }) => ({
        key,
        value,
        headers: new Map(headers.map(header => [Buffer.from(header.key), header.value])),
        timestamp: BigInt(timestamp),
        topic: 't',
        partition: 0,
      }))
      return () => createRecordsBatch(messages, {}).buffer
    },
  }),
}
