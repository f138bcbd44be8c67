import { crc32 } from 'node:zlib'
import { CorruptRecordError } from '../../errors.ts'
import { decompress } from '../compression/index.ts'
import { RecordBatch } from './batch.ts'
import { EncodedBatch, hex, type OpenOptions } from './encoded-batch.ts'
import * as at from './layout.ts'
import {
  claimRows,
  HEADERS,
  KEY_START,
  OFFSET_DELTA,
  STRIDE,
  TIME_DELTA_HIGH,
  TIME_DELTA_LOW,
  VALUE_START,
} from './record-index.ts'

/**
 * A message of formats 0 and 1, seen as a batch: of one record, or, when it wraps a compressed message set, of that set's.
 * Before it is opened such a wrapper knows only the offset of its last record: `baseOffset` says the same and `count` is -1.
 */
export class LegacyBatch extends EncodedBatch {
  override get baseOffset(): bigint {
    return this.lastOffset
  }
  override get lastOffset(): bigint {
    return this.bytes.readBigInt64BE(0)
  }
  override get count(): number {
    return this.codec === 'none' ? 1 : -1
  }
  /** The time of a single message; of a wrapper, the latest of its messages. -1 in format 0, which has none. */
  override get firstTimestamp(): bigint {
    return timeOf(this.bytes, 0)
  }
  override get maxTimestamp(): bigint {
    return timeOf(this.bytes, 0)
  }
  override get baseTime(): number {
    return Number(this.firstTimestamp)
  }
  override get isTransactional(): boolean {
    return false
  }
  override get isControl(): boolean {
    return false
  }
  override get hasDeleteHorizon(): boolean {
    return false
  }
  override get producerId(): bigint {
    return -1n
  }
  override get producerEpoch(): number {
    return -1
  }
  override get baseSequence(): number {
    return -1
  }
  override get partitionLeaderEpoch(): number {
    return -1
  }
  protected override get attributes(): number {
    // Format 0 has no timestamp, hence no type of it.
    return this.bytes[at.LEGACY_ATTRIBUTES]! & (this.magic === 0 ? at.CODEC_MASK : 0xff)
  }

  override open(options: OpenOptions): RecordBatch | Promise<RecordBatch> {
    const { bytes, codec } = this
    const last = this.lastOffset
    const { keyStart, valueStart, valueEnd } = partsOf(bytes, 0, last, options.checkCrcs)
    if (codec === 'none') return this.indexed(bytes, [{ offset: last, at: 0, keyStart, valueStart, valueEnd }])
    if (valueEnd < valueStart) throw corrupt(last, 'a compressed message set is null')
    const records = decompress(codec, bytes.subarray(valueStart, valueEnd), options.maxBytes, options.offload, this.magic === 0)
    const unwrapped = (set: Buffer): RecordBatch => this.indexed(set, this.inner(set, options.checkCrcs))
    return records instanceof Promise ? records.then(unwrapped) : unwrapped(records)
  }

  /** The messages of a wrapped set, with absolute offsets: format 1 numbers them relative to the first (KIP-31). */
  private inner(set: Buffer, checkCrcs: boolean): Message[] {
    const last = this.lastOffset
    const messages: Message[] = []
    for (let start = 0; set.length - start >= at.PREFIX; ) {
      const offset = set.readBigInt64BE(start)
      const size = at.PREFIX + set.readInt32BE(start + at.LENGTH)
      if (size < at.PREFIX + at.LEAST_LEGACY_BYTES) throw corrupt(last, `a message inside claims ${size} bytes`)
      if (size > set.length - start) break // a truncated tail, as outside
      const message = set.subarray(start, start + size)
      const { keyStart, valueStart, valueEnd } = partsOf(message, start, offset, checkCrcs)
      if (codecBits(message) !== 0) throw corrupt(last, 'a compressed message is inside a compressed one')
      messages.push({ offset, at: start, keyStart, valueStart, valueEnd })
      start += size
    }
    const lastInner = messages.at(-1)?.offset
    if (lastInner === undefined) throw corrupt(last, 'a compressed message set is empty')
    if (this.magic === 0) return messages
    // Old librdkafka left the wrapper's offset at 0 in what it produced.
    if (last !== 0n && last < lastInner) throw corrupt(last, `a message inside has the relative offset ${lastInner}`)
    const base = last === 0n ? 0n : last - lastInner
    for (const message of messages) message.offset += base
    return messages
  }

  private indexed(buffer: Buffer, messages: readonly Message[]): RecordBatch {
    const first = messages[0]!.offset
    const baseTime = this.firstTimestamp
    const { rows, base } = claimRows(messages.length)
    let row = base
    for (const message of messages) {
      const delta = message.offset - first
      if (delta !== BigInt.asIntN(32, delta)) throw corrupt(first, `offset ${message.offset} is in the same message set`)
      const time = BigInt.asUintN(64, timeOf(buffer, message.at) - baseTime)
      rows[row + OFFSET_DELTA] = Number(delta)
      rows[row + TIME_DELTA_LOW] = Number(time & 0xffff_ffffn)
      rows[row + TIME_DELTA_HIGH] = Number(time >> 32n)
      const keyEnd = message.valueStart - 4
      rows[row + KEY_START] = message.keyStart
      rows[row + KEY_START + 1] = buffer.readInt32BE(message.keyStart - 4) < 0 ? message.keyStart - 1 : keyEnd
      rows[row + VALUE_START] = message.valueStart
      rows[row + VALUE_START + 1] = message.valueEnd
      rows[row + HEADERS] = -1
      row += STRIDE
    }
    return new RecordBatch(this, buffer, messages.length, rows, base, first)
  }
}

interface Message {
  offset: bigint
  /** Where it starts. */
  readonly at: number
  readonly keyStart: number
  readonly valueStart: number
  /** Below the start for null. */
  readonly valueEnd: number
}

/** Verifies a message and finds its fields; `shift` is added to their places. */
function partsOf(message: Buffer, shift: number, offset: bigint, checkCrc: boolean): Omit<Message, 'offset' | 'at'> {
  const magic = message[at.MAGIC]!
  if (magic > 1) throw corrupt(offset, `it is inside a message of an older format and claims format ${magic}`)
  if (checkCrc) {
    const found = crc32(message.subarray(at.MAGIC))
    const announced = message.readUInt32BE(at.LEGACY_CRC)
    if (found !== announced) throw corrupt(offset, `its checksum is ${hex(found)}, not ${hex(announced)} as it says`)
  }
  const keyStart = at.LEGACY_TIMESTAMP + 8 * magic + 4
  const valueStart = keyStart + 4 + lengthAt(message, keyStart - 4, offset)
  const size = lengthAt(message, valueStart - 4, offset)
  const isNull = message.readInt32BE(valueStart - 4) < 0
  return { keyStart: shift + keyStart, valueStart: shift + valueStart, valueEnd: shift + valueStart + (isNull ? -1 : size) }
}

/** The length of a field, 0 for null, of which enough bytes are there. */
function lengthAt(message: Buffer, place: number, offset: bigint): number {
  const left = message.length - place - 4
  const size = left < 0 ? 0 : Math.max(message.readInt32BE(place), 0)
  if (size > left) throw corrupt(offset, `a field of ${size} bytes exceeds the ${Math.max(left, 0)} left`)
  return size
}

const codecBits = (message: Buffer): number => message[at.LEGACY_ATTRIBUTES]! & at.CODEC_MASK
const timeOf = (buffer: Buffer, message: number): bigint =>
  buffer[message + at.MAGIC] === 0 ? -1n : buffer.readBigInt64BE(message + at.LEGACY_TIMESTAMP)

function corrupt(baseOffset: bigint, reason: string): CorruptRecordError {
  const message = `the message at offset ${baseOffset} is damaged: ${reason}; if it stays so when fetched again, seek past it`
  return new CorruptRecordError(message, { baseOffset })
}
