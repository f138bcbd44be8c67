import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import {
  CompressionType,
  compressionCodecs,
  createLz4Codec,
  createRecordBatch,
  createSnappyCodec,
  createZstdCodec,
  Decoder,
  decodeRecordBatchFrom,
  decodeRecordBatchFromSync,
  encodeRecordBatchSync,
} from '@kafkats/client'
import lz4 from 'lz4-napi'
import snappy from 'snappy'
import { headlines } from './cases.mjs'

compressionCodecs.register(CompressionType.Lz4, createLz4Codec(lz4))
compressionCodecs.register(CompressionType.Snappy, createSnappyCodec(snappy))
compressionCodecs.register(
  CompressionType.Zstd,
  createZstdCodec({ compress: promisify(zstdCompress), decompress: promisify(zstdDecompress) }),
)

// As its fetcher calls it.
const options = { verifyCrc: true, assumeSequentialOffsets: true }
export default {
  name: '@kafkats/client 0.12.0',
  crc: 'verified (native addon)',
  cases: headlines({
    decode: bytes =>
      (bytes[22] & 7) === 0
        ? decodeRecordBatchFromSync(new Decoder(bytes), options).records
        : decodeRecordBatchFrom(new Decoder(bytes), options).then(batch => batch.records),
    encoder: records => {
      const messages = records.map(({ key, value, headers, timestamp }) => ({
        key,
        value,
        timestamp,
        ...(headers ? { headers: Object.fromEntries(headers.map(header => [header.key, header.value])) } : {}),
      }))
      return () => encodeRecordBatchSync(createRecordBatch(messages, 0n, BigInt(messages[0].timestamp)))
    },
  }),
}
